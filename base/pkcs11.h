// Keys that stay in a token: PKCS #11 v2.40 and 3.0, the module loaded at run time and called directly.
//
// A token and a key in it are named by a URI (RFC 7512):
//   pkcs11:token=LABEL;object=LABEL?module-path=/FILE.so&pin-source=file:/FILE
// module-path, pin-source and token are needed; object names the key pair. Other attributes are refused. The module
// runs in this process with its rights: the administrator chooses it.
//
// The PIN is read from its file at each opening and wiped. Errors: usage (the URI), environment (module, token, PIN),
// not_found (no such key), conflict (a key of that name is there). Threads: any; one session, calls one after the
// other.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/fs.h"
#include "base/random.h"
#include "base/secret.h"

namespace kustos {

struct TokenUri {
    std::string token, object, module, pin_file;
    static Result<TokenUri> parse(std::string_view uri);
    std::string format() const;
    static bool is_one(std::string_view text) { return text.substr(0, 7) == "pkcs11:"; }
};

class HardwareToken {
public:
    static Result<std::shared_ptr<HardwareToken>> open(Fs& fs, const TokenUri& uri);  // `object` is not looked at
    ~HardwareToken();
    const std::string& serial() const;  // the token's own: two tokens may have one label

    // Make a pair that can't leave the token. Answers the public key: 32 bytes; 0x04 || x || y.
    Result<Ed25519Public> make_ed25519(const std::string& object);
    Result<Bytes> make_p256(const std::string& object);
    Result<Ed25519Public> ed25519_public(const std::string& object);
    Result<Bytes> p256_public(const std::string& object);
    Result<Bytes> sign_ed25519(const std::string& object, ByteView message);  // 64 bytes, RFC 8032
    Result<Bytes> sign_p256(const std::string& object, const Hash& digest);   // r || s, 64 bytes
    Status forget(const std::string& object);                                 // destroys the pair

    // An AES-256 key that can't leave the token, and what is sealed with it: u8 mechanism (1: AES-GCM, 2: AES-CBC where
    // the token has no GCM), IV (12 or 16 bytes), ciphertext. CBC protects no integrity: only for what is checked
    // elsewhere, such as a key that opens something authenticated. plaintext: whole blocks of 16 bytes, at most 256.
    Status make_aes(const std::string& object);
    Result<Bytes> aes_seal(const std::string& object, ByteView plaintext, Random& random);
    Result<SecretBytes> aes_open(const std::string& object, ByteView sealed);  // Code::denied: by another key, changed
    Status forget_aes(const std::string& object);

    // Small private objects (CKO_DATA) in the token, for what must be forgotten: destroyed, they are gone from it.
    Status keep_data(const std::string& object, ByteView bytes);  // at most 256 bytes; Code::conflict: it is there
    Result<SecretBytes> read_data(const std::string& object);
    Status forget_data(const std::string& object);  // and looks whether it is gone; absent is fine

private:
    struct State;
    explicit HardwareToken(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
    std::mutex mutex_;
};

}  // namespace kustos
