// The CMS signature of a bundle (RFC 5652; CAdES-BES as ETSI EN 319 122-1 without signing-time, for
// ETSI.CAdES.detached). Exactly one form: SHA-256, ECDSA P-256 with the smaller of the two possible s, the signer's
// certificate alone, three signed attributes, no unsigned ones. The verifier rebuilds every byte that the signature
// does not cover and compares. Errors: bad_input (not this form, or the signature fails), internal. Threads: pure
// functions.
#pragma once

#include <functional>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace kustos::audit {

inline constexpr std::size_t kMaxCms = 16 * 1024;

// ECDSA with SHA-256 and P-256 over a message: DER.
using EcdsaSign = std::function<Result<Bytes>(ByteView message)>;
Result<Bytes> ecdsa_sign(ByteView private_key_der, ByteView message);  // PKCS#8 DER of a P-256 key
Result<Bytes> ecdsa_der(ByteView r_and_s);                             // 64 bytes

// certificate: DER, of the key that signs.
Result<Bytes> make_cms(const EcdsaSign& sign, ByteView certificate_der, const Hash& digest);
Result<Bytes> make_cms(ByteView private_key_der, ByteView certificate_der, const Hash& digest);
struct CmsFacts {
    Bytes certificate;  // DER
};
Result<CmsFacts> verify_cms(ByteView der, const Hash& digest);

}  // namespace kustos::audit
