#include "audit/verify_archive.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "audit/src/verify_archive_check.h"

namespace kustos::audit {

Verification ArchiveCheck::run() {
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

Status ArchiveCheck::check() {
    const std::string note = TRY_IN("ledger/checkpoint", read_note(fs_, checkpoint_file(ledger_)));
    const Status learned = learn_identity();
    if (!learned.ok()) {
        if (learned.error().code() == Code::not_found || learned.error().code() == Code::environment) return learned;
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

void ArchiveCheck::count_all() {
    const auto put_count = [this](const char* name, std::uint64_t n) {
        if (n != 0) report_.checked[name] += n;
    };
    put_count("entries", entries_);
    put_count("tiles", tiles_);
    put_count("frames", frames_);
    put_count("blobs", blobs_);
    put_count("bytes", bytes_);
}

void ArchiveCheck::judge_origin() {
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

namespace {

constexpr std::size_t kMostNote = 1u << 20;
constexpr int kMostLooks = 3;

std::optional<Bytes> checkpoint_bytes(Fs& fs, const Path& dir) {
    auto bytes = read_file(fs, checkpoint_file(dir / "ledger"), kMostNote);
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
