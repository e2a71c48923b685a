// The trust file: what a verifier believes before it looks (docs/format/trust.md). Lines as in C2SP tlog-policy, and
// our `tsa`:
//
//   log <verifier key> [<url>]                           the archive's ledger
//   witness <name> <verifier key> [<url>]                key type 0x04 (cosignature/v1)
//   group <name> all|any|<k> <witness or group>...       named before
//   quorum <witness or group>|none                       what a checkpoint needs beside the archive's signature
//   tsa <name> independent|qualified <base64 DER>        root certificate of a time-stamping authority
//   digest <name> <YYYY-MM-DD>                           not to be relied on from that day (UTC)
//   # comment
//
// It may be a signed note (C2SP signed-note) of whoever is responsible for it; a reader who has that one's key asks for
// the signature.
// Errors: bad_input, with the line. Threads: values.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "audit/cosignature.h"
#include "audit/digest.h"
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

struct TrustedWitness {
    std::string name;
    VerifierKey key;
    std::string url;  // empty: none
};
struct WitnessGroup {
    std::string name;
    std::size_t threshold = 1;
    std::vector<std::string> members;
};

struct Trust {
    std::vector<VerifierKey> logs;
    std::vector<TrustedAuthority> authorities;
    std::vector<TrustedWitness> witnesses;
    std::vector<WitnessGroup> groups;
    std::string quorum;  // empty: none
    AlgorithmEnds digest_ends;
    std::string signed_by;           // whose signature over the file was checked; empty: nobody's
    bool signature_ignored = false;  // the file is signed, and nobody asked by whom
    std::vector<VerifierKey> witness_keys() const;
    // Whether these cosignatures are what `quorum` asks for; without one: false.
    bool witnessed(std::span<const Cosignature> cosignatures) const;
};

// At most kMaxTrustFile bytes and kMaxTrustLines lines. A file without a `log` line is refused: it could establish
// nothing; unless only time stamps are to be judged (evidence records).
// signer: the file must be a note that this key (Ed25519) signed; Code::bad_input otherwise.
Result<Trust> parse_trust(std::string_view text, bool needs_log = true,
                          const std::optional<VerifierKey>& signer = std::nullopt);
std::string format_trust(const Trust& trust);  // parse_trust() reads it back

}  // namespace kustos::audit
