// As base/src/crypto_hash.cpp: the low-level functions, kept in OpenSSL 3, need no allocation and can't fail.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "ingest/src/hmac_sha512.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

namespace kustos::ingest {

namespace {
constexpr std::size_t kBlock = 128;
}

struct HmacSha512::State {
    SHA512_CTX inner;
    std::array<std::uint8_t, kBlock> key{};
    ~State() { OPENSSL_cleanse(key.data(), key.size()); }
};

HmacSha512::HmacSha512(ByteView key) : state_(std::make_unique<State>()) {
    if (key.size() > kBlock) {
        SHA512(key.data(), key.size(), state_->key.data());
    } else {
        std::copy(key.begin(), key.end(), state_->key.begin());
    }
    std::array<std::uint8_t, kBlock> pad{};
    for (std::size_t i = 0; i < kBlock; ++i) pad[i] = state_->key[i] ^ 0x36;
    SHA512_Init(&state_->inner);
    SHA512_Update(&state_->inner, pad.data(), pad.size());
    OPENSSL_cleanse(pad.data(), pad.size());
}

HmacSha512::~HmacSha512() = default;

void HmacSha512::update(ByteView bytes) {
    SHA512_Update(&state_->inner, bytes.data(), bytes.size());
}

Bytes HmacSha512::finish() {
    Bytes sum(SHA512_DIGEST_LENGTH);
    SHA512_Final(sum.data(), &state_->inner);
    std::array<std::uint8_t, kBlock> pad{};
    for (std::size_t i = 0; i < kBlock; ++i) pad[i] = state_->key[i] ^ 0x5C;
    SHA512_CTX outer;
    SHA512_Init(&outer);
    SHA512_Update(&outer, pad.data(), pad.size());
    SHA512_Update(&outer, sum.data(), sum.size());
    SHA512_Final(sum.data(), &outer);
    OPENSSL_cleanse(pad.data(), pad.size());
    return sum;
}

}  // namespace kustos::ingest
