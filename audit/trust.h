// The trust file: what a verifier believes before it looks (docs/format/trust.md). Lines as in C2SP tlog-policy, and
// our `tsa`:
//
//   log <verifier key>                                   the archive's ledger
//   tsa <name> independent|qualified <base64 DER>        root certificate of a time-stamping authority
//   quorum none
//   # comment
//
// Errors: bad_input, with the line. Threads: values.
#pragma once

#include <string>
#include <vector>

#include "audit/note.h"
#include "base/bytes.h"
#include "base/result.h"

namespace kustos::audit {

inline constexpr std::size_t kMaxTrustFile = 1u << 20;

enum class AuthorityLevel { independent, qualified };

struct TrustedAuthority {
    std::string name;
    AuthorityLevel level = AuthorityLevel::independent;
    Bytes root;  // DER
};

struct Trust {
    std::vector<VerifierKey> logs;
    std::vector<TrustedAuthority> authorities;
};

Result<Trust> parse_trust(std::string_view text);

}  // namespace kustos::audit
