#include "audit/verify_archive.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <set>
#include <thread>

#include "audit/anchors.h"
#include "audit/entry.h"
#include "audit/judge_token.h"
#include "audit/key_history.h"
#include "audit/ledger.h"
#include "audit/renewal.h"
#include "audit/segment.h"
#include "audit/src/token_folder.h"

namespace kustos::audit {

namespace {

constexpr std::size_t kPiece = 1u << 20;

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

    Report run() {
        const Status done = check();
        if (!done.ok()) report_.problem("archive.unreadable", "archive", done.error().message());
        return std::move(report_);
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
        TRY(list_published_checkpoints());
        list_cosigned_checkpoints();
        TRY(list_anchors());
        TRY(list_frames());
        TRY(walk_entries());
        finish_tiles();
        finish_frames();
        finish_chain();
        check_renewals();
        if (complete_ && announced_ != history_->steps().size() - 1)
            report_.problem("key.rotation", "ledger/rotations", "the ledger does not announce these keys");
        judge_origin();
        if (!live_) find_unreferenced();
        report_.remark("that plaintext matches the commitments: nothing was decrypted");
        return {};
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
        report_.fingerprint = key_fingerprint(history_->first().format());
    }

    // The bundle's file for this ledger size, or a wider one that has grown meanwhile.
    Result<Bytes> read_bundle(std::uint64_t index) {
        const unsigned width =
            size_.value == 0
                ? 0
                : static_cast<unsigned>(std::min<std::uint64_t>(kTileWidth, size_.value - index * kTileWidth));
        return read_wider([&](unsigned w) { return bundle_path(index, w); }, width, kMaxBundleFile);
    }
    template <class Name>
    Result<Bytes> read_wider(const Name& name, unsigned width, std::size_t limit) {
        for (unsigned w = std::max(width, 1u); w <= kTileWidth; ++w) {
            if (w != width && w != kTileWidth && width != 0 && !live_) continue;
            auto bytes = read_file(fs_, ledger_ / name(w), limit);
            if (bytes.ok()) return bytes;
            if (bytes.error().code() != Code::not_found) return bytes;
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
            const std::string where = "ledger/published/" + twelve_digits(size.value);
            if (size.value > size_.value) {
                if (!live_) report_.problem("checkpoint.published", where, "claims more entries than the ledger has");
                continue;
            }
            const auto note = read_note(fs_, published_file(ledger_, size));
            if (!note.ok()) {
                report_.problem("checkpoint.published", where, note.error().message());
                continue;
            }
            const auto opened = history_->open(as_bytes(*note));
            const auto checkpoint = opened.ok() ? Result<Checkpoint>(opened->checkpoint) : opened.error();
            if (!checkpoint.ok()) {
                report_.problem("checkpoint.published", where, checkpoint.error().message());
                continue;
            }
            if (checkpoint->size != size)
                report_.problem("checkpoint.published", where, "states another size than its name");
            published_[size.value] = {sha256(as_bytes(*note)), checkpoint->root, false};
        }
        return {};
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
            if (live_ && size > size_) continue;
            const auto text = read_note(fs_, cosigned_file(ledger_, size));
            const auto opened = text.ok() ? history_->open(as_bytes(*text)) : Result<KeyHistory::Opened>(text.error());
            const auto first =
                opened.ok() ? as_first_published(as_bytes(*text), opened->key) : Result<std::string>(opened.error());
            const auto published = published_.find(size.value);
            if (!first.ok() || published == published_.end() || !(published->second.note == sha256(as_bytes(*first)))) {
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

    struct Stamp {
        Anchor anchor;
        std::optional<ImprintBuilder> imprint;
    };

    Status list_anchors() {
        const AnchorStore store(fs_, ledger_);
        if (!fs_.exists(ledger_ / "anchors")) return {};
        const auto names = fs_.list(ledger_ / "anchors");
        if (!names.ok()) {
            report_.problem("anchor.token", "ledger/anchors", names.error().message());
            return {};
        }
        for (const std::string& name : *names) {
            const auto parsed = AnchorSpan::parse(name);
            if (!parsed.ok()) {
                unreferenced("ledger/anchors/" + name, "is no anchor's folder");
                continue;
            }
            const AnchorSpan span = *parsed;
            const std::string where = "ledger/anchors/" + name;
            if (span.size.value > size_.value) {
                if (!live_) report_.problem("anchor.imprint", where, "stamps more entries than the ledger has");
                continue;
            }
            auto anchor = store.read(span);
            if (!anchor.ok() && anchor.error().code() == Code::not_found) {
                report_.remark(where + ": an interrupted store, without note or token");
                continue;
            }
            if (!anchor.ok()) {
                report_.problem("anchor.token", where, anchor.error().message());
                continue;
            }
            expected_anchor_files(where, *anchor);
            const Hash digest = sha256(anchor->note);
            const auto note = published_.find(span.size.value);
            if (note == published_.end() || !(note->second.note == digest))
                report_.problem("anchor.imprint", where + "/note", "is not the published checkpoint");
            Stamp stamp;
            stamp.anchor = std::move(*anchor);
            stamp.imprint.emplace(digest);
            stamps_.push_back(std::move(stamp));
        }
        return {};
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
        if (blobs.ok()) {
            for (const EntryIndex b : *blobs) blob_files_.insert(b.value);
        }
        return {};
    }

    Status walk_entries() {
        for (std::uint64_t at = 0; at < size_.value; at += kTileWidth) {
            const unsigned width = tile_width_at(at);
            const std::string where = "ledger/" + bundle_path(at / kTileWidth, width);
            const auto bytes = read_bundle(at / kTileWidth);
            if (!bytes.ok()) {
                report_.problem("ledger.entries", where, bytes.error().message());
                return {};  // without entries nothing later can be told
            }
            ByteReader in(*bytes);
            for (unsigned i = 0; i < width; ++i) {
                const auto length = in.u16();
                const auto entry = length.ok() ? in.take(*length) : Result<ByteView>(Error(Code::bad_input, ""));
                if (!entry.ok()) {
                    report_.problem("ledger.entries", where, "ends in the middle of an entry");
                    return {};
                }
                take_entry(EntryIndex(at + i), *entry, where);
            }
            if (!in.at_end() && !live_) report_.problem("ledger.entries", where, "has bytes after its last entry");
            if (options_.progress) options_.progress(std::min(at + kTileWidth, size_.value), size_.value);
        }
        complete_ = true;
        return {};
    }

    unsigned tile_width_at(std::uint64_t at) const {
        return static_cast<unsigned>(std::min<std::uint64_t>(kTileWidth, size_.value - at));
    }

    void take_entry(EntryIndex index, ByteView bytes, const std::string& bundle) {
        report_.checked["entries"] += 1;
        if (const auto p = published_.find(index.value); p != published_.end()) check_root(p->first, p->second.root);
        for (const KeyHistory::Step& step : history_->steps()) {
            if (step.continuation && step.entry == index) root_so_far_ = range_.root();
        }
        add_leaf(index, leaf_hash(bytes));
        const auto entry = decode_entry(bytes);
        const std::string where = "entry " + std::to_string(index.value);
        if (!entry.ok()) {
            report_.problem("ledger.entries", bundle + " (" + where + ")", entry.error().message());
            return;
        }
        const EntryHeader& h = entry->header;
        for (Stamp& s : stamps_) {
            if (!s.anchor.span.covers(index)) continue;
            ImprintGroup group;
            group.object = sha256(bytes);
            if (h.suite != Suite::none) group.ciphertext = h.ciphertext_hash;
            s.imprint->add(group);
        }
        if (h.source.value != 0 && sources_.count(h.source.value) == 0)
            report_.problem("ledger.sequence", where, "names a source that no earlier entry introduced");
        std::uint64_t& next = sequence_[h.source.value];
        if (h.sequence != next)
            report_.problem(
                "ledger.sequence", where,
                "has number " + std::to_string(h.sequence) + " of its source, " + std::to_string(next) + " is due");
        next = h.sequence + 1;
        check_frame(index, h, where);
        if (h.kind == Kind::control) take_control(index, *entry, where);
    }

    void check_root(std::uint64_t size, const Hash& root) {
        if (!(range_.root() == root))
            report_.problem("checkpoint.published", "ledger/published/" + twelve_digits(size),
                            "states a root that the entries do not lead to");
        report_.checked["checkpoints"] += 1;
    }

    // --- tiles: recomputed level by level and compared with the files ---
    void add_leaf(EntryIndex index, const Hash& leaf) {
        range_.append(leaf);
        (void)index;
        add_to_level(0, leaf);
    }
    void add_to_level(unsigned level, const Hash& hash) {
        if (edge_.size() <= level) edge_.resize(level + 1);
        Level& l = edge_[level];
        l.hashes.push_back(hash);
        if (l.hashes.size() < kTileWidth) return;
        compare_tile(level, l.index, l.hashes);
        const Hash top = root_of(l.hashes);
        l.hashes.clear();
        ++l.index;
        add_to_level(level + 1, top);
    }
    void compare_tile(unsigned level, std::uint64_t index, const std::vector<Hash>& hashes) {
        const auto width = static_cast<unsigned>(hashes.size());
        const std::string where = "ledger/" + tile_path(level, index, width);
        const auto bytes = read_wider([&](unsigned w) { return tile_path(level, index, w); }, width, kMaxTileFile);
        const Bytes wanted = encode_tile(hashes);
        if (!bytes.ok()) {
            report_.problem("ledger.tile", where, bytes.error().message());
        } else if (live_ ? bytes->size() < wanted.size() || !equal(ByteView(*bytes).first(wanted.size()), wanted)
                         : !equal(*bytes, wanted)) {
            report_.problem("ledger.tile", where, "does not hold the hashes of its entries");
        }
        report_.checked["tiles"] += 1;
        expected_.insert(tile_path(level, index, width));
    }
    void finish_tiles() {
        if (!complete_) return;
        for (unsigned level = 0; level < edge_.size(); ++level) {
            if (!edge_[level].hashes.empty()) compare_tile(level, edge_[level].index, edge_[level].hashes);
        }
        if (const auto p = published_.find(size_.value); p != published_.end()) check_root(p->first, p->second.root);
        if (!(range_.root() == root_))
            report_.problem("checkpoint", "ledger/checkpoint", "states a root that the entries do not lead to");
    }

    // --- ciphertext ---
    void check_frame(EntryIndex index, const EntryHeader& h, const std::string& where) {
        if (has_own_file(h)) {
            check_blob_file(index, h, where);
            return;
        }
        if (segment_ < segments_.size() && index >= segments_[segment_]) {
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
        if (!file_) {
            if (!missing_reported_) report_.problem("vault.missing", where, "there is no segment that holds its frame");
            missing_reported_ = true;
            return;
        }
        std::uint8_t head[kFrameHead];
        if (segment_end_ - offset_ < kFrameHead || !file_->read_at(offset_, head).ok()) {
            report_.problem("vault.segment", segment_name_ + " (" + where + ")", "ends before the frame");
            file_.reset();
            missing_reported_ = true;
            return;
        }
        const std::uint64_t length = load_u64(head);
        offset_ += kFrameHead;
        if (length != h.ciphertext_length) {
            report_.problem(length == 0 ? "vault.missing" : "vault.segment", segment_name_ + " (" + where + ")",
                            length == 0 ? "the ciphertext is gone and no entry allows it"
                                        : "the frame has another length than its entry says");
            if (length != 0) {  // nothing after it can be found
                file_.reset();
                missing_reported_ = true;
            }
            return;
        }
        if (length == 0) return;
        if (segment_end_ - offset_ < length) {
            report_.problem("vault.segment", segment_name_ + " (" + where + ")",
                            "ends in the middle of the ciphertext");
            file_.reset();
            missing_reported_ = true;
            return;
        }
        if (!hash_matches(*file_, offset_, length, h.ciphertext_hash))
            report_.problem("vault.segment", segment_name_ + " (" + where + ")",
                            "the ciphertext is not the one that was sealed");
        offset_ += length;
        report_.checked["frames"] += 1;
    }

    bool hash_matches(File& file, std::uint64_t offset, std::uint64_t length, const Hash& wanted) {
        Sha256 hash;
        buffer_.resize(kPiece);
        while (length > 0) {
            const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(length, kPiece));
            const auto got = file.read_at(offset, std::span(buffer_).first(n));
            if (!got.ok() || *got != n) return false;
            hash.update(ByteView(buffer_).first(n));
            report_.checked["bytes"] += n;
            offset += n;
            length -= n;
        }
        return hash.finish() == wanted;
    }

    void check_blob_file(EntryIndex index, const EntryHeader& h, const std::string& where) {
        const std::string name = "vault/blobs/" + blob_file(vault_, index).filename().string();
        blob_files_.erase(index.value);
        auto file = fs_.open(blob_file(vault_, index), OpenMode::read);
        if (!file.ok()) {
            report_.problem("vault.missing", name + " (" + where + ")",
                            "the ciphertext is gone and no entry allows it");
            return;
        }
        const auto size = (*file)->size();
        std::uint8_t head[kFrameHead] = {};
        const bool shaped = size.ok() && *size == kFrameHead + h.ciphertext_length && (*file)->read_at(0, head).ok() &&
                            load_u64(head) == h.ciphertext_length;
        if (!shaped || !hash_matches(**file, kFrameHead, h.ciphertext_length, h.ciphertext_hash))
            report_.problem("vault.blob", name + " (" + where + ")", "the ciphertext is not the one that was sealed");
        report_.checked["frames"] += 1;
        report_.checked["blobs"] += 1;
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
                break;
            case ControlAction::checkpoint_published: {
                const auto size = body->find_u64(Tag::checkpoint_size);
                const auto hash = body->find_hash(Tag::note_hash);
                const auto note = size ? published_.find(*size) : published_.end();
                if (!size || !hash || *size > index.value || note == published_.end() ||
                    !(note->second.note == *hash)) {
                    report_.problem("ledger.chain", where,
                                    "names a published checkpoint that is missing or another one");
                } else {
                    note->second.named = true;
                }
                break;
            }
            case ControlAction::anchor_stored: {
                const auto size = body->find_u64(Tag::checkpoint_size);
                const auto hash = body->find_hash(Tag::token_hash);
                const auto note_hash = body->find_hash(Tag::note_hash);
                const auto note = size ? published_.find(*size) : published_.end();
                if (!size || !hash) {
                    report_.problem("ledger.chain", where, "names no token");
                } else {
                    if (note_hash && (note == published_.end() || !(note->second.note == *note_hash))) {
                        report_.problem("ledger.chain", where,
                                        "names the anchor of a published checkpoint that is missing or another one");
                    }
                    tokens_[{*size, *hash}] = {body->find_u64(Tag::previous_size).value_or(*size),
                                               body->find_text(Tag::authority).value_or("")};
                }
                break;
            }
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
                for (std::size_t i = 1; i < steps.size(); ++i) {
                    if (steps[i].entry == index && steps[i].leaf == leaf_hash(encode(entry))) ++announced_;
                }
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
                check_box(body->find_u32(Tag::tree), "tree", body->find_hash(Tag::box_hash), where);
                break;
            case ControlAction::shard_opened:
                check_box(body->find_u32(Tag::shard), "shard", body->find_hash(Tag::box_hash), where);
                break;
            case ControlAction::generation_opened: {
                const auto generation = body->find_u32(Tag::generation);
                const auto hash = body->find_hash(Tag::keyring_hash);
                if (generation && hash) generation_ = {*generation, *hash};
                break;
            }
            default:
                break;
        }
    }

    void check_box(const std::optional<std::uint32_t>& id, const char* purpose, const std::optional<Hash>& hash,
                   const std::string& where) {
        if (!fs_.exists(dir_ / "keys")) return;  // an auditor without keys/
        if (!id || !hash) {
            report_.problem("ledger.chain", where, "names no sealed box");
            return;
        }
        for (const char copy : {'a', 'b'}) {
            char name[40];
            std::snprintf(name, sizeof name, "%s-%08x.%c", purpose, *id, copy);
            const auto bytes = read_file(fs_, dir_ / "keys" / "boxes" / name, 64 * 1024);
            if (!bytes.ok() || !(sha256(*bytes) == *hash))
                report_.problem("keys.box", std::string("keys/boxes/") + name,
                                "is missing or not the one that " + where + " names");
        }
        report_.checked["boxes"] += 1;
    }

    void finish_chain() {
        if (!complete_) return;
        std::uint64_t newest = 0;
        for (const Stamp& s : stamps_) newest = std::max(newest, s.anchor.span.size.value);
        for (const Stamp& s : stamps_) check_stamp(s, newest);
        for (const auto& [token, named] : tokens_)
            report_.problem("anchor.missing", "ledger/anchors (size " + std::to_string(token.first) + ")",
                            "a token that an entry names is not there");
        if (generation_ && fs_.exists(dir_ / "keys")) {
            const std::string name = "generation-" + std::to_string(generation_->first);
            const auto page = read_file(fs_, dir_ / "keys" / name / "root", 64u << 20);
            if (!page.ok() || !(sha256(*page) == generation_->second))
                report_.problem("keys.box", "keys/" + name + "/root", "is missing or not the one that its entry names");
        }
        if (!fs_.exists(dir_ / "keys")) report_.remark("sealed keys: keys/ is not here");
        for (auto p = published_.begin(); p != published_.end(); ++p) {
            // The newest may wait for its entry: a crash between the file and the entry leaves it so.
            if (!p->second.named && std::next(p) != published_.end())
                report_.problem("checkpoint.published", "ledger/published/" + twelve_digits(p->first),
                                "no entry names it");
        }
    }

    void check_stamp(const Stamp& s, std::uint64_t newest) {
        const std::string folder = "ledger/anchors/" + s.anchor.span.folder();
        const Hash imprint = s.imprint->root();
        for (const AnchorToken& t : s.anchor.tokens) {
            const std::string where = folder + "/" + std::to_string(t.number) + ".der";
            const Hash hash = sha256(t.token);
            const auto named = tokens_.find({s.anchor.span.size.value, hash});
            if (named != tokens_.end()) {
                if (named->second.authority != t.authority || named->second.previous != s.anchor.span.previous.value) {
                    report_.problem("anchor.token", folder + "/" + std::to_string(t.number) + ".authority",
                                    "is not the authority, or not the span, that its entry names");
                }
                tokens_.erase(named);
            } else if (s.anchor.span.size.value == newest &&
                       std::none_of(tokens_.begin(), tokens_.end(),
                                    [&](const auto& k) { return k.first.first == newest; })) {
                report_.remark(where + ": the entry that names it is still to come");
            } else {
                report_.problem("anchor.token", where, "is not the token that its entry names");
            }
            const auto verdict = judge_token(t.token, imprint, builtin_root_, options_.trust);
            if (!verdict.ok()) {
                report_.problem("anchor.token", where, verdict.error().message());
                continue;
            }
            if (!verdict->remark.empty()) report_.remark(verdict->remark);
            report_.anchor({s.anchor.span.size.value, verdict->authority.empty() ? t.authority : verdict->authority,
                            verdict->gen_time, verdict->level});
        }
    }

    // Renewals of time stamps: computed anew from what they cover.
    void check_renewals() {
        if (!complete_ || live_ || (!fs_.exists(ledger_ / "renewals") && renewals_.empty())) return;
        const LedgerReader reader(fs_, ledger_, size_);
        const SegmentReader frames(fs_, vault_, [&reader](EntryIndex i) { return reader.header(i); });
        const auto evidence = Evidence::open(fs_, ledger_, reader);
        if (!evidence.ok()) {
            report_.problem("renewal", "ledger/renewals", evidence.error().message());
            return;
        }
        const auto digests = fs_.exists(vault_ / "segments") ? ciphertext_digests(frames) : CiphertextDigest();
        for (const Renewal& renewal : (*evidence)->renewals()) {
            const std::string where = "ledger/renewals/" + std::to_string(renewal.number);
            const auto named = renewals_.find(renewal.number);
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
                if (named->second.size() != renewal.tokens.size())
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
        for (std::uint64_t at = 0; at < size_.value; at += kTileWidth)
            expected_.insert(bundle_path(at / kTileWidth, tile_width_at(at)));
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
            const auto is_dir = fs_.is_dir(folder / n);
            if (is_dir.ok() && *is_dir) {
                walk_folder(folder / n, relative);
            } else if (expected_.count(relative) == 0) {
                unreferenced("ledger/" + relative, "belongs to no ledger of this size");
            }
        }
    }

    struct Level {
        std::vector<Hash> hashes;
        std::uint64_t index = 0;
    };
    struct Published {
        Hash note, root;
        bool named = false;
    };

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
    TreeSize size_, witnessed_;
    Hash root_;
    CompactRange range_;
    std::vector<Level> edge_;
    std::set<std::string> expected_;  // tile files
    std::map<std::uint64_t, Published> published_;
    std::vector<Stamp> stamps_;
    struct NamedToken {
        std::uint64_t previous = 0;
        std::string authority;
    };
    std::map<std::pair<std::uint64_t, Hash>, NamedToken> tokens_;  // size, hash of the DER
    std::optional<std::pair<std::uint32_t, Hash>> generation_;
    std::map<std::uint32_t, std::vector<std::pair<Hash, Hash>>> renewals_;  // by number: manifest, token
    std::set<std::uint32_t> sources_;
    std::map<std::uint32_t, std::uint64_t> sequence_;
    std::vector<EntryIndex> segments_;
    std::set<std::uint64_t> blob_files_;
    std::size_t segment_ = 0;
    std::unique_ptr<File> file_;
    std::string segment_name_;
    std::uint64_t segment_end_ = 0, offset_ = 0;
    bool missing_reported_ = false;
    bool complete_ = false;
    bool signed_ = false;  // the checkpoint, by key_
    Bytes buffer_;
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

Report verify_archive(Fs& fs, const Path& dir, const VerifyOptions& options) {
    const std::optional<Bytes> before = checkpoint_bytes(fs, dir);
    Report report = ArchiveCheck(fs, dir, options, false).run();
    if (report.ok || !before || !moves(fs, dir, *before, only_newer_files(report))) return report;
    report = ArchiveCheck(fs, dir, options, true).run();
    report.remark("files newer than the checkpoint: a program wrote while the archive was checked");
    return report;
}

}  // namespace kustos::audit
