#include "audit/verify_archive.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "audit/anchors.h"
#include "audit/entry.h"
#include "audit/judge_token.h"
#include "audit/key_history.h"
#include "audit/ledger.h"
#include "audit/renewal.h"
#include "audit/segment.h"
#include "audit/src/token_folder.h"
#include "audit/src/verify_erasures.h"
#include "audit/src/verify_lookahead.h"

namespace kustos::audit {

namespace {

constexpr std::size_t kPiece = 1u << 20;
constexpr std::size_t kMostOpenSpans = 64;    // time stamps whose spans overlap
constexpr std::size_t kMostJudging = 256;     // tokens, beside the walk
constexpr std::size_t kKeptPublished = 1024;  // notes of published checkpoints
constexpr unsigned kMostThreads = 8;
constexpr int kMostLooks = 3;

// "x.tmp" and "x.tmp123-4": names under which files are written before they get their own.
bool is_temporary(std::string_view name) {
    const std::size_t at = name.rfind(".tmp");
    return at != std::string_view::npos &&
           name.substr(at + 4).find_first_not_of("0123456789-") == std::string_view::npos;
}

// One archive's verification: what was read so far and what must still come.
class ArchiveCheck {
public:
    ArchiveCheck(Fs& fs, const Path& dir, const VerifyOptions& options, bool live)
        : fs_(fs), dir_(dir), ledger_(dir / "ledger"), vault_(dir / "vault"), options_(options), live_(live) {
        report_.subject = "archive";
    }

    bool segments_changed() const {
        const auto now = list_segments(fs_, vault_);
        if (!now.ok()) return false;
        for (const auto& [first, size] : segment_sizes_) {
            const auto file = fs_.open(segment_file(vault_, EntryIndex(first)), OpenMode::read);
            const auto there = file.ok() ? (*file)->size() : Result<std::uint64_t>(file.error());
            if (there.ok() && *there < size) return true;
        }
        return false;
    }

    Verification run() {
        const Status done = check();
        if (!done.ok()) report_.problem("archive.unreadable", "archive", done.error().message());
        Verification v;
        if (done.ok() && (complete_ || interrupted_) && report_.ok && !live_) {
            VerifiedState kept = state();
            if (judge_.put_into(kept, kept.resume, interrupted_)) v.state = std::move(kept);
        }
        v.report = std::move(report_);
        v.interrupted = interrupted_;
        return v;
    }

private:
    Status check() {
        const std::string note = TRY_IN("ledger/checkpoint", read_note(fs_, checkpoint_file(ledger_)));
        const Status learned = learn_identity();
        if (!learned.ok()) {
            if (learned.error().code() == Code::not_found || learned.error().code() == Code::environment)
                return learned;
            report_.problem("ledger.entries", "entry 0", learned.error().message());
            return {};  // no key, so nothing else can be judged
        }
        learn_history();
        const auto head = history_->open(as_bytes(note));
        if (!head.ok()) {
            report_.problem("checkpoint", "ledger/checkpoint", head.error().message());
            // Unsigned or not: its size still says how far to look.
            const auto parsed = parse_note(as_bytes(note));
            if (!parsed.ok()) return {};
            const auto unsigned_head = parse_checkpoint(parsed->text);
            if (!unsigned_head.ok()) return {};
            size_ = unsigned_head->size;
            root_ = unsigned_head->root;
        } else {
            size_ = head->checkpoint.size;
            root_ = head->checkpoint.root;
            signed_ = true;
            report_.checked["checkpoints"] += 1;
        }
        report_.size = size_.value;
        report_.root = root_;
        judge_.begin(size_, 0);
        if (options_.since) go_on_from(*options_.since);
        TRY(list_published_checkpoints());
        list_cosigned_checkpoints();
        TRY(list_spans());
        TRY(list_frames());
        walk_entries();
        report_stamps(0);
        if (!interrupted_) judge_.judge(segments_);
        judge_.tell();
        count_all();
        if (interrupted_) return {};
        finish_tiles();
        finish_frames();
        finish_chain();
        check_renewals();
        if (complete_ && announced_ != expected_announcements())
            report_.problem("key.rotation", "ledger/rotations", "the ledger does not announce these keys");
        judge_origin();
        if (!live_) find_unreferenced();
        report_.remark(RemarkCode::not_decrypted);
        return {};
    }

