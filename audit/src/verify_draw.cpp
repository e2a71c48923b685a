#include "audit/verify_draw.h"

#include <unordered_set>

#include "audit/erasures.h"
#include "audit/key_history.h"
#include "audit/ledger.h"
#include "audit/segment.h"
#include "base/crypto.h"

namespace kustos::audit {

namespace {

constexpr std::size_t kPiece = 1u << 20;

Result<VerifierKey> introduced_key(const LedgerReader& reader) {
    const Entry entry = TRY_IN("entry 0", reader.entry(EntryIndex(0)));
    const BodyReader body = TRY_IN("entry 0", BodyReader::parse(entry.body));
    if (control_action(entry) != ControlAction::archive_created)
        return Error(Code::corrupt, "entry 0 does not introduce an archive");
    return VerifierKey::parse(body.find_text(Tag::vkey).value_or(""));
}

Status check_ciphertext(const SegmentReader& segments, EntryIndex index, const EntryHeader& h, std::uint64_t& bytes) {
    const Frame frame = TRY(segments.frame(index));
    Sha256 hash;
    Bytes piece(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, frame.length())));
    for (std::uint64_t at = 0; at < frame.length();) {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), frame.length() - at));
        TRY(frame.read(at, std::span(piece).first(n)));
        hash.update(ByteView(piece).first(n));
        at += n;
    }
    bytes += frame.length();
    if (frame.length() != h.ciphertext_length || !(hash.finish() == h.ciphertext_hash))
        return Error(Code::corrupt, "the ciphertext is not the one that was sealed");
    return {};
}

class DrawnCheck {
public:
    DrawnCheck(Fs& fs, const Path& dir, const std::optional<Trust>& trust)
        : fs_(fs), ledger_(dir / "ledger"), vault_(dir / "vault"), trust_(trust) {
        report_.subject = "archive";
        report_.mode = "sampled";
    }
    Report run(ByteView nonce, std::uint64_t count) {
        report_.nonce = hex(nonce);
        if (const Status done = check(nonce, count); !done.ok())
            report_.problem("archive.unreadable", "archive", done.error().message());
        return std::move(report_);
    }

private:
    Status check(ByteView nonce, std::uint64_t count) {
        const std::string note = TRY_IN("ledger/checkpoint", read_note(fs_, checkpoint_file(ledger_)));
        const auto reader = TRY(LedgerReader::open(fs_, ledger_));
        const VerifierKey first = TRY(introduced_key(*reader));
        const KeyHistory history = TRY_IN("ledger/rotations", read_history(fs_, ledger_, first));
        report_.fingerprint = key_fingerprint(history.first().format());
        const auto head = history.open(as_bytes(note));
        if (!head.ok()) {
            report_.problem("checkpoint", "ledger/checkpoint", head.error().message());
            return {};
        }
        report_.checked["checkpoints"] += 1;
        report_.size = head->checkpoint.size.value;
        report_.root = head->checkpoint.root;
        judge_origin(history);
        const SegmentReader segments(
            fs_, vault_, [&reader](EntryIndex i) { return reader->header(i); },
            [](EntryIndex, const EntryHeader&) { return true; });  // whether it may be is asked below
        const auto not_erased = [&](EntryIndex i) -> Result<bool> {
            const bool gone = is_erased(*reader, segments, i, head->checkpoint);
            report_.passed_over += gone ? 1 : 0;
            return !gone;
        };
        const auto drawn = TRY(draw_entries(head->checkpoint.root, head->checkpoint.size, nonce, count, not_erased));
        report_.sampled = drawn.size();
        for (const EntryIndex index : drawn) check_entry(*reader, segments, index, head->checkpoint);
        report_.remark(RemarkCode::only_drawn);
        report_.remark(RemarkCode::not_decrypted);
        return {};
    }

    // The ciphertext is gone, and a finished erasure covers it. Only where one is gone the ledger is read for that.
    bool is_erased(const LedgerReader& reader, const SegmentReader& segments, EntryIndex index,
                   const Checkpoint& head) {
        const auto header = reader.header(index);
        if (!header.ok() || header->suite == Suite::none) return false;
        const auto frame = segments.frame(index);
        if (frame.ok() || frame.error().code() != Code::not_found) return false;
        if (!erasures_) {
            auto collected = collect_erasures(reader, head.size, head.root);
            erasures_.emplace(collected.ok() ? std::move(*collected) : Erasures());
        }
        return erasures_->covered(header->tree, header->leaf);
    }

