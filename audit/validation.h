// What shows that a token's certificates were good when it was made: issuers, OCSP responses and CRLs, fetched while
// their sources still exist and put into the token itself (RFC 5652 section 5.1: certificates and crls are not signed;
// RFC 5940 for OCSP; ETSI EN 319 422). So anchors, renewals, bundles and evidence records carry them without a second
// file, and the token is verified as any other.
//
// Which addresses are asked stands in the certificates (RFC 5280 sections 4.2.1.13, 4.2.2.1): only http:// ones, at
// most kMaxFetches in all. Threads: free functions, safe from any thread.
#pragma once

#include <functional>
#include <string>

#include "audit/timestamp.h"

namespace kustos::audit {

inline constexpr unsigned kMaxFetches = 12;

struct Fetch {
    std::string url;
    std::string content_type;  // of `body`; empty: GET
    Bytes body;
};
using Fetcher = std::function<Result<Bytes>(const Fetch& fetch)>;

struct Validation {
    Bytes token;  // with what was collected; as it was if there was nothing or no room (kMaxToken)
    unsigned certificates = 0, ocsp = 0, crls = 0;  // added
    bool complete = false;  // each certificate below a self-signed one now has its issuer and an OCSP response or a CRL
};

// What can't be fetched is left out. Code::denied: an OCSP response or a CRL says that one of the certificates is
// revoked; the token must not be used. Code::bad_input: the token can't be read.
Result<Validation> collect_validation(ByteView token, const Fetcher& fetch);

}  // namespace kustos::audit
