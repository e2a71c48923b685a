// Time-stamping authorities: the seam through which tokens are asked for, and the builtin authority.
//
// The builtin authority proves order and needs no network. It is the archive's own word on the time and is never called
// independent: evidence stamped only by it has time level "self".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "audit/timestamp.h"
#include "audit/validation.h"
#include "base/clock.h"
#include "base/environment.h"
#include "base/fs.h"

namespace kustos::audit {

// Whoever answers requests. ask() may block (up to the implementation's time limits) and may be called from any thread.
class TimeAuthority {
public:
    virtual ~TimeAuthority() = default;
    // As stored beside the token: lower-case letters, digits, '.', '-', at most 64.
    virtual const std::string& name() const = 0;
    // ".tsq" to ".tsr"; the answer is not trusted. Code::environment: not reachable, the text says what to do.
    virtual Result<Bytes> ask(ByteView tsq) = 0;
    // How issuers, OCSP and CRLs of its certificates are fetched; empty: they are not.
    virtual Fetcher fetcher() const { return {}; }
};
bool is_authority_name(std::string_view name);

// An authority and what its tokens must satisfy.
struct AuthorityChoice {
    TimeAuthority* authority = nullptr;  // outlives the call
    TokenTrust trust;  // roots; the nonce is set for each request, certificates must be valid at the token's time
};

struct StampOutcome {
    std::string authority;
    Result<StampedToken> result;
    std::int64_t round_trip_ms = 0;
    // The authority's time minus the middle of the round trip by our clock. Suspicious beyond accuracy + round trip +
    // 2 s: our clock or theirs is wrong. The token is valid all the same.
    std::int64_t clock_offset_ms = 0;
    bool clock_suspicious = false;
};

// Asks each authority once, in order, for a token over `imprint`; one that fails does not stop the others. How many
// must succeed is the caller's rule.
std::vector<StampOutcome> stamp(const Imprint& imprint, const std::vector<AuthorityChoice>& authorities,
                                const Clock& clock, Random& random);

// A root and a time-stamping certificate (P-256, SHA-256) in a folder of their own:
//   root.crt, tsa.crt (PEM), tsa.key (PEM, mode 0600). The root's key is forgotten once tsa.crt is signed.
// Files: docs/format/anchors.md. Lost: earlier tokens stay valid (they carry both certificates); a new authority has a
// new root. Threads: answer() and ask() from any thread.
class BuiltinAuthority final : public TimeAuthority {
public:
    static constexpr const char* kName = "builtin";
    // The policy that its tokens state: "time by the archive's own clock".
    static constexpr const char* kPolicy = "2.25.256430783232560753471082193806717963367";
    // Code::conflict if the folder already has one. Durable when it returns.
    static Result<std::unique_ptr<BuiltinAuthority>> create(const Environment& environment, const Path& directory);
    static Result<std::unique_ptr<BuiltinAuthority>> open(const Environment& environment, const Path& directory);
    ~BuiltinAuthority() override;

    const std::string& name() const override { return name_; }
    Result<Bytes> ask(ByteView tsq) override { return answer(tsq); }
    // ".tsr" for a ".tsq". What it can't stamp is answered by a well-formed rejection; Code::limit above kMaxToken.
    Result<Bytes> answer(ByteView tsq) const;
    const Bytes& root_certificate() const;  // DER
    Hash root_hash() const;                 // SHA-256 of it: named by the archive's first entry
    TokenTrust trust() const;

private:
    struct State;
    explicit BuiltinAuthority(std::unique_ptr<State> state);
    std::string name_ = kName;
    std::unique_ptr<State> state_;
};

}  // namespace kustos::audit