    void check_entry(const LedgerReader& reader, const SegmentReader& segments, EntryIndex index,
                     const Checkpoint& head) {
        const std::string where = "entry " + std::to_string(index.value);
        const auto bytes = reader.entry_bytes(index);
        if (!bytes.ok()) {
            report_.problem("ledger.entries", where, bytes.error().message());
            return;
        }
        report_.checked["entries"] += 1;
        const auto proof = reader.proof(index, head.size);
        if (!proof.ok()) {
            report_.problem("ledger.tile", where, proof.error().message());
        } else if (!verify_inclusion(index, head.size, leaf_hash(*bytes), *proof, head.root).ok()) {
            report_.problem("checkpoint", where, "does not stand in the tree that the checkpoint states");
        } else {
            report_.checked["proofs"] += 1;
        }
        const auto header = decode_header(*bytes);
        if (!header.ok()) {
            report_.problem("ledger.entries", where, header.error().message());
            return;
        }
        if (header->ciphertext_length == 0) return;
        std::uint64_t hashed = 0;
        if (const Status held = check_ciphertext(segments, index, *header, hashed); !held.ok()) {
            report_.problem(held.error().code() == Code::not_found ? "vault.missing" : "vault.segment", where,
                            held.error().message());
        } else {
            report_.checked["frames"] += 1;
            report_.checked["bytes"] += hashed;
        }
    }

    void judge_origin(const KeyHistory& history) {
        if (!trust_) return;
        for (const VerifierKey& log : trust_->logs) {
            if (history.has(log)) {
                report_.origin = Origin::pinned;
                if (!trust_->quorum.empty()) report_.remark(RemarkCode::unwitnessed, {std::to_string(report_.size)});
                return;
            }
        }
        report_.problem("origin.mismatch", "ledger", "the trust file names another ledger than this one");
    }

    Fs& fs_;
    Path ledger_, vault_;
    const std::optional<Trust>& trust_;
    std::optional<Erasures> erasures_;
    Report report_;
};

}  // namespace

Draw::Draw(const Hash& root, TreeSize size, ByteView nonce) : size_(size.value) {
    put(seed_, root.view());
    put(seed_, nonce);
}

EntryIndex Draw::next() {
    std::uint8_t counter[8];
    store_u64(counter, counter_++);
    const Hash hash = sha256({seed_, ByteView(counter)});
    // The first 128 bits: what modulo favours is below 2^-64.
    __extension__ using Wide = unsigned __int128;
    const Wide wide = (Wide{load_u64(hash.bytes.data())} << 64) | load_u64(hash.bytes.data() + 8);
    return EntryIndex(static_cast<std::uint64_t>(wide % size_));
}

Result<std::vector<EntryIndex>> draw_entries(const Hash& root, TreeSize size, ByteView nonce, std::uint64_t count,
                                             const std::function<Result<bool>(EntryIndex)>& fits) {
    if (nonce.size() < 8 || nonce.size() > kMaxNonce)
        return Error(Code::usage, "a nonce has 8 to 64 bytes, in hex").with_hint("openssl rand -hex 16 makes one");
    if (count == 0 || count > kMostDrawn) return Error(Code::usage, "a sample has 1 to 1000000 entries");
    std::vector<EntryIndex> drawn;
    if (size.value == 0) return drawn;
    std::unordered_set<std::uint64_t> seen;
    Draw draw(root, size, nonce);
    const std::uint64_t most = std::max(count, std::min(size.value, count)) * 64;
    for (std::uint64_t tries = 0; drawn.size() < count && seen.size() < size.value && tries < most; ++tries) {
        const EntryIndex index = draw.next();
        if (!seen.insert(index.value).second) continue;
        if (!fits || TRY(fits(index))) drawn.push_back(index);
    }
    return drawn;
}

Report verify_drawn(Fs& fs, const Path& dir, ByteView nonce, std::uint64_t count, const std::optional<Trust>& trust) {
    return DrawnCheck(fs, dir, trust).run(nonce, count);
}

}  // namespace kustos::audit