    // --- going on from an earlier verification ---
    // The entries before are still those that were verified then: their root says so. Else everything is looked at.
    void go_on_from(const VerifiedState& state) {
        if (state.vkey != key_->format()) {
            report_.problem("ledger.rewritten", "ledger", "is another one than an earlier verification saw");
            return;
        }
        const LedgerReader reader(fs_, ledger_, size_, BundleCheck::none);
        const auto root = state.size <= size_ ? reader.root(state.size) : Result<Hash>(Error(Code::usage, ""));
        if (!root.ok() || !(*root == state.root)) {
            report_.problem("ledger.rewritten", "ledger",
                            "the first " + std::to_string(state.size.value) +
                                " entries are not those that an earlier verification saw");
            return;
        }
        if (!(state.trust == options_.trust_digest)) {
            report_.remark(RemarkCode::state_set_aside);
            return;
        }
        if (!begin_at(reader, state.resume)) return;
        if (!announced_before(reader, state)) {
            report_.problem("key.rotation", "ledger/rotations", "the ledger does not announce these keys");
            return;
        }
        judge_.begin(size_, state.resume);
        if (!judge_.go_on_from(state)) {
            judge_.begin(size_, 0);
            tops_ = {};
            edge_.clear();
            report_.problem("ledger.rewritten", "ledger",
                            "the first " + std::to_string(state.size.value) +
                                " entries are not those that an earlier verification saw");
            return;
        }
        generation_ = judge_.generation_before();
        since_ = &state;
        from_ = state.resume;
        frames_from_ = state.segment;
        anchored_ = state.anchored;
        at_segment_ = at_anchor_ = {from_, state.sequences};
        sequence_.insert(state.sequences.begin(), state.sequences.end());
        for (const auto& [source, next] : state.sequences) sources_.insert(source);
        report_.mode = "since";
        report_.since_size = state.size.value;
        report_.checked["entries_verified_before"] = from_;
        if (state.time != TimeLevel::none) {
            report_.time = state.time;
            report_.proven_since = state.proven_since;
            report_.proven_size = state.proven_size;
        }
    }
    // Keys that were announced before the walk begins: the entries of then say so.
    bool announced_before(const LedgerReader& reader, const VerifiedState& state) const {
        for (const KeyHistory::Step& step : history_->steps()) {
            if (step.proven.value == 0 || step.entry.value >= state.resume) continue;
            const auto proof = reader.proof(step.entry, state.size);
            if (!proof.ok() || !verify_inclusion(step.entry, state.size, step.leaf, *proof, state.root).ok())
                return false;
        }
        return true;
    }
    // The tree's left part, from its tiles. They are as true as the root that they lead to.
    bool begin_at(const LedgerReader& reader, std::uint64_t from) {
        const NodeSource nodes = reader.node_source();
        std::vector<Hash> peaks;
        const std::uint64_t tiles = from / kTileWidth;
        std::uint64_t done = 0;
        for (int bit = 63; bit >= 0; --bit) {
            if ((tiles >> bit & 1) == 0) continue;
            const auto node = nodes(static_cast<unsigned>(bit) + kTileHeight, done >> bit);
            if (!node.ok()) return false;
            peaks.push_back(*node);
            done += std::uint64_t{1} << bit;
        }
        auto range = CompactRange::from(TreeSize(tiles), std::move(peaks));
        if (!range.ok()) return false;
        std::vector<Level> edge(1);
        edge[0].index = tiles;
        for (unsigned level = 1; tiles >> (kTileHeight * (level - 1)) != 0; ++level) {
            const std::uint64_t count = tiles >> (kTileHeight * (level - 1));
            Level l;
            l.index = count / kTileWidth;
            for (std::uint64_t i = l.index * kTileWidth; i < count; ++i) {
                const auto node = nodes(level * kTileHeight, i);
                if (!node.ok()) return false;
                l.hashes.push_back(*node);
            }
            edge.push_back(std::move(l));
        }
        tops_ = std::move(*range);
        edge_ = std::move(edge);
        return true;
    }
    // Of an interrupted one: as far as it came. Where the next verification begins: at the last segment, or at the
    // newest time stamp's span if that is earlier.
    VerifiedState state() const {
        VerifiedState s;
        s.vkey = key_->format();
        s.trust = options_.trust_digest;
        s.size = interrupted_ ? TreeSize(tops_.size().value * kTileWidth) : size_;
        s.root = interrupted_ ? tops_.root() : root_;
        if (since_ != nullptr && s.size < since_->size) {  // interrupted before it had come as far again
            s.size = since_->size;
            s.root = since_->root;
        }
        const Snapshot& snapshot = at_segment_.at < at_anchor_.at ? at_segment_ : at_anchor_;
        s.resume = snapshot.at;
        const std::size_t begun = interrupted_ ? segment_ : segments_.size();
        s.segment = std::max(frames_from_, begun == 0 ? 0 : segments_[begun - 1].value);
        s.sequences = snapshot.sequences;
        s.anchored = anchored_;
        s.time = report_.time;
        s.proven_since = report_.proven_since;
        s.proven_size = report_.proven_size;
        return s;
    }
    std::size_t expected_announcements() const {
        std::size_t count = 0;
        for (const KeyHistory::Step& step : history_->steps())
            count += step.proven.value != 0 && step.entry.value >= from_ ? 1 : 0;
        return count;
    }

    // The first entry says whose ledger it is. It is believed only as far as checkpoint and root agree with it.
    Status learn_identity() {
        const Bytes bundle = TRY_IN("ledger/tile/entries", read_bundle(0));
        ByteReader in(bundle);
        const ByteView bytes = TRY(in.take(TRY(in.u16())));
        const Entry entry = TRY_IN("entry 0", decode_entry(bytes));
        const BodyReader body = TRY(BodyReader::parse(entry.body));
        const auto vkey = body.find_text(Tag::vkey), origin = body.find_text(Tag::origin);
        const auto vault = body.find_bytes(Tag::vault_id);
        if (control_action(entry) != ControlAction::archive_created || !vkey || !origin || !vault ||
            vault->size() != VaultId::kSize) {
            return Error(Code::corrupt, "entry 0 does not introduce an archive");
        }
        key_ = TRY_IN("entry 0", VerifierKey::parse(*vkey));
        if (key_->name != *origin || *origin != origin_of(TRY(VaultId::from(*vault))))
            report_.problem("ledger.entries", "entry 0", "origin, key and vault id do not belong together");
        builtin_root_ = body.find_hash(Tag::tsa_root_hash);
        report_.fingerprint = key_fingerprint(key_->format());
        return {};
    }

    // Each later key is announced under the one before. One that is not counts for nothing, nor do those after it.
    void learn_history() {
        history_.emplace(*key_);
        const auto continuations = read_continuations(fs_, ledger_);
        if (!continuations.ok()) {
            report_.problem("ledger.continuation", "ledger/continuations", continuations.error().message());
            return;
        }
        const auto rotations = read_rotations(fs_, ledger_);
        if (!rotations.ok()) {
            report_.problem("key.rotation", "ledger/rotations", rotations.error().message());
            return;
        }
        const Status added = add_all(*history_, *rotations, *continuations);
        for (const KeyHistory::Step& step : history_->steps()) {
            if (step.proven.value == 0) continue;
            if (step.continuation) {
                report_.checked["continuations"] += 1;
            } else {
                rotations_ += 1;
                report_.checked["rotations"] += 1;
            }
        }
        if (!added.ok()) report_.problem("key.rotation", "ledger/rotations", added.error().message());
        for (const KeyHistory::Step& step : history_->steps()) {
            if (step.continuation) continuations_.push_back(step.entry);
        }
        report_.fingerprint = key_fingerprint(history_->first().format());
    }

    Result<Bytes> read_bundle(std::uint64_t index) {  // of the widest there is: only for entry 0
        for (unsigned w = kTileWidth; w > 0; --w) {
            auto bytes = read_file(fs_, ledger_ / bundle_path(index, w), kMaxBundleFile);
            if (bytes.ok() || bytes.error().code() != Code::not_found) return bytes;
        }
        return Error(Code::not_found, "the file is missing");
    }

    Status list_published_checkpoints() {
        auto sizes = list_published(fs_, ledger_);
        if (!sizes.ok()) {
            report_.problem("checkpoint.published", "ledger/published", sizes.error().message());
            return {};
        }
        for (const TreeSize size : *sizes) {
            if (size.value > size_.value) {
                if (!live_)
                    report_.problem("checkpoint.published", published_name(size.value),
                                    "claims more entries than the ledger has");
            } else if (size.value >= from_) {
                published_sizes_.push_back(size.value);
            }
        }
        return {};
    }
    struct Published {
        Hash note, root;
        std::uint64_t size = 0;
        std::string problem;
    };
    static std::string published_name(std::uint64_t size) { return "ledger/published/" + twelve_digits(size); }

