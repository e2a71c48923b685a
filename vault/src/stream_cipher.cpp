#include "vault/stream_cipher.h"

#include <algorithm>

namespace kustos::vault {

namespace {
void set_nonce(std::uint8_t (&nonce)[12], std::uint64_t counter, bool last) {
    std::fill(std::begin(nonce), std::end(nonce), std::uint8_t{0});
    store_u64(nonce + 3, counter);
    nonce[11] = last ? 1 : 0;
}
}  // namespace

std::uint64_t sealed_size(std::uint64_t plaintext) {
    const std::uint64_t chunks = plaintext == 0 ? 1 : (plaintext + kChunk - 1) / kChunk;
    return plaintext + chunks * kGcmTag;
}

Bytes stream_seal(ByteView key32, const Hash& aad, ByteView plaintext) {
    Gcm gcm(key32);
    Bytes out;
    out.reserve(static_cast<std::size_t>(sealed_size(plaintext.size())));
    std::uint8_t nonce[12];
    std::uint64_t counter = 0;
    std::size_t at = 0;
    do {
        const std::size_t n = std::min(kChunk, plaintext.size() - at);
        set_nonce(nonce, counter++, at + n == plaintext.size());
        gcm.seal(nonce, aad.view(), plaintext.subspan(at, n), out);
        at += n;
    } while (at < plaintext.size());
    return out;
}

Result<Bytes> stream_open(ByteView key32, const Hash& aad, ByteView ciphertext) {
    if (ciphertext.size() < kGcmTag) return Error(Code::corrupt, "ciphertext is too short");
    Gcm gcm(key32);
    Bytes out;
    out.reserve(ciphertext.size());
    std::uint8_t nonce[12];
    std::uint64_t counter = 0;
    std::size_t at = 0;
    do {
        const std::size_t n = std::min(kChunk + kGcmTag, ciphertext.size() - at);
        const bool last = at + n == ciphertext.size();
        // An empty last chunk after others would be a second way to write the same plaintext.
        if (n < kGcmTag || (last && counter > 0 && n == kGcmTag)) return Error(Code::corrupt, "ciphertext is cut");
        set_nonce(nonce, counter++, last);
        TRY(gcm.open(nonce, aad.view(), ciphertext.subspan(at, n), out));
        at += n;
    } while (at < ciphertext.size());
    return out;
}

}  // namespace kustos::vault
