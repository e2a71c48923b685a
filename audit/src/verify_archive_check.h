// One archive's verification: what was read so far and what must still come. One walk over the ledger, in order; each
// theme has its file: verify_begin.cpp (whose ledger it is, and where to begin), verify_published.cpp,
// verify_stamps.cpp, verify_walk.cpp (entries and tiles), verify_frames.cpp (ciphertext), verify_control.cpp (what
// control entries say about other files), verify_files.cpp (what nothing refers to). verify_archive.cpp says in which
// order. Threads: one, beside the workers of the lookahead.
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "audit/anchors.h"
#include "audit/entry.h"
#include "audit/judge_token.h"
#include "audit/key_history.h"
#include "audit/ledger.h"
#include "audit/src/verify_erasures.h"
#include "audit/src/verify_lookahead.h"
#include "audit/verify_archive.h"

namespace kustos::audit {

class ArchiveCheck {
public:
    ArchiveCheck(Fs& fs, const Path& dir, const VerifyOptions& options, bool live)
        : fs_(fs), dir_(dir), ledger_(dir / "ledger"), vault_(dir / "vault"), options_(options), live_(live) {
        report_.subject = "archive";
    }

    bool segments_changed() const;

    Verification run();

private:
    Status check();

    // --- going on from an earlier verification ---
    // The entries before are still those that were verified then: their root says so. Else everything is looked at.
    void go_on_from(const VerifiedState& state);
    // Keys that were announced before the walk begins: the entries of then say so.
    bool announced_before(const LedgerReader& reader, const VerifiedState& state) const;
    // The tree's left part, from its tiles. They are as true as the root that they lead to.
    bool begin_at(const LedgerReader& reader, std::uint64_t from);
    // Of an interrupted one: as far as it came. Where the next verification begins: at the last segment, or at the
    // newest time stamp's span if that is earlier.
    VerifiedState state() const;
    std::size_t expected_announcements() const;

    // The first entry says whose ledger it is. It is believed only as far as checkpoint and root agree with it.
    Status learn_identity();

    // Each later key is announced under the one before. One that is not counts for nothing, nor do those after it.
    void learn_history();

    Result<Bytes> read_bundle(std::uint64_t index);  // of the widest there is: only for entry 0

    Status list_published_checkpoints();
    struct Published {
        Hash note, root;
        std::uint64_t size = 0;
        std::string problem;
    };
    static std::string published_name(std::uint64_t size) { return "ledger/published/" + twelve_digits(size); }

    // The published note of this size, if it is there and signed. Read when it is needed, and kept for a while.
    const Published* published(std::uint64_t size);
    // What is wrong with a published note by itself; once.
    void judge_published(std::uint64_t size);
    // The walk has come to `size` entries, and a checkpoint of that size was published.
    void check_published(std::uint64_t size, const Hash& root);
    // Before something is said that may follow from it: causes are named first.
    void judge_all_published();

    // What witnesses have signed is the published note, and their signatures hold.
    void list_cosigned_checkpoints();

    // --- time stamps: each is judged when the walk has passed its span ---
    struct OpenSpan {
        Anchor anchor;
        ImprintBuilder imprint;
    };
    // A token is judged beside the walk: that takes half a millisecond.
    struct Judging {
        std::string where;
        AnchorSpan span;
        AnchorToken token;
        Hash imprint;
        Result<TokenVerdict> verdict = Error(Code::internal, "not judged");
        std::shared_ptr<Lookahead::Task> task;
    };

    Status list_spans();

    std::string where_of(const AnchorSpan& span) const { return "ledger/anchors/" + span.folder(); }

    // Spans that begin with this entry.
    void open_spans(std::uint64_t at);
    // Spans that end before this entry.
    void close_spans(std::uint64_t at);

    void expected_anchor_files(const std::string& where, const Anchor& anchor);
    // Files of a folder that nothing refers to. What a crash may leave behind is named, and no finding.
    void only(const Path& folder, const std::string& where, const std::function<bool(const std::string&)>& expected);
    void unreferenced(const std::string& where, const char* text);

    Status list_frames();

    // --- the walk: in order; what was computed ahead is taken where it is good news (verify_lookahead.h) ---
    void walk_entries();

    bool take_bundle(const LookedAt& b);

    // For a verification that goes on from here: what must be known where it begins.
    void take_snapshots(std::uint64_t first);

    // Of all full bundles and these leaves.
    Hash root_with(std::span<const Hash> leaves) const;

    void take_entry(const LookedAt& b, unsigned i, const std::string& bundle);
    static std::string name_of(EntryIndex index) { return "entry " + std::to_string(index.value); }

    void check_sequence(EntryIndex index, const EntryHeader& h);

    void count_all();

    // --- tiles: recomputed level by level and compared with the files ---
    struct Level {
        std::vector<Hash> hashes;
        std::uint64_t index = 0;
    };
    Level& at_level(unsigned level);
    void add_to_level(unsigned level, const Hash& hash);
    void compare_tile(unsigned level, std::uint64_t index, const std::vector<Hash>& hashes);
    void finish_tiles();