    // The published note of this size, if it is there and signed. Read when it is needed, and kept for a while.
    const Published* published(std::uint64_t size) {
        if (const auto found = published_.find(size); found != published_.end()) {
            return found->second.problem.empty() ? &found->second : nullptr;
        }
        if (published_.size() >= kKeptPublished) published_.erase(published_.begin());
        Published& p = published_[size];
        const auto note = read_note(fs_, published_file(ledger_, TreeSize(size)));
        if (!note.ok()) {
            p.problem = note.error().message();
            return nullptr;
        }
        p.note = sha256(as_bytes(*note));
        const auto opened = history_->open(as_bytes(*note));
        if (!opened.ok()) {
            p.problem = opened.error().message();
            return nullptr;
        }
        p.root = opened->checkpoint.root;
        p.size = opened->checkpoint.size.value;
        return &p;
    }
    // What is wrong with a published note by itself; once.
    void judge_published(std::uint64_t size) {
        const Published* p = published(size);
        const char* text = p == nullptr      ? published_[size].problem.c_str()
                           : p->size != size ? "states another size than its name"
                                             : nullptr;
        if (text != nullptr && misjudged_.insert(size).second)
            report_.problem("checkpoint.published", published_name(size), text);
    }
    // The walk has come to `size` entries, and a checkpoint of that size was published.
    void check_published(std::uint64_t size, const Hash& root) {
        judge_published(size);
        const Published* p = published(size);
        if (p == nullptr) return;
        if (!(p->root == root))
            report_.problem("checkpoint.published", published_name(size),
                            "states a root that the entries do not lead to");
        report_.checked["checkpoints"] += 1;
        unnamed_.insert(size);
    }
    // Before something is said that may follow from it: causes are named first.
    void judge_all_published() {
        if (std::exchange(all_judged_, true)) return;  // thousands may follow from it, and each needs the disk
        for (const std::uint64_t size : published_sizes_) judge_published(size);
    }

    // What witnesses have signed is the published note, and their signatures hold.
    void list_cosigned_checkpoints() {
        const auto sizes = list_cosigned(fs_, ledger_);
        if (!sizes.ok()) {
            report_.problem("witness.note", "ledger/cosigned", sizes.error().message());
            return;
        }
        for (const TreeSize size : *sizes) {
            const std::string where = "ledger/cosigned/" + twelve_digits(size.value);
            if (size.value < from_ || (live_ && size > size_)) continue;
            const auto text = read_note(fs_, cosigned_file(ledger_, size));
            const auto opened = text.ok() ? history_->open(as_bytes(*text)) : Result<KeyHistory::Opened>(text.error());
            const auto first =
                opened.ok() ? as_first_published(as_bytes(*text), opened->key) : Result<std::string>(opened.error());
            const Published* note = size <= size_ ? published(size.value) : nullptr;
            if (!first.ok() || note == nullptr || !(note->note == sha256(as_bytes(*first)))) {
                judge_all_published();
                report_.problem("witness.note", where, "is not the published checkpoint");
                continue;
            }
            if (!options_.trust || options_.trust->witnesses.empty()) continue;
            const auto held = verify_cosignatures(*parse_note(as_bytes(*text)), options_.trust->witness_keys());
            if (!held.ok()) {
                report_.problem("witness.cosignature", where, held.error().message());
                continue;
            }
            report_.checked["cosignatures"] += held->size();
            if (options_.trust->witnessed(*held)) witnessed_ = std::max(witnessed_, size);
        }
    }

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

    Status list_spans() {
        if (!fs_.exists(ledger_ / "anchors")) return {};
        const auto names = fs_.list(ledger_ / "anchors");
        if (!names.ok()) {
            report_.problem("anchor.token", "ledger/anchors", names.error().message());
            return {};
        }
        for (const std::string& name : *names) {
            const auto span = AnchorSpan::parse(name);
            if (!span.ok()) {
                unreferenced("ledger/anchors/" + name, "is no anchor's folder");
            } else if (span->size.value > size_.value) {
                if (!live_)
                    report_.problem("anchor.imprint", "ledger/anchors/" + name,
                                    "stamps more entries than the ledger has");
            } else {
                newest_span_ = std::max(newest_span_, span->size.value);
                if (span->previous.value >= from_) {
                    spans_.push_back(*span);
                } else if (since_ != nullptr && span->size > since_->anchored) {
                    report_.remark(RemarkCode::older_span, {"ledger/anchors/" + name});
                }
            }
        }
        std::sort(spans_.begin(), spans_.end());
        std::uint64_t reach = 0;
        for (const AnchorSpan& span : spans_) reach_.push_back(reach = std::max(reach, span.size.value));
        if (!spans_.empty()) open_from_ = spans_.front().previous.value;
        return {};
    }

    std::string where_of(const AnchorSpan& span) const { return "ledger/anchors/" + span.folder(); }

    // Spans that begin with this entry.
    void open_spans(std::uint64_t at) {
        for (; next_span_ < spans_.size() && spans_[next_span_].previous.value <= at; ++next_span_) {
            const AnchorSpan& span = spans_[next_span_];
            auto anchor = AnchorStore(fs_, ledger_).read(span);
            const std::string where = where_of(span);
            if (!anchor.ok() && anchor.error().code() == Code::not_found) {
                report_.remark(where + ": an interrupted store, without note or token");
                continue;
            }
            if (!anchor.ok()) {
                report_.problem("anchor.token", where, anchor.error().message());
                continue;
            }
            if (open_spans_.size() >= kMostOpenSpans) {
                report_.problem("anchor.token", where, "overlaps too many others");
                continue;
            }
            expected_anchor_files(where, *anchor);
            const Hash digest = sha256(anchor->note);
            const Published* note = published(span.size.value);
            if (note == nullptr || !(note->note == digest)) {
                judge_all_published();
                report_.problem("anchor.imprint", where + "/note", "is not the published checkpoint");
            }
            open_spans_.push_back({std::move(*anchor), ImprintBuilder(digest)});
        }
        open_until_ = kNever;
        for (const OpenSpan& s : open_spans_) open_until_ = std::min(open_until_, s.anchor.span.size.value);
        open_from_ = next_span_ < spans_.size() ? spans_[next_span_].previous.value : kNever;
    }
    // Spans that end before this entry.
    void close_spans(std::uint64_t at) {
        for (auto s = open_spans_.begin(); s != open_spans_.end();) {
            if (s->anchor.span.size.value > at) {
                ++s;
                continue;
            }
            check_stamp(std::move(s->anchor), s->imprint.root());
            s = open_spans_.erase(s);
        }
    }

