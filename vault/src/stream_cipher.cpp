#include "vault/stream_cipher.h"

#include <algorithm>

namespace kustos::vault {

std::uint64_t sealed_size(std::uint64_t plaintext) {
    const std::uint64_t chunks = plaintext == 0 ? 1 : (plaintext + kChunk - 1) / kChunk;
    return plaintext + chunks * kGcmTag;
}

StreamCipher::StreamCipher(audit::Suite suite, ByteView key32, const Hash& aad) : aad_(aad) {
    CHECK(suite == audit::Suite::aes256_gcm || suite == audit::Suite::xchacha20_poly1305);
    if (suite == audit::Suite::aes256_gcm) {
        gcm_.emplace(key32);
    } else {
        key_ = SecretBytes(key32);
    }
}

// The last 12 bytes are suite 1's nonce.
ByteView StreamCipher::nonce(bool last) {
    store_u64(nonce_ + 15, counter_++);
    nonce_[23] = last ? 1 : 0;
    return gcm_ ? ByteView(nonce_).last(12) : ByteView(nonce_);
}

void StreamCipher::seal(ByteView chunk, bool last, Bytes& out) {
    CHECK(last ? chunk.size() <= kChunk && (!chunk.empty() || counter_ == 0) : chunk.size() == kChunk);
    const ByteView n = nonce(last);
    if (gcm_) {
        gcm_->seal(n, aad_.view(), chunk, out);
    } else {
        xchacha20_seal(key_.view(), n, aad_.view(), chunk, out);
    }
}

Status StreamCipher::open(ByteView sealed, bool last, Bytes& out) {
    // An empty last chunk after others would be a second way to write the same plaintext.
    const bool fits =
        last ? sealed.size() >= kGcmTag && sealed.size() <= kSealedChunk && (counter_ == 0 || sealed.size() > kGcmTag)
             : sealed.size() == kSealedChunk;
    if (!fits) return Error(Code::corrupt, "ciphertext is cut");
    const ByteView n = nonce(last);
    return gcm_ ? gcm_->open(n, aad_.view(), sealed, out) : xchacha20_open(key_.view(), n, aad_.view(), sealed, out);
}

Bytes stream_seal(audit::Suite suite, ByteView key32, const Hash& aad, ByteView plaintext) {
    StreamCipher cipher(suite, key32, aad);
    Bytes out;
    out.reserve(static_cast<std::size_t>(sealed_size(plaintext.size())));
    std::size_t at = 0;
    do {
        const std::size_t n = std::min(kChunk, plaintext.size() - at);
        cipher.seal(plaintext.subspan(at, n), at + n == plaintext.size(), out);
        at += n;
    } while (at < plaintext.size());
    return out;
}

Result<Bytes> stream_open(audit::Suite suite, ByteView key32, const Hash& aad, ByteView ciphertext) {
    StreamCipher cipher(suite, key32, aad);
    Bytes out;
    out.reserve(ciphertext.size());
    std::size_t at = 0;
    do {
        const std::size_t n = std::min(kSealedChunk, ciphertext.size() - at);
        TRY(cipher.open(ciphertext.subspan(at, n), at + n == ciphertext.size(), out));
        at += n;
    } while (at < ciphertext.size());
    return out;
}

}  // namespace kustos::vault
