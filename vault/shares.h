// k-of-n shares of a 32-byte secret: Shamir (1979) over GF(2^8) with the polynomial of AES (FIPS 197, 4.2), one
// polynomial for each byte, the secret at x = 0, share number i at x = i. Any k shares give the secret; k - 1 of them
// tell nothing at all about it. The format page is docs/format/keys.md, "Shares".
//
// A share is a text of 80 letters and digits in 16 groups, made to be read, typed and read out. The fifth letter of
// each group checks that group and its place, so that a slip is not only found but named; the last group checks the
// whole. Numbers, set and threshold stand in it; who holds it stands on the sheet only.
//
// Timing: arithmetic, writing and reading of letters take the same steps for every secret: no table is indexed by a
// secret byte and no branch depends on one. Where a share differs from what was expected may be seen.
// Threads: values and free functions, safe from any thread.
#pragma once

#include <optional>
#include <vector>

#include "base/random.h"
#include "base/secret.h"

namespace kustos::vault {

inline constexpr std::size_t kShareBytes = 32;
inline constexpr unsigned kMostShares = 16;
inline constexpr std::size_t kShareLetters = 80;  // of the text, spaces and line ends apart
inline constexpr std::size_t kShareLine = 20;     // letters in a printed line: four groups of five

struct Share {
    std::uint32_t set = 0;   // random, 24 bits: which set it belongs to
    unsigned threshold = 0;  // k: so many are needed
    unsigned count = 0;      // n: so many were made
    unsigned number = 0;     // 1 to n
    SecretBytes value;       // 32 bytes
};

// Code::usage: not 2 <= k <= n <= 16, or not 32 bytes. set: 24 bits.
Result<std::vector<Share>> split_secret(ByteView secret, unsigned threshold, unsigned count, std::uint32_t set,
                                        Random& random);
// From the first k of them; all are of one set and no number comes twice, else Code::usage. Whether they are genuine is
// not seen here: a wrong one gives another secret (ShareCollection finds it).
Result<SecretBytes> join_shares(const std::vector<Share>& shares);

// Four lines of four groups of five letters.
SecretBytes share_text(const Share& share);

// What is wrong with a text. line and group count from 1, as on the sheet; 0: not one place.
struct ShareSlip {
    enum class Kind {
        letter,   // a sign that no share has
        group,    // this group is not as it was printed
        length,   // letters are missing or too many; group: the first one that does not fit
        whole,    // every group fits, the whole does not
        version,  // of a later version, or no share of Kustos
    };
    Kind kind = Kind::whole;
    unsigned line = 0, group = 0;
};
struct ShareReading {
    std::optional<Share> share;
    ShareSlip slip;  // where there is no share
};
// Case, spaces, dashes and line ends do not count; O is read as 0, I and L as 1.
ShareReading read_share(ByteView text);

// Arithmetic of GF(2^8), for this and for tests: constant time.
std::uint8_t gf_multiply(std::uint8_t a, std::uint8_t b);
std::uint8_t gf_invert(std::uint8_t a);  // of 0: 0
struct GfPoint {
    std::uint8_t x = 0;  // no secret
    ByteView values;     // as many for each point
};
// The value at x of the polynomials through these points (Lagrange). No x comes twice.
SecretBytes gf_interpolate(const std::vector<GfPoint>& points, std::uint8_t x);

}  // namespace kustos::vault