    void expected_anchor_files(const std::string& where, const Anchor& anchor) {
        std::set<std::string> expected = {"note"};
        for (const AnchorToken& t : anchor.tokens) {
            expected.insert(std::to_string(t.number) + ".der");
            expected.insert(std::to_string(t.number) + ".authority");
        }
        only(ledger_ / "anchors" / anchor.span.folder(), where,
             [&](const std::string& n) { return expected.count(n) != 0; });
    }
    // Files of a folder that nothing refers to. What a crash may leave behind is named, and no finding.
    void only(const Path& folder, const std::string& where, const std::function<bool(const std::string&)>& expected) {
        if (live_ || !fs_.exists(folder)) return;
        const auto names = fs_.list(folder);
        if (!names.ok()) {
            report_.problem("archive.unreadable", where, names.error().message());
            return;
        }
        for (const std::string& n : *names) {
            if (!expected(n)) unreferenced(where + "/" + n, "nothing refers to it");
        }
    }
    void unreferenced(const std::string& where, const char* text) {
        if (live_) return;
        if (is_temporary(where)) {
            report_.remark(where + ": left behind by an interrupted write");
        } else {
            report_.problem("file.unreferenced", where, text);
        }
    }

    Status list_frames() {
        auto segments = list_segments(fs_, vault_);
        auto blobs = list_blobs(fs_, vault_);
        if (!segments.ok()) report_.problem("vault.segment", "vault/segments", segments.error().message());
        if (!blobs.ok()) report_.problem("vault.blob", "vault/blobs", blobs.error().message());
        if (segments.ok()) segments_ = std::move(*segments);
        for (std::size_t i = 0; i + 1 < segments_.size(); ++i) {  // the last one's size changes with every batch
            const auto file = fs_.open(segment_file(vault_, segments_[i]), OpenMode::read);
            const auto size = file.ok() ? (*file)->size() : Result<std::uint64_t>(file.error());
            if (size.ok()) segment_sizes_.emplace_back(segments_[i].value, *size);
        }
        if (blobs.ok()) {
            for (const EntryIndex b : *blobs) {
                if (b.value >= frames_from_) blob_files_.insert(b.value);
            }
        }
        while (segment_ < segments_.size() && segments_[segment_].value < frames_from_) ++segment_;
        return {};
    }

    // --- the walk: in order; what was computed ahead is taken where it is good news (verify_lookahead.h) ---
    void walk_entries() {
        LookaheadOptions ahead;
        ahead.size = size_;
        ahead.from = from_;
        ahead.live = live_;
        ahead.threads = options_.threads != 0 ? options_.threads - 1
                                              : std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads);
        ahead.stamped = [this](std::uint64_t first) {  // a span holds some of this bundle
            const auto behind =
                std::lower_bound(spans_.begin(), spans_.end(), first + kTileWidth,
                                 [](const AnchorSpan& span, std::uint64_t at) { return span.previous.value < at; });
            return behind != spans_.begin() && reach_[static_cast<std::size_t>(behind - spans_.begin()) - 1] > first;
        };
        lookahead_.emplace(fs_, dir_, segments_, std::move(ahead));
        while (const auto bundle = lookahead_->next(place())) {
            if (options_.stop && options_.stop()) {
                interrupted_ = true;
                report_.remark(RemarkCode::interrupted, {std::to_string(bundle->first)});
                return;
            }
            if (!take_bundle(*bundle)) return;  // without entries nothing later can be told
            if (options_.progress) options_.progress(bundle->first + bundle->width - from_, size_.value - from_);
        }
        complete_ = true;
    }

    bool take_bundle(const LookedAt& b) {
        const std::string where = "ledger/" + bundle_path(b.first / kTileWidth, b.width);
        if (!b.file.ok()) {
            report_.problem("ledger.entries", where, b.file.error().message());
            return false;
        }
        take_snapshots(b.first);
        for (unsigned i = 0; i < b.entries.size(); ++i) take_entry(b, i, where);
        if (b.entries.size() < b.width) {
            report_.problem("ledger.entries", where, "ends in the middle of an entry");
            return false;
        }
        if (b.trailing && !live_) report_.problem("ledger.entries", where, "has bytes after its last entry");
        if (b.width == kTileWidth) {
            if (b.tile_holds) {
                ++tiles_;
            } else {
                compare_tile(0, b.first / kTileWidth, b.leaves);
            }
            tops_.append(b.top);
            add_to_level(1, b.top);
        } else {
            at_level(0) = {b.leaves, b.first / kTileWidth};
        }
        return true;
    }

    // For a verification that goes on from here: what must be known where it begins.
    void take_snapshots(std::uint64_t first) {
        if (first >= at_next_anchor_ || first == from_) {
            at_anchor_ = {first, sequence_};
            const auto next = std::upper_bound(reach_.begin(), reach_.end(), first + kTileWidth - 1);
            at_next_anchor_ = next == reach_.end() ? kNever : *next / kTileWidth * kTileWidth;
        }
        const auto next = std::lower_bound(segments_.begin(), segments_.end(), EntryIndex(first));
        if (first == from_ || (next != segments_.end() && next->value < first + kTileWidth))
            at_segment_ = {first, sequence_};
    }

    // Of all full bundles and these leaves.
    Hash root_with(std::span<const Hash> leaves) const {
        CompactRange rest;
        for (const Hash& leaf : leaves) rest.append(leaf);
        return joined_root(tops_, rest);
    }

    void take_entry(const LookedAt& b, unsigned i, const std::string& bundle) {
        const EntryIndex index(b.first + i);
        ++entries_;
        if (index.value >= open_until_) {
            close_spans(index.value);
            open_until_ = kNever;
            for (const OpenSpan& s : open_spans_) open_until_ = std::min(open_until_, s.anchor.span.size.value);
        }
        if (index.value >= open_from_) open_spans(index.value);
        if (next_published_ < published_sizes_.size() && published_sizes_[next_published_] <= index.value) {
            if (published_sizes_[next_published_] == index.value)
                check_published(index.value, root_with(std::span(b.leaves).first(i)));
            ++next_published_;
        }
        for (const EntryIndex continuation : continuations_) {
            if (continuation == index) root_so_far_ = root_with(std::span(b.leaves).first(i));
        }
        if (!b.headers[i]) {
            const auto entry = decode_entry(b.entries[i]);
            report_.problem("ledger.entries", bundle + " (" + name_of(index) + ")",
                            entry.ok() ? "is not well-formed" : entry.error().message());
            return;
        }
        const EntryHeader& h = *b.headers[i];
        for (OpenSpan& s : open_spans_) {
            if (s.anchor.span.covers(index)) s.imprint.add(b.groups[i]);
        }
        check_sequence(index, h);
        judge_.take_entry(index, h);
        take_frame(index, h, b.frame_holds[i], b.frame_gone[i], b.frame_at[i]);
        if (h.kind == Kind::control) take_control(index, *decode_entry(b.entries[i]), name_of(index));
        if (h.kind == Kind::erasure) judge_.take_erasure(index, *decode_entry(b.entries[i]));
    }
    static std::string name_of(EntryIndex index) { return "entry " + std::to_string(index.value); }

