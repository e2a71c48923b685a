// Time stamps of RFC 3161: requests, responses, and tokens verified at any time with nothing but the token, the imprint
// and trusted certificates.
//
// The token is kept as the DER that the authority sent and verified with OpenSSL's CMS_verify (purpose timestampsign,
// CAdES checks). OpenSSL's TS_RESP_verify path is not used: it fails on RSASSA-PSS and on tokens that carry an OCSP
// response, and German authorities issue both.
//
// Errors: Code::bad_input says the token is malformed or a check failed, in words an operator understands; Code::limit
// that it is larger than kMaxToken. A failed check never names anything but the check.
// Not checked here: revocation. Chain, CRL and OCSP material is kept in the token's own bytes.
// Threads: free functions, safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/digest.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"

namespace kustos::audit {

inline constexpr std::size_t kMaxToken = 64 * 1024;  // also for requests and whole responses

// What is stamped: RFC 3161 section 2.4.1 MessageImprint.
struct Imprint {
    DigestAlgorithm algorithm = DigestAlgorithm::sha256;
    Bytes value;
    Imprint() = default;
    Imprint(const Hash& sha256) : value(to_bytes(sha256.view())) {}  // NOLINT: what we ask for ourselves is SHA-256
    Imprint(DigestAlgorithm a, Bytes v) : algorithm(a), value(std::move(v)) {}
    bool operator==(const Imprint&) const = default;
};

// --- request and response -------------------------------------------------------------------------
struct TimestampRequest {
    Imprint imprint;
    Bytes nonce;         // content octets of the INTEGER (real clients send negative ones); empty: none
    std::string policy;  // dotted OID; empty: the authority's choice
    bool certificates = true;

    // With a random nonce of 16 bytes, and the authority's certificates asked for.
    static TimestampRequest make(const Imprint& imprint, Random& random);
    Bytes encode() const;  // DER, ".tsq"
    static Result<TimestampRequest> parse(ByteView tsq);
};

// The token out of a response (".tsr"), byte for byte as sent, if the status is granted or granted with changes. A
// rejection becomes Code::bad_input with the authority's failure code in words (never its free text).
Result<Bytes> token_from_response(ByteView tsr);

// --- tokens -----------------------------------------------------------------------------------------
struct TokenFacts {
    UtcTime gen_time;
    std::optional<std::int64_t> accuracy_ms;  // absent: the authority's policy says
    Imprint imprint;
    std::string policy;  // dotted OID
    std::string serial;  // hex, up to 160 bits
    Bytes nonce;         // as in TimestampRequest
    // The token says of itself that it is a qualified electronic time stamp (ETSI EN 319 422 section 9.1). Whether it
    // is one is the trusted list's to say.
    bool claims_qualified = false;
    bool ordering = false;
    std::string tsa_name;   // the signer certificate's subject, RFC 2253, for people; empty if no certificate is known
    std::string signature;  // "ecdsa-sha256", "rsassa-pss-sha512", "rsa-sha256", ... for people
    std::vector<Bytes> certificates;  // DER, all that the token carries
    Hash signer{};  // SHA-256 of the signer's certificate; zero if it is not in the token nor untrusted
    // True if the signing certificate is bound by ESSCertID v1 (SHA-1, RFC 2634) only: valid, to be flagged.
    bool ess_v1 = false;
    // Only after verify_token:
    Hash chain_root{};         // SHA-256 of the trust anchor that the chain ended at; zero with ChainRule::none
    std::vector<Bytes> chain;  // DER, from the signer to the anchor: keep it for renewal
};

// Reads without verifying anything but the structure. The token must have exactly one signer.
Result<TokenFacts> read_token(ByteView token);
// The first end of a certificate that the token carries; nullopt: it carries none.
std::optional<UtcTime> first_end(const TokenFacts& facts);
// What is stamped and when, also of a token whose signature is of a kind that is refused here.
struct TokenContent {
    Imprint imprint;
    UtcTime gen_time;
};
Result<TokenContent> read_token_content(ByteView token);

enum class ChainRule : std::uint8_t {
    to_root,        // up to a self-signed certificate of `roots`
    pinned_signer,  // `roots` holds the signer's own certificate or an issuer's, self-signed or not
    none,           // no chain: the signature fits the certificate that the token carries. Proves no time by itself
};

struct TokenTrust {
    std::vector<Bytes> roots;  // DER certificates
    std::vector<Hash>
        root_hashes;  // a self-signed certificate that the token carries counts as root if its SHA-256 is here
    std::vector<Bytes> untrusted;  // DER certificates that may help to build the chain, or be the signer's
    ChainRule rule = ChainRule::to_root;
    std::optional<UtcTime> at;          // when certificates must be valid; default: the token's own time
    std::optional<Bytes> nonce;         // must be equal
    std::optional<std::string> policy;  // must be equal
    // False: also a certificate that must not sign time stamps (foreign records have such): the signature alone counts.
    bool usage = true;
};

// All checks of RFC 3161 section 2.4.2 and RFC 5816, and the chain.
Result<TokenFacts> verify_token(ByteView token, const Imprint& imprint, const TokenTrust& trust);

// For an answer just received: the response's status, then verify_token with the request's imprint, nonce and policy.
struct StampedToken {
    Bytes token;
    TokenFacts facts;
};
Result<StampedToken> verify_response(ByteView tsr, const TimestampRequest& request, const TokenTrust& trust);

// RFC 3161 section 2.3: may this certificate (DER) sign time stamps? The extended key usage must be timeStamping alone
// and critical. Says what is wrong otherwise.
Status check_tsa_certificate(ByteView certificate);
// A certificate out of a file, DER or PEM (the first one), as DER.
Result<Bytes> read_certificate(ByteView der_or_pem);

}  // namespace kustos::audit
