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
inline constexpr std::size_t kMaxTrustLines = 1'000;

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

// At most kMaxTrustFile bytes and kMaxTrustLines lines. A file without a `log` line is refused: it could establish
// nothing. Code::not_in_version: witnesses.
Result<Trust> parse_trust(std::string_view text);
std::string format_trust(const Trust& trust);  // parse_trust() reads it back

}  // namespace kustos::audit