    void check_sequence(EntryIndex index, const EntryHeader& h) {
        if (h.source.value != 0 && sources_.count(h.source.value) == 0)
            report_.problem("ledger.sequence", name_of(index), "names a source that no earlier entry introduced");
        std::uint64_t& next = sequence_[h.source.value];
        if (h.sequence != next)
            report_.problem(
                "ledger.sequence", name_of(index),
                "has number " + std::to_string(h.sequence) + " of its source, " + std::to_string(next) + " is due");
        next = h.sequence + 1;
    }

    void count_all() {
        const auto put_count = [this](const char* name, std::uint64_t n) {
            if (n != 0) report_.checked[name] += n;
        };
        put_count("entries", entries_);
        put_count("tiles", tiles_);
        put_count("frames", frames_);
        put_count("blobs", blobs_);
        put_count("bytes", bytes_);
    }

    // --- tiles: recomputed level by level and compared with the files ---
    struct Level {
        std::vector<Hash> hashes;
        std::uint64_t index = 0;
    };
    Level& at_level(unsigned level) {
        if (edge_.size() <= level) edge_.resize(level + 1);
        return edge_[level];
    }
    void add_to_level(unsigned level, const Hash& hash) {
        at_level(level).hashes.push_back(hash);
        if (edge_[level].hashes.size() < kTileWidth) return;
        compare_tile(level, edge_[level].index, edge_[level].hashes);
        const Hash top = root_of(edge_[level].hashes);
        edge_[level].hashes.clear();
        ++edge_[level].index;
        add_to_level(level + 1, top);
    }
    void compare_tile(unsigned level, std::uint64_t index, const std::vector<Hash>& hashes) {
        const auto width = static_cast<unsigned>(hashes.size());
        const std::string where = "ledger/" + tile_path(level, index, width);
        const auto bytes = read_of_width(
            fs_, ledger_, [&](unsigned w) { return tile_path(level, index, w); }, width, live_, kMaxTileFile);
        const Bytes wanted = encode_tile(hashes);
        if (!bytes.ok()) {
            report_.problem("ledger.tile", where, bytes.error().message());
        } else if (live_ ? bytes->size() < wanted.size() || !equal(ByteView(*bytes).first(wanted.size()), wanted)
                         : !equal(*bytes, wanted)) {
            report_.problem("ledger.tile", where, "does not hold the hashes of its entries");
        }
        ++tiles_;
    }
    void finish_tiles() {
        if (!complete_) return;
        tiles_ = 0;
        const Hash root = root_with(at_level(0).hashes);
        for (unsigned level = 0; level < edge_.size(); ++level) {
            if (!edge_[level].hashes.empty()) compare_tile(level, edge_[level].index, edge_[level].hashes);
        }
        report_.checked["tiles"] += tiles_;
        close_spans(size_.value);
        report_stamps(0);
        if (next_published_ < published_sizes_.size() && published_sizes_[next_published_] == size_.value)
            check_published(size_.value, root);
        if (!(root == root_))
            report_.problem("checkpoint", "ledger/checkpoint", "states a root that the entries do not lead to");
    }

    // --- ciphertext ---
    std::optional<FramePlace> place() const {  // of the next frame
        return file_ ? std::optional(FramePlace{segments_[segment_ - 1].value, offset_}) : std::nullopt;
    }
    void take_frame(EntryIndex index, const EntryHeader& h, bool holds, bool gone, const FramePlace& at) {
        if (index.value < frames_from_) {
            if (h.suite != Suite::none) judge_.frame_unseen(h);
            return;
        }
        if (has_own_file(h)) {
            if (holds) {
                blob_files_.erase(index.value);
                count_frame(h);
                ++blobs_;
            } else {
                check_blob_file(index, h, name_of(index));
            }
            return;
        }
        if (segment_ < segments_.size() && index >= segments_[segment_]) next_segment();
        if ((holds || gone) && place() == at) {
            offset_ += gone ? kFrameHead : frame_size(h);
            if (gone) {
                judge_.frame_gone(h);
            } else if (h.ciphertext_length != 0) {
                count_frame(h);
            }
        } else {
            check_frame(h, name_of(index));
        }
    }
    void count_frame(const EntryHeader& h) {
        ++frames_;
        bytes_ += h.ciphertext_length;
    }
    void next_segment() {
        close_segment();
        file_.reset();
        auto opened = fs_.open(segment_file(vault_, segments_[segment_]), OpenMode::read);
        if (opened.ok()) file_ = std::move(*opened);
        segment_name_ = "vault/segments/" + segment_file(vault_, segments_[segment_]).filename().string();
        segment_end_ = file_ ? file_->size().ok() ? *file_->size() : 0 : 0;
        offset_ = 0;
        ++segment_;
        missing_reported_ = false;
    }
    void check_frame(const EntryHeader& h, const std::string& where) {
        if (!file_) {
            if (h.suite != Suite::none) judge_.frame_unseen(h);
            if (!missing_reported_) report_.problem("vault.missing", where, "there is no segment that holds its frame");
            missing_reported_ = true;
            return;
        }
        std::uint8_t head[kFrameHead] = {};
        if (offset_ > segment_end_ || segment_end_ - offset_ < kFrameHead || !file_->read_at(offset_, head).ok()) {
            report_.problem("vault.segment", segment_name_ + " (" + where + ")", "ends before the frame");
            if (h.suite != Suite::none) judge_.frame_unseen(h);
            file_.reset();
            missing_reported_ = true;
            return;
        }
        const std::uint64_t length = load_u64(head);
        offset_ += kFrameHead;
        if (length == 0) {
            if (h.ciphertext_length != 0) judge_.frame_gone(h);
            return;
        }
        if (length != h.ciphertext_length) {
            report_.problem("vault.segment", segment_name_ + " (" + where + ")",
                            "the frame has another length than its entry says");
            if (h.suite != Suite::none) judge_.frame_unseen(h);
            file_.reset();  // nothing after it can be found
            missing_reported_ = true;
            return;
        }
        if (segment_end_ - offset_ < length) {
            report_.problem("vault.segment", segment_name_ + " (" + where + ")",
                            "ends in the middle of the ciphertext");
            judge_.frame_unseen(h);
            file_.reset();
            missing_reported_ = true;
            return;
        }
        if (!hash_matches(*file_, offset_, length, h.ciphertext_hash))
            report_.problem("vault.segment", segment_name_ + " (" + where + ")",
                            "the ciphertext is not the one that was sealed");
        offset_ += length;
        ++frames_;
    }

    bool hash_matches(File& file, std::uint64_t offset, std::uint64_t length, const Hash& wanted) {
        Sha256 hash;
        buffer_.resize(kPiece);
        while (length > 0) {
            const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(length, kPiece));
            const auto got = file.read_at(offset, std::span(buffer_).first(n));
            if (!got.ok() || *got != n) return false;
            hash.update(ByteView(buffer_).first(n));
            bytes_ += n;
            offset += n;
            length -= n;
        }
        return hash.finish() == wanted;
    }

