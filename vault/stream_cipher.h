// STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015; as in age): 64 KiB chunks under AES-256-GCM, nonce = 11-byte
// big-endian counter || u8 last-chunk flag, one AAD for all chunks. The key is used for one stream only, so nonces
// never repeat. Cutting, swapping, repeating or appending chunks is found. Threads: pure functions.
#pragma once

#include "base/crypto.h"

namespace kustos::vault {

inline constexpr std::size_t kChunk = 64 * 1024;

std::uint64_t sealed_size(std::uint64_t plaintext);  // an empty stream has one empty chunk
Bytes stream_seal(ByteView key32, const Hash& aad, ByteView plaintext);
Result<Bytes> stream_open(ByteView key32, const Hash& aad, ByteView ciphertext);  // Code::corrupt

}  // namespace kustos::vault
