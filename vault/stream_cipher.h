// STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015; as in age): chunks of 64 KiB, nonce = 11-byte big-endian counter ||
// u8 last-chunk flag (12 zero bytes before it in suite 2), one AAD for all chunks. The key is used for one stream only,
// so nonces never repeat. Cutting, swapping, repeating or appending chunks is found. Threads: a stream belongs to one.
#pragma once

#include <optional>

#include "audit/entry.h"
#include "base/crypto.h"

namespace kustos::vault {

inline constexpr std::size_t kChunk = 64 * 1024;
inline constexpr std::size_t kSealedChunk = kChunk + kGcmTag;

std::uint64_t sealed_size(std::uint64_t plaintext);  // an empty stream has one empty chunk

// One stream, chunk after chunk, in one direction. Suites: aes256_gcm, xchacha20_poly1305.
class StreamCipher {
public:
    StreamCipher(audit::Suite suite, ByteView key32, const Hash& aad);
    // All chunks but the last have kChunk bytes; the last is empty only if it is the only one (CHECKed).
    void seal(ByteView chunk, bool last, Bytes& out);  // appends
    // All chunks but the last have kSealedChunk bytes. Code::corrupt: nothing is appended.
    Status open(ByteView sealed, bool last, Bytes& out);

private:
    ByteView nonce(bool last);
    std::optional<Gcm> gcm_;  // suite 1
    SecretBytes key_;         // suite 2
    Hash aad_;
    std::uint8_t nonce_[24] = {};
    std::uint64_t counter_ = 0;
};

Bytes stream_seal(audit::Suite suite, ByteView key32, const Hash& aad, ByteView plaintext);
Result<Bytes> stream_open(audit::Suite suite, ByteView key32, const Hash& aad, ByteView ciphertext);  // Code::corrupt

}  // namespace kustos::vault
