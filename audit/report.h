// What a verification found, for people and for programs (docs/format/report.md). Keys of the JSON form and problem
// codes are a contract.
//
//   ok       nothing was found broken
//   origin   whose ledger this is: unknown, pinned (the trust file names its key), witnessed
//   time     none, self (only the archive's own authority, or one that nobody vouches for), independent, qualified
//
// Threads: values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
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
    std::uint64_t size = 0;  // the time stamp covers the ledger's first so many entries
    std::string authority;
    UtcTime gen_time;
    TimeLevel level = TimeLevel::self;
};

struct Report {
    bool ok = true;
    Origin origin = Origin::unknown;
    TimeLevel time = TimeLevel::none;
    std::string subject;      // "bundle" or "archive"
    std::string fingerprint;  // of the ledger's verifier key, in groups of four; empty if no key was found
    std::map<std::string, std::uint64_t> checked;
    std::vector<std::string> not_checked;  // English; what this verdict does not say
    std::vector<Problem> problems;         // at most kMaxProblems; more are counted in checked["problems_left_out"]
    std::vector<ReportedAnchor> anchors;   // the first and the last kMaxAnchors / 2; checked["anchors"] counts all
    std::optional<UtcTime> proven_since;   // the earliest time of the best level
    std::uint64_t proven_size = 0;         // and what it covers

    // What the verdict is about: everything; only what was drawn; only what is new.
    std::string mode = "whole";    // or "sampled", "since"
    std::uint64_t since_size = 0;  // since: the size of the checkpoint that was verified earlier
    std::uint64_t sampled = 0;     // sampled: so many entries were drawn
    std::string nonce;             // sampled: and from what

    static constexpr std::size_t kMaxProblems = 200;
    static constexpr std::size_t kMaxAnchors = 200;
    // Control characters in where and text become '?': both may quote foreign names, and go to terminals.
    void problem(std::string code, std::string where, std::string text);
    void remark(std::string text);  // into not_checked, once
    void anchor(ReportedAnchor anchor);
    std::string headline(std::string_view language) const;  // "en" or "de"
    std::string to_json() const;                            // one line
    std::string to_text(std::string_view language) const;
};

// SHA-256 of a verifier key line, hex in groups of four.
std::string key_fingerprint(std::string_view vkey);
// One plain sentence for a problem code (also one of another program's), for people who don't know the format.
std::string_view explain(std::string_view code, std::string_view language);

}  // namespace kustos::audit
