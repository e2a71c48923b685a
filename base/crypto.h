// Primitives, each from a well-kept library: SHA-256, HMAC, HKDF, AES from OpenSSL (libsodium's SHA-256 is
// five times slower here); XChaCha20-Poly1305, Ed25519, X25519 sealed boxes and Argon2id from libsodium.
//
// Threads: free functions are safe from any thread; class objects belong to one thread at a time.
// Errors: wrong lengths of our own making are CHECKs; failed authentication is Code::corrupt.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/secret.h"

namespace kustos {

// --- hashing (FIPS 180-4) -------------------------------------------------------------------------
Hash sha256(ByteView bytes);
Hash sha256(std::initializer_list<ByteView> parts);  // of their concatenation

class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    Sha256& update(ByteView bytes);
    Hash finish();  // and start anew

private:
    struct State;
    std::unique_ptr<State> state_;
};

// --- keyed (RFC 2104, RFC 5869) -------------------------------------------------------------------
Hash hmac_sha256(ByteView key, ByteView message);
SecretBytes hmac_sha256_secret(ByteView key, ByteView message);
SecretBytes hkdf_extract(ByteView salt, ByteView ikm);                     // 32 bytes
SecretBytes hkdf_expand(ByteView prk, ByteView info, std::size_t length);  // length <= 255 * 32
void hkdf_expand_into(ByteView prk, ByteView info, std::span<std::uint8_t> out);
// SipHash-2-4 with 128-bit output (libsodium siphashx24).
std::array<std::uint8_t, 16> siphash128(ByteView key16, ByteView message);

// AES-256-CTR keystream from a zero initial block, big-endian increment (salts of sealing.md).
void aes256_ctr_keystream(ByteView key32, std::span<std::uint8_t> out);

// --- AES-256-GCM (NIST SP 800-38D), 12-byte nonce, 16-byte tag appended ------------------------------
inline constexpr std::size_t kGcmTag = 16;
class Gcm {
public:
    explicit Gcm(ByteView key32);
    ~Gcm();
    Gcm(Gcm&&) noexcept;
    // out gets plaintext.size() + kGcmTag bytes appended.
    void seal(ByteView nonce12, ByteView aad, ByteView plaintext, Bytes& out);
    // out gets the plaintext appended; on failure nothing is appended and the error is Code::corrupt.
    Status open(ByteView nonce12, ByteView aad, ByteView ciphertext, Bytes& out);
    // The same for keys: the plaintext is in locked memory from the start.
    Result<SecretBytes> open_secret(ByteView nonce12, ByteView aad, ByteView ciphertext);

private:
    bool open_into(ByteView nonce12, ByteView aad, ByteView ciphertext, std::uint8_t* out);
    struct State;
    std::unique_ptr<State> state_;
};

// --- XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03, libsodium), 24-byte nonce, 16-byte tag appended --------
// As Gcm: what seal and open append to `out`; a failed open appends nothing and is Code::corrupt.
void xchacha20_seal(ByteView key32, ByteView nonce24, ByteView aad, ByteView plaintext, Bytes& out);
Status xchacha20_open(ByteView key32, ByteView nonce24, ByteView aad, ByteView ciphertext, Bytes& out);

// --- Ed25519 (RFC 8032) ------------------------------------------------------------------------------
using Ed25519Public = FixedBytes<struct Ed25519PublicTag, 32>;
using Ed25519Signature = FixedBytes<struct Ed25519SignatureTag, 64>;
struct Ed25519Key {
    Ed25519Public public_key;
    SecretBytes secret_key;  // 64 bytes, libsodium's layout (seed || public)
    static Ed25519Key from_seed(ByteView seed32);
};
Ed25519Signature ed25519_sign(const Ed25519Key& key, ByteView message);
bool ed25519_verify(const Ed25519Public& key, ByteView message, const Ed25519Signature& signature);

// --- X25519 sealed boxes (libsodium crypto_box_seal: ephemeral X25519, BLAKE2b nonce, XSalsa20-Poly1305) ---
using X25519Public = FixedBytes<struct X25519PublicTag, 32>;
struct X25519Key {
    X25519Public public_key;
    SecretBytes secret_key;  // 32 bytes
    static X25519Key from_seed(ByteView seed32);
};
inline constexpr std::size_t kSealedBoxOverhead = 48;
Bytes box_seal(const X25519Public& to, ByteView message);
Result<SecretBytes> box_open(const X25519Key& key, ByteView box);  // Code::corrupt: not for this key, or changed

// --- Argon2id (RFC 9106) -----------------------------------------------------------------------------
struct Argon2Cost {
    std::uint32_t memory_kib = 256 * 1024;
    std::uint32_t passes = 3;
};
// salt: 16 bytes. Code::environment when the memory can't be had.
Result<SecretBytes> argon2id(ByteView password, ByteView salt16, Argon2Cost cost, std::size_t length);

}  // namespace kustos
