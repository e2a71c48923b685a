#include <sodium.h>

#include <cstring>

#include "base/crypto.h"

namespace kustos {

namespace {
void start() {
    static const bool ready = sodium_init() >= 0;
    CHECK(ready);
}
}  // namespace

std::array<std::uint8_t, 16> siphash128(ByteView key16, ByteView message) {
    CHECK(key16.size() == crypto_shorthash_siphashx24_KEYBYTES);
    std::array<std::uint8_t, 16> out;
    crypto_shorthash_siphashx24(out.data(), message.data(), message.size(), key16.data());
    return out;
}

static_assert(kGcmTag == crypto_aead_xchacha20poly1305_ietf_ABYTES);

void xchacha20_seal(ByteView key32, ByteView nonce24, ByteView aad, ByteView plaintext, Bytes& out) {
    start();
    CHECK(key32.size() == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
    CHECK(nonce24.size() == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
    const std::size_t at = out.size();
    out.resize(at + plaintext.size() + kGcmTag);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out.data() + at, nullptr, plaintext.data(), plaintext.size(), aad.data(),
                                               aad.size(), nullptr, nonce24.data(), key32.data());
}

Status xchacha20_open(ByteView key32, ByteView nonce24, ByteView aad, ByteView ciphertext, Bytes& out) {
    start();
    CHECK(key32.size() == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
    CHECK(nonce24.size() == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
    if (ciphertext.size() < kGcmTag) return Error(Code::corrupt, "ciphertext is shorter than its tag");
    const std::size_t at = out.size();
    const std::size_t length = ciphertext.size() - kGcmTag;
    out.resize(at + length + 1);  // one to spare, so that data() is never null
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(out.data() + at, nullptr, nullptr, ciphertext.data(),
                                                   ciphertext.size(), aad.data(), aad.size(), nonce24.data(),
                                                   key32.data()) != 0) {
        wipe({out.data() + at, length});
        out.resize(at);
        return Error(Code::corrupt, "authentication failed");
    }
    out.resize(at + length);
    return {};
}

Ed25519Key Ed25519Key::from_seed(ByteView seed32) {
    start();
    CHECK(seed32.size() == crypto_sign_SEEDBYTES);
    Ed25519Key key;
    key.secret_key = SecretBytes(crypto_sign_SECRETKEYBYTES);
    crypto_sign_seed_keypair(key.public_key.bytes.data(), key.secret_key.writable().data(), seed32.data());
    return key;
}

Ed25519Signature ed25519_sign(const Ed25519Key& key, ByteView message) {
    Ed25519Signature signature;
    crypto_sign_detached(signature.bytes.data(), nullptr, message.data(), message.size(), key.secret_key.view().data());
    return signature;
}

bool ed25519_verify(const Ed25519Public& key, ByteView message, const Ed25519Signature& signature) {
    start();
    return crypto_sign_verify_detached(signature.bytes.data(), message.data(), message.size(), key.bytes.data()) == 0;
}

X25519Key X25519Key::from_seed(ByteView seed32) {
    start();
    CHECK(seed32.size() == crypto_box_SEEDBYTES);
    X25519Key key;
    key.secret_key = SecretBytes(crypto_box_SECRETKEYBYTES);
    crypto_box_seed_keypair(key.public_key.bytes.data(), key.secret_key.writable().data(), seed32.data());
    return key;
}

Bytes box_seal(const X25519Public& to, ByteView message) {
    start();
    Bytes box(message.size() + kSealedBoxOverhead);
    static_assert(kSealedBoxOverhead == crypto_box_SEALBYTES);
    CHECK(crypto_box_seal(box.data(), message.data(), message.size(), to.bytes.data()) == 0);
    return box;
}

Result<SecretBytes> box_open(const X25519Key& key, ByteView box) {
    start();
    if (box.size() < kSealedBoxOverhead) return Error(Code::corrupt, "sealed box is too short");
    SecretBytes message(box.size() - kSealedBoxOverhead);
    if (crypto_box_seal_open(message.writable().data(), box.data(), box.size(), key.public_key.bytes.data(),
                             key.secret_key.view().data()) != 0) {
        return Error(Code::corrupt, "sealed box is not for this key, or was changed");
    }
    return message;
}

Result<SecretBytes> argon2id(ByteView password, ByteView salt16, Argon2Cost cost, std::size_t length) {
    start();
    CHECK(salt16.size() == crypto_pwhash_SALTBYTES);
    SecretBytes out(length);
    if (crypto_pwhash(out.writable().data(), length, reinterpret_cast<const char*>(password.data()), password.size(),
                      salt16.data(), cost.passes, std::size_t{cost.memory_kib} * 1024,
                      crypto_pwhash_ALG_ARGON2ID13) != 0) {
        return Error(Code::environment,
                     "not enough memory for Argon2id (" + std::to_string(cost.memory_kib / 1024) + " MiB needed)");
    }
    return out;
}

}  // namespace kustos
