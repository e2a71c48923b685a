// What a verification found, for people and for programs (docs/format/report.md). Keys of the JSON form, problem codes
// and remark codes are a contract.
//
//   ok       nothing was found broken
//   origin   whose ledger this is: unknown, pinned (the trust file names its key), witnessed
//   time     none, self (only the archive's own authority, or one that nobody vouches for), independent, qualified
//
// Texts for people in both languages: report_text.h. As a page: report_html.h. Threads: values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace kustos::audit {

enum class Origin { unknown, pinned, witnessed };
enum class TimeLevel { none, self, independent, qualified };
std::string_view origin_name(Origin origin);
std::string_view time_name(TimeLevel level);

struct Problem {
    std::string code;   // stable: "bundle.signature", "ledger.tile", "anchor.token", ...
    std::string where;  // file or entry
    std::string text;   // English, for people; in German: problem_text() of report_text.h
};

// What a verdict does not say, and is no fault. The values fill the sentence's gaps, in the order of its English form.
enum class RemarkCode {
    other,              // text: the sentence itself, in English
    not_decrypted,      // nothing was opened, so plaintext was not compared
    pages,              // pages of a bundle are not compared with its records
    coverage,           // a bundle does not prove that the query's answer is complete
    untied_attachment,  // no disclosed field names an attachment's hash
    authority_unknown,  // no trust file names the time-stamping authority
    trust_unsigned,     // a signed trust file whose signature nobody asked for
    keys_absent,        // no keys/ beside the ledger
    newer_files,        // a program wrote meanwhile
    entry_to_come,      // file: the entry that names it is still to come
    leftover,           // file: of an interrupted write
    interrupted_store,  // folder: an anchor without note or token
    entries_lost,       // entry, number: a continuation that lost so many
    continued,          // entry: a continuation
    unwitnessed,        // number: entries that no witness has seen
    verified_before,    // number: of the first entries only the root was compared
    state_set_aside,    // an earlier verification to go on from had another trust file
    older_span,         // folder: a time stamp over entries that were verified before
    later_token,        // number: of entries, that it stamps; it came after they were verified
    interrupted,        // number: of entries that were looked at
    announced_only,     // entry: a key that it announces is not in use
    only_drawn,         // a sample: nothing else was looked at
    nothing_drawn,      // a sample of content: nothing could be opened
    erasure_begun,      // entry: an erasure that begins there is not finished
    report_content,     // a signed report: whether what it says is right
};
struct Remark {
    RemarkCode code = RemarkCode::other;
    std::vector<std::string> values;
    bool operator==(const Remark&) const = default;
};

struct ReportedAnchor {
    std::uint64_t size = 0;  // the time stamp covers the ledger's first so many entries
    std::string authority;
    UtcTime gen_time;
    TimeLevel level = TimeLevel::self;
};

// Erasures that the ledger says are finished, by how far each has come.
struct ReportedErasures {
    std::uint64_t runs = 0, contents = 0;  // contents: entries whose keys were destroyed
    std::uint64_t unreadable = 0, terms_gone = 0, ciphertext_gone = 0, final_ = 0;
};

struct Report {
    bool ok = true;
    Origin origin = Origin::unknown;
    TimeLevel time = TimeLevel::none;
    std::string subject;      // "bundle", "archive" or "report"
    std::string reported;     // what a report says: "ok", "problems", ...; else empty
    std::string fingerprint;  // of the ledger's verifier key, in groups of four; empty if no key was found
    std::map<std::string, std::uint64_t> checked;
    std::vector<Remark> remarks;          // at most kMaxProblems
    std::vector<Problem> problems;        // at most kMaxProblems; more are counted in checked["problems_left_out"]
    std::vector<ReportedAnchor> anchors;  // the first and the last kMaxAnchors / 2; checked["anchors"] counts all
    std::optional<UtcTime> proven_since;  // the earliest time of the best level
    std::uint64_t proven_size = 0;        // and what it covers
    ReportedErasures erasures;            // of an archive

    // What the verdict is about: everything; only what was drawn; only what is new.
    std::string mode = "whole";     // or "sampled", "since"
    std::uint64_t since_size = 0;   // since: the size of the checkpoint that was verified earlier
    std::uint64_t sampled = 0;      // sampled: so many entries were drawn
    std::string nonce;              // sampled: and from what
    std::uint64_t passed_over = 0;  // sampled: erased entries that were drawn, and others in their place
    std::uint64_t size = 0;         // entries under the checkpoint that was verified; 0: not known
    std::optional<Hash> root;       // its root

    static constexpr std::size_t kMaxProblems = 200;
    static constexpr std::size_t kMaxAnchors = 200;
    // Control characters in where and text become '?': both may quote foreign names, and go to terminals.
    void problem(std::string code, std::string where, std::string text);
    void remark(RemarkCode code, std::vector<std::string> values = {});  // once
    // The English sentence of one of the codes above; one of no code is kept as `other`.
    void remark(std::string_view sentence);
    void retract(RemarkCode code);  // it was checked after all
    void anchor(ReportedAnchor anchor);
    std::vector<std::string> not_checked(std::string_view language = "en") const;  // the remarks as sentences
    std::string headline(std::string_view language) const;                         // "en" or "de"
    std::string to_json() const;                                                   // one line
    std::string to_text(std::string_view language) const;
};

// SHA-256 of a verifier key line, hex in groups of four.
std::string key_fingerprint(std::string_view vkey);
// One plain sentence for a problem code (also one of another program's), for people who don't know the format.
std::string_view explain(std::string_view code, std::string_view language);

}  // namespace kustos::audit
