// A token taken apart, for reading and for verifying.
#pragma once

#include "audit/src/openssl_time.h"
#include "audit/src/tst_info.h"
#include "audit/timestamp.h"

namespace kustos::audit {

// The reference to the signer's certificate under the signature (RFC 2634 section 5.4, RFC 5035, RFC 5816).
struct SigningCertificate {
    const EVP_MD* digest = nullptr;
    Bytes hash;
};

struct TokenParts {
    openssl::Cms cms;
    CMS_SignerInfo* signer_info = nullptr;  // of cms
    openssl::Certificates carried;          // never null
    TstInfo info;
    std::optional<SigningCertificate> ess_v1, ess_v2;  // at least one
    DigestAlgorithm signed_digest = DigestAlgorithm::sha256;
    std::string signature;
};

Result<TokenParts> take_apart(ByteView token);
// The certificate among these that made the signature; null if it is not there.
X509* find_signer(const TokenParts& parts, STACK_OF(X509) * certificates);
TokenFacts facts_of(const TokenParts& parts, X509* signer);

}  // namespace kustos::audit
