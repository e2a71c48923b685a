// The signer's two keys, in files or in a token, behind one form.
//
//   checkpoint.key   PRIVATE+KEY+<origin>+...          or  PKCS11 <uri> <verifier key>
//   evidence.key     PKCS#8 in PEM                     or  PKCS11 <uri>
#pragma once

#include <functional>

#include "audit/note.h"
#include "audit/src/evidence_key.h"
#include "base/environment.h"
#include "base/pkcs11.h"

namespace kustos::audit {

struct CheckpointKey {
    VerifierKey verifier;
    std::string source;                                   // "" (a file) or the token's URI
    SecretBytes file;                                     // what lies in checkpoint.key
    std::function<Result<Bytes>(ByteView message)> sign;  // 64 bytes

    // name: the origin. Code::usage, Code::environment.
    static Result<CheckpointKey> make(Environment environment, const std::string& name, const std::string& source);
    static Result<CheckpointKey> open(Fs& fs, ByteView file);
    void forget(Fs& fs) const;  // of a token: the pair is destroyed, as far as the token does it
};

// The name of the key that a source made for a vault.
Result<std::string> signed_note_of(const CheckpointKey& key, std::string_view text);

struct BundleKey {
    Bytes certificate;                                    // DER
    SecretBytes file;                                     // what lies in evidence.key
    std::function<Result<Bytes>(ByteView message)> sign;  // ECDSA with SHA-256, DER

    static Result<BundleKey> make(Environment environment, const VaultId& vault, const std::string& source);
    static Result<BundleKey> open(Fs& fs, ByteView file, ByteView certificate_pem);
};

}  // namespace kustos::audit