    void check_blob_file(EntryIndex index, const EntryHeader& h, const std::string& where) {
        const std::string name = "vault/blobs/" + blob_file(vault_, index).filename().string();
        blob_files_.erase(index.value);
        auto file = fs_.open(blob_file(vault_, index), OpenMode::read);
        if (!file.ok()) return judge_.frame_gone(h);
        const auto size = (*file)->size();
        std::uint8_t head[kFrameHead] = {};
        const bool shaped = size.ok() && *size == kFrameHead + h.ciphertext_length && (*file)->read_at(0, head).ok() &&
                            load_u64(head) == h.ciphertext_length;
        if (!shaped || !hash_matches(**file, kFrameHead, h.ciphertext_length, h.ciphertext_hash))
            report_.problem("vault.blob", name + " (" + where + ")", "the ciphertext is not the one that was sealed");
        ++frames_;
        ++blobs_;
    }

    // A closed segment ends with its last frame; the open one is zero behind it.
    void close_segment() {
        if (!file_) return;
        const bool last = segment_ == segments_.size();
        if (!last && offset_ != segment_end_)
            report_.problem("vault.segment", segment_name_, "has bytes after its last frame");
    }
    void finish_frames() {
        if (!complete_ || !file_ || live_) return;
        buffer_.resize(kPiece);
        for (std::uint64_t at = offset_; at < segment_end_;) {
            const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(segment_end_ - at, kPiece));
            const auto got = file_->read_at(at, std::span(buffer_).first(n));
            if (!got.ok() || *got != n ||
                std::any_of(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(n),
                            [](std::uint8_t b) { return b != 0; })) {
                report_.problem(
                    "vault.segment", segment_name_,
                    "has bytes after its last frame; an interrupted write leaves such, and the next start of the "
                    "archive removes them");
                break;
            }
            at += n;
        }
        for (; segment_ < segments_.size(); ++segment_) {
            report_.problem("file.unreferenced",
                            "vault/segments/" + segment_file(vault_, segments_[segment_]).filename().string(),
                            "no entry has its frame there");
        }
        for (const std::uint64_t b : blob_files_)
            report_.problem("file.unreferenced", "vault/blobs/" + blob_file(vault_, EntryIndex(b)).filename().string(),
                            "no entry has its frame there");
    }

    // --- what control entries say about other files ---
    void take_control(EntryIndex index, const Entry& entry, const std::string& where) {
        const auto body = BodyReader::parse(entry.body);
        if (!body.ok()) return;  // decode_entry has refused it already
        switch (*control_action(entry)) {
            case ControlAction::source_added:
                sources_.insert(static_cast<std::uint32_t>(index.value));
                sequence_.try_emplace(static_cast<std::uint32_t>(index.value), 0);  // a state names it, too
                break;
            case ControlAction::checkpoint_published: {
                const auto size = body->find_u64(Tag::checkpoint_size);
                const auto hash = body->find_hash(Tag::note_hash);
                const Published* note = size && *size <= index.value ? published(*size) : nullptr;
                if (!hash || note == nullptr || !(note->note == *hash)) {
                    report_.problem("ledger.chain", where,
                                    "names a published checkpoint that is missing or another one");
                } else {
                    unnamed_.erase(*size);
                }
                break;
            }
            case ControlAction::anchor_stored:
                take_named_token(*body, where);
                break;
            case ControlAction::evidence_renewed: {
                const auto number = body->find_u32(Tag::renewal);
                const auto manifest = body->find_hash(Tag::manifest_hash);
                const auto token = body->find_hash(Tag::token_hash);
                if (!number || !manifest || !token) {
                    report_.problem("ledger.chain", where, "names no renewal");
                } else {
                    renewals_[*number].push_back({*manifest, *token});
                }
                break;
            }
            case ControlAction::key_rotated: {
                // The announcement may be there while the new key is not in use yet; the reverse can't be.
                const auto vkey = body->find_text(Tag::vkey);
                if (!vkey || !VerifierKey::parse(*vkey).ok()) {
                    report_.problem("key.rotation", where, "names no key");
                    break;
                }
                const auto& steps = history_->steps();
                const VerifierKey key = *VerifierKey::parse(*vkey);
                bool in_use = false;
                for (std::size_t i = 1; i < steps.size(); ++i) {
                    if (steps[i].entry == index && steps[i].leaf == leaf_hash(encode(entry))) ++announced_;
                    in_use = in_use || steps[i].key == key;
                }
                if (!in_use) report_.remark(RemarkCode::announced_only, {std::to_string(index.value)});
                break;
            }
            case ControlAction::archive_continued: {
                const auto root = body->find_hash(Tag::root);
                bool known = false;
                for (const KeyHistory::Step& step : history_->steps()) {
                    if (step.continuation && step.entry == index && step.leaf == leaf_hash(encode(entry))) known = true;
                }
                if (!known) {
                    report_.problem("ledger.continuation", where, "continues the ledger under a key that is not known");
                    break;
                }
                ++announced_;
                if (!root || !(*root == root_so_far_))
                    report_.problem("ledger.continuation", where,
                                    "goes on from another ledger than the entries before");
                const std::uint64_t until = body->find_u64(Tag::remembered_size).value_or(0);
                report_.remark("what the ledger before held beyond entry " + std::to_string(index.value) +
                               (until > index.value ? ": " + std::to_string(until - index.value) +
                                                          " entries or more are lost, and the archive says so"
                                                    : ": it was continued there under a new name"));
                break;
            }
            case ControlAction::tree_opened:
                check_box(*body, Tag::tree, "tree", where);
                break;
            case ControlAction::shard_opened:
                check_box(*body, Tag::shard, "shard", where);
                break;
            case ControlAction::generation_opened: {
                const auto generation = body->find_u32(Tag::generation);
                const auto hash = body->find_hash(Tag::keyring_hash);
                if (generation && hash) generation_ = {*generation, *hash};
                judge_.take_erasure(index, entry);
                break;
            }
            default:
                break;
        }
    }

    // A later generation has adopted what is in the boxes of those before: they may be gone.
    void check_box(const BodyReader& body, Tag number, const char* purpose, const std::string& where) {
        const auto id = body.find_u32(number);
        const auto hash = body.find_hash(Tag::box_hash);
        if (!fs_.exists(dir_ / "keys")) return;  // an auditor without keys/
        if (!id || !hash) {
            report_.problem("ledger.chain", where, "names no sealed box");
            return;
        }
        for (const char copy : {'a', 'b'}) {
            char name[40];
            std::snprintf(name, sizeof name, "%s-%08x.%c", purpose, *id, copy);
            const auto bytes = read_file(fs_, dir_ / "keys" / "boxes" / name, 64 * 1024);
            if (!bytes.ok() && bytes.error().code() == Code::not_found) {
                absent_boxes_.push_back({name, where, body.find_u32(Tag::generation).value_or(~0U)});
            } else if (!bytes.ok() || !(sha256(*bytes) == *hash)) {
                report_box(name, where);
            }
        }
        report_.checked["boxes"] += 1;
    }
    void report_box(const std::string& name, const std::string& where) {
        report_.problem("keys.box", "keys/boxes/" + name, "is missing or not the one that " + where + " names");
    }
    void judge_absent_boxes() {
        for (const AbsentBox& box : absent_boxes_) {
            if (!generation_ || box.generation >= generation_->first) report_box(box.name, box.where);
        }
    }

    // An entry names a token. Its span lies behind, so the token has been met, or is not there.
    void take_named_token(const BodyReader& body, const std::string& where) {
        const auto size = body.find_u64(Tag::checkpoint_size);
        const auto hash = body.find_hash(Tag::token_hash);
        if (!size || !hash) {
            report_.problem("ledger.chain", where, "names no token");
            return;
        }
        if (const auto note_hash = body.find_hash(Tag::note_hash)) {
            const Published* note = *size <= size_.value ? published(*size) : nullptr;
            if (note == nullptr || !(note->note == *note_hash))
                report_.problem("ledger.chain", where,
                                "names the anchor of a published checkpoint that is missing or another one");
        }
        named_sizes_ = std::max(named_sizes_, *size);
        const auto met = met_.find({*size, *hash});
        if (met != met_.end()) {
            const MetToken& t = met->second;
            if (t.authority != body.find_text(Tag::authority).value_or("") ||
                t.span.previous.value != body.find_u64(Tag::previous_size).value_or(*size)) {
                report_.problem("anchor.token", where_of(t.span) + "/" + authority_file(t.number),
                                "is not the authority, or not the span, that its entry names");
            }
            met_.erase(met);
        } else if (since_ == nullptr || *size > since_->anchored.value || !is_stored(*size, *hash)) {
            missing_.push_back(*size);
        } else {
            report_.remark(RemarkCode::later_token, {std::to_string(*size)});
        }
    }
    bool is_stored(std::uint64_t size, const Hash& hash) {
        const AnchorStore store(fs_, ledger_);
        const auto spans = store.list();
        if (!spans.ok()) return false;
        for (const AnchorSpan& span : *spans) {
            if (span.size.value != size) continue;
            const auto anchor = store.read(span);
            if (anchor.ok() && std::any_of(anchor->tokens.begin(), anchor->tokens.end(),
                                           [&](const AnchorToken& t) { return sha256(t.token) == hash; }))
                return true;
        }
        return false;
    }

    void finish_chain() {
        if (!complete_) return;
        for (const auto& [key, met] : met_) {
            const std::string where = where_of(met.span) + "/" + token_file(met.number);
            if (key.first == newest_span_ && named_sizes_ < newest_span_) {
                report_.remark(where + ": the entry that names it is still to come");
            } else {
                report_.problem("anchor.token", where, "is not the token that its entry names");
            }
        }
        for (const std::uint64_t size : missing_)
            report_.problem("anchor.missing", "ledger/anchors (size " + std::to_string(size) + ")",
                            "a token that an entry names is not there");
        judge_absent_boxes();
        if (generation_) judge_.judge_keys(generation_->first);
        if (generation_ && fs_.exists(dir_ / "keys")) {
            const std::string name = "generation-" + std::to_string(generation_->first);
            const auto page = read_file(fs_, dir_ / "keys" / name / "root", 64u << 20);
            if (!page.ok() || !(sha256(*page) == generation_->second))
                report_.problem("keys.box", "keys/" + name + "/root", "is missing or not the one that its entry names");
        }
        if (!fs_.exists(dir_ / "keys")) report_.remark("sealed keys: keys/ is not here");
        for (const std::uint64_t size : unnamed_) {
            // The newest may wait for its entry: a crash between the file and the entry leaves it so.
            if (size != published_sizes_.back())
                report_.problem("checkpoint.published", published_name(size), "no entry names it");
        }
        if (since_ != nullptr) report_.remark(RemarkCode::verified_before, {std::to_string(from_)});
    }

    // The walk has passed the span: what its tokens stamp is known. Which entry names them comes later in the ledger.
    void check_stamp(Anchor anchor, const Hash& imprint) {
        anchored_ = std::max(anchored_, anchor.span.size);
        for (AnchorToken& t : anchor.tokens) {
            met_[{anchor.span.size.value, sha256(t.token)}] = {anchor.span, t.number, t.authority};
            auto judging = std::make_unique<Judging>();
            judging->where = where_of(anchor.span) + "/" + token_file(t.number);
            judging->span = anchor.span;
            judging->token = std::move(t);
            judging->imprint = imprint;
            judging->task = lookahead_->begin([this, j = judging.get()] {
                j->verdict = judge_token(j->token.token, j->imprint, builtin_root_, options_.trust);
            });
            judging_.push_back(std::move(judging));
        }
        report_stamps(kMostJudging);
    }
    // In order, until no more than `most` are under way.
    void report_stamps(std::size_t most) {
        for (; judging_.size() > most; judging_.pop_front()) {
            const Judging& j = *judging_.front();
            lookahead_->wait(*j.task);
            if (!j.verdict.ok()) {
                report_.problem("anchor.token", j.where, j.verdict.error().message());
                continue;
            }
            if (!j.verdict->remark.empty()) report_.remark(j.verdict->remark);
            report_.anchor({j.span.size.value, j.verdict->authority.empty() ? j.token.authority : j.verdict->authority,
                            j.verdict->gen_time, j.verdict->level});
        }
    }

    // Renewals of time stamps: computed anew from what they cover.
    void check_renewals() {
        if (!complete_ || live_ || (since_ != nullptr && renewals_.empty()) ||
            (!fs_.exists(ledger_ / "renewals") && renewals_.empty()))
            return;
        const LedgerReader reader(fs_, ledger_, size_);
        const SegmentReader frames(
            fs_, vault_, [&reader](EntryIndex i) { return reader.header(i); },
            [this](EntryIndex, const EntryHeader& h) { return judge_.erasures().covered(h.tree, h.leaf); });
        const auto evidence = Evidence::open(fs_, ledger_, reader);
        if (!evidence.ok()) {
            report_.problem("renewal", "ledger/renewals", evidence.error().message());
            return;
        }
        const auto digests = fs_.exists(vault_ / "segments") ? ciphertext_digests(frames) : CiphertextDigest();
        for (const Renewal& renewal : (*evidence)->renewals()) {
            const std::string where = "ledger/renewals/" + std::to_string(renewal.number);
            const auto named = renewals_.find(renewal.number);
            if (named == renewals_.end() && since_ != nullptr) continue;  // verified before
            if (named == renewals_.end()) {
                report_.remark(where + ": the entry that names it is still to come");
            } else {
                for (const auto& [manifest, token] : named->second) {
                    const bool there =
                        manifest == renewal.manifest_hash &&
                        std::any_of(renewal.tokens.begin(), renewal.tokens.end(),
                                    [&, hash = token](const AnchorToken& t) { return sha256(t.token) == hash; });
                    if (!there) report_.problem("renewal", where, "is not the one that its entry names");
                }
                // Of several, the first may have been named before the walk began.
                if (since_ != nullptr ? named->second.size() > renewal.tokens.size()
                                      : named->second.size() != renewal.tokens.size())
                    report_.problem("renewal", where, "has other tokens than its entries name");
                renewals_.erase(named);
            }
            if (const Status held = (*evidence)->check(renewal, digests); !held.ok())
                report_.problem("renewal", where, held.error().message());
            std::set<std::string> expected = {"manifest", "leaves", "ciphertexts"};
            for (const AnchorToken& t : renewal.tokens) {
                expected.insert(token_file(t.number));
                expected.insert(authority_file(t.number));
            }
            only(RenewalStore(fs_, ledger_).folder(renewal.number), where,
                 [&](const std::string& n) { return expected.count(n) != 0; });
            report_.checked["renewals"] += 1;
        }
        for (const auto& [number, rest] : renewals_)
            report_.problem("renewal", "ledger/renewals/" + std::to_string(number),
                            "an entry names it, but it is missing");
    }

    void judge_origin() {
        if (!options_.trust) return;
        for (const VerifierKey& log : options_.trust->logs) {
            if (history_->has(log)) {
                if (signed_) report_.origin = Origin::pinned;  // anybody can name a key: its signature counts
                if (options_.trust->quorum.empty()) return;
                if (witnessed_.value == 0) {
                    report_.problem("witness.quorum", "ledger/cosigned",
                                    "no checkpoint has the cosignatures that the trust file asks for");
                } else if (signed_) {
                    report_.origin = Origin::witnessed;
                    if (witnessed_ < size_)
                        report_.remark("whether witnesses have seen the last " +
                                       std::to_string(size_.value - witnessed_.value) + " entries");
                }
                return;
            }
        }
        report_.problem("origin.mismatch", "ledger", "the trust file names another ledger than this one");
    }

    void find_unreferenced() {
        if (!complete_) return;
        walk_folder(ledger_ / "tile", "tile");
        const std::set<std::string> parts = {"checkpoint", "published", "tile",      "anchors",
                                             "renewals",   "cosigned",  "rotations", "continuations"};
        only(ledger_, "ledger", [&](const std::string& n) { return parts.count(n) != 0; });
        only(ledger_ / "published", "ledger/published",
             [](const std::string& n) { return parse_twelve_digits(n).ok(); });
        only(ledger_ / "cosigned", "ledger/cosigned", [](const std::string& n) { return parse_twelve_digits(n).ok(); });
        only(ledger_ / "rotations", "ledger/rotations", [this](const std::string& n) {
            for (std::size_t number = 1; number <= rotations_; ++number) {
                const std::string digits = twelve_digits(number).substr(6);
                if (n == digits + ".entry" || n == digits + ".tlog-proof") return true;
            }
            // An announcement whose proof a crash has prevented counts for nothing, and the next one takes its place.
            return n == twelve_digits(rotations_ + 1).substr(6) + ".entry";
        });
        only(ledger_ / "continuations", "ledger/continuations", [this](const std::string& n) {
            const auto& steps = history_->steps();
            return std::any_of(steps.begin(), steps.end(), [&](const KeyHistory::Step& s) {
                return s.continuation && n == twelve_digits(s.entry.value) + ".entry";
            });
        });
        only(vault_ / "segments", "vault/segments", [](const std::string& n) {
            return n.size() == 16 && n.substr(12) == ".seg" && parse_twelve_digits(n.substr(0, 12)).ok();
        });
        only(vault_ / "blobs", "vault/blobs", [](const std::string& n) {
            return n.size() == 17 && n.substr(12) == ".blob" && parse_twelve_digits(n.substr(0, 12)).ok();
        });
    }
    void walk_folder(const Path& folder, const std::string& name) {
        const auto names = fs_.list(folder);
        if (!names.ok()) return;
        for (const std::string& n : *names) {
            const std::string relative = name + "/" + n;
            if (belongs(relative)) continue;
            const auto is_dir = fs_.is_dir(folder / n);
            // A link is followed by nobody: one that leads back up would be walked for ever.
            if (is_dir.ok() && *is_dir && !fs_.is_link(folder / n)) {
                walk_folder(folder / n, relative);
            } else {
                unreferenced("ledger/" + relative, "belongs to no ledger of this size");
            }
        }
    }

    // A tile or bundle of a ledger of this size.
    bool belongs(const std::string& relative) const {
        const auto name = parse_tile_path(relative);
        return name.ok() && tile_width(size_, name->level.value_or(0), name->index) == name->width;
    }

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

