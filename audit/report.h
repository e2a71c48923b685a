// What a verification found, for people and for programs. Keys of the JSON form are a contract.
//
//   ok       nothing was found broken
//   origin   whose ledger this is: unknown, pinned (the trust file names its key), witnessed
//   time     none, self (only the archive's own authority, or one that nobody vouches for), independent, qualified
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace kustos::audit {

enum class Origin { unknown, pinned, witnessed };
enum class TimeLevel { none, self, independent, qualified };
std::string_view origin_name(Origin origin);
std::string_view time_name(TimeLevel level);

struct Problem {
    std::string code;   // stable: "bundle.signature", "ledger.tile", "anchor.token", ...
    std::string where;  // file or entry
    std::string text;   // English, for people
};

struct ReportedAnchor {
    std::uint64_t size = 0;
    std::string authority;
    UtcTime gen_time;
    TimeLevel level = TimeLevel::self;
};

struct Report {
    bool ok = true;
    Origin origin = Origin::unknown;
    TimeLevel time = TimeLevel::none;
    std::string subject;      // "bundle" or "archive"
    std::string fingerprint;  // of the ledger's verifier key, in groups of four
    std::map<std::string, std::uint64_t> checked;
    std::vector<std::string> not_checked;
    std::vector<Problem> problems;  // at most kMaxProblems; more are counted in checked["problems_left_out"]
    std::vector<ReportedAnchor> anchors;
    std::optional<UtcTime> proven_since;  // by the best anchor

    static constexpr std::size_t kMaxProblems = 200;
    void problem(std::string code, std::string where, std::string text);
    std::string headline(std::string_view language) const;  // "en" or "de"
    std::string to_json() const;                            // one line
    std::string to_text(std::string_view language) const;
};

// SHA-256 of a verifier key line, hex in groups of four.
std::string key_fingerprint(std::string_view vkey);

}  // namespace kustos::audit