    // --- ciphertext ---
    std::optional<FramePlace> place() const;  // of the next frame
    void take_frame(EntryIndex index, const EntryHeader& h, bool holds, bool gone, const FramePlace& at);
    void count_frame(const EntryHeader& h);
    void next_segment();
    void check_frame(const EntryHeader& h, const std::string& where);

    bool hash_matches(File& file, std::uint64_t offset, std::uint64_t length, const Hash& wanted);

    void check_blob_file(EntryIndex index, const EntryHeader& h, const std::string& where);

    // A closed segment ends with its last frame; the open one is zero behind it.
    void close_segment();
    void finish_frames();

    // --- what control entries say about other files ---
    void take_control(EntryIndex index, const Entry& entry, const std::string& where);

    // A later generation has adopted what is in the boxes of those before: they may be gone.
    void check_box(const BodyReader& body, Tag number, const char* purpose, const std::string& where);
    void report_box(const std::string& name, const std::string& where);
    void judge_absent_boxes();

    // An entry names a token. Its span lies behind, so the token has been met, or is not there.
    void take_named_token(const BodyReader& body, const std::string& where);
    bool is_stored(std::uint64_t size, const Hash& hash);

    void finish_chain();

    // The walk has passed the span: what its tokens stamp is known. Which entry names them comes later in the ledger.
    void check_stamp(Anchor anchor, const Hash& imprint);
    // In order, until no more than `most` are under way.
    void report_stamps(std::size_t most);

    // Renewals of time stamps: computed anew from what they cover.
    void check_renewals();

    void judge_origin();

    void find_unreferenced();
    void walk_folder(const Path& folder, const std::string& name);

    // A tile or bundle of a ledger of this size.
    bool belongs(const std::string& relative) const;

    static constexpr std::uint64_t kNever = ~std::uint64_t{0};

    Fs& fs_;
    Path dir_, ledger_, vault_;
    const VerifyOptions& options_;
    bool live_;  // files beyond the checkpoint belong to a program that writes
    Report report_;
    std::optional<VerifierKey> key_;  // of entry 0
    std::optional<KeyHistory> history_;
    std::size_t rotations_ = 0, announced_ = 0;
    Hash root_so_far_;  // at a continuation
    std::optional<Hash> builtin_root_;
    std::vector<EntryIndex> continuations_;
    TreeSize size_, witnessed_;
    Hash root_;

    const VerifiedState* since_ = nullptr;  // of options_: where this verification goes on from
    std::uint64_t from_ = 0;                // the first entry that is looked at
    std::uint64_t frames_from_ = 0;         // the first one whose frame is
    struct Snapshot {
        std::uint64_t at = 0;
        std::map<std::uint32_t, std::uint64_t> sequences;
    };
    Snapshot at_segment_, at_anchor_;
    std::uint64_t at_next_anchor_ = 0;

    CompactRange tops_;        // of full bundles
    std::vector<Level> edge_;  // unfinished tiles
    std::uint64_t entries_ = 0, tiles_ = 0, frames_ = 0, blobs_ = 0, bytes_ = 0;

    std::vector<std::uint64_t> published_sizes_;
    std::size_t next_published_ = 0;
    std::map<std::uint64_t, Published> published_;  // the last used
    std::set<std::uint64_t> misjudged_;             // reported
    bool all_judged_ = false;
    std::set<std::uint64_t> unnamed_;  // met, and no entry has named them yet

    std::vector<AnchorSpan> spans_;     // by previous size
    std::vector<std::uint64_t> reach_;  // the largest size of spans_[0..i]
    std::size_t next_span_ = 0;
    std::list<OpenSpan> open_spans_;
    std::deque<std::unique_ptr<Judging>> judging_;
    std::uint64_t open_from_ = kNever, open_until_ = kNever;  // the next entry at which one begins, or has ended
    std::uint64_t newest_span_ = 0, named_sizes_ = 0;
    std::vector<std::uint64_t> missing_;  // sizes of tokens that entries name and that are not there
    TreeSize anchored_;
    struct MetToken {
        AnchorSpan span;
        unsigned number = 0;
        std::string authority;
    };
    std::map<std::pair<std::uint64_t, Hash>, MetToken> met_;  // size, hash of the DER; no entry has named them yet
    ErasureJudge judge_{fs_, dir_, report_};
    struct AbsentBox {
        std::string name, where;
        std::uint32_t generation = 0;
    };
    std::vector<AbsentBox> absent_boxes_;
    std::optional<std::pair<std::uint32_t, Hash>> generation_;
    std::map<std::uint32_t, std::vector<std::pair<Hash, Hash>>> renewals_;  // by number: manifest, token
    std::set<std::uint32_t> sources_;
    std::map<std::uint32_t, std::uint64_t> sequence_;
    std::vector<EntryIndex> segments_;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> segment_sizes_;  // of the closed ones, when it began
    std::set<std::uint64_t> blob_files_;
    std::size_t segment_ = 0;
    std::unique_ptr<File> file_;
    std::string segment_name_;
    std::uint64_t segment_end_ = 0, offset_ = 0;
    bool missing_reported_ = false;
    bool complete_ = false, interrupted_ = false;
    bool signed_ = false;  // the checkpoint, by key_
    Bytes buffer_;
    std::optional<Lookahead> lookahead_;  // last: its threads end before what they use
};

}  // namespace kustos::audit