std::optional<Bytes> checkpoint_bytes(Fs& fs, const Path& dir) {
    auto bytes = read_file(fs, checkpoint_file(dir / "ledger"), kPiece);
    return bytes.ok() ? std::optional<Bytes>(std::move(*bytes)) : std::nullopt;
}

// Findings that a batch on its way would explain.
bool only_newer_files(const Report& report) {
    return std::all_of(report.problems.begin(), report.problems.end(), [](const Problem& p) {
        return p.code == "file.unreferenced" || p.code == "checkpoint.published" || p.code == "vault.segment";
    });
}

// Whether the checkpoint is another one now. A batch is written before it is committed, so it may take a moment.
bool moves(Fs& fs, const Path& dir, const Bytes& before, bool wait) {
    constexpr int kTries = 40;
    for (int i = 0;; ++i) {
        const auto now = checkpoint_bytes(fs, dir);
        if (now && *now != before) return true;
        if (!wait || i == kTries) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
    }
}

}  // namespace

Verification verify_archive(Fs& fs, const Path& dir, const VerifyOptions& options) {
    const std::optional<Bytes> before = checkpoint_bytes(fs, dir);
    bool live = false;
    for (int tries = 0;; ++tries) {
        ArchiveCheck check(fs, dir, options, live);
        Verification found = check.run();
        if (live) found.report.remark("files newer than the checkpoint: a program wrote while the archive was checked");
        if (found.report.ok || !before) return found;
        // Compaction replaces one segment after the other: each that was met in between may cost another look.
        const bool compacted = tries < kMostLooks && check.segments_changed();
        const bool moved = !live && moves(fs, dir, *before, only_newer_files(found.report));
        if (!compacted && !moved) return found;
        live = live || moved;
    }
}

}  // namespace kustos::audit
