// What a stream may rest on when it takes something out of its counterpart: the published checkpoint with its
// signature, the proof to it, and the ciphertext as it is read back now. Nothing of it needs a key.
#include "app/house.h"
#include "app/intake.h"
#include "audit/tlog_proof.h"
#include "base/crypto.h"
#include "vault/payload.h"
#include "vault/retention.h"

namespace kustos::app {

using ingest::Proof;

namespace {

constexpr std::size_t kPiece = 256u << 10;

bool is_gone(Code code) {
    return code == Code::bad_input || code == Code::corrupt || code == Code::not_found || code == Code::limit;
}

class Prover {
public:
    // Code::not_found: no checkpoint is published yet.
    static Result<Prover> of(vault::Archive& archive, SourceId source) {
        const auto published = archive.newest_published();
        if (!published) return Error(Code::not_found, "no checkpoint is published yet");
        return Prover(archive, source, published->size, TRY(archive.published_note(published->size)),
                      TRY(audit::VerifierKey::parse(archive.vkey())));
    }

    Result<Proof> record(EntryIndex index) {
        if (index.value >= size_.value) return Proof::not_yet;
        const audit::Entry entry = TRY(archive_.entry(index));
        if (entry.header.kind != audit::Kind::record || entry.header.source != source_) return Proof::failed;
        if (archive_.is_erased(entry.header)) return Proof::erased;
        if (!TRY(holds(index, entry))) return Proof::failed;
        // Its attachments that are entries of their own stand right before it.
        for (EntryIndex at = index; at.value > 0;) {
            --at.value;
            const audit::Entry blob = TRY(archive_.entry(at));
            if (blob.header.kind != audit::Kind::blob) break;
            if (!archive_.is_erased(blob.header) && !TRY(holds(at, blob))) return Proof::failed;
        }
        return Proof::proven;
    }

private:
    Prover(vault::Archive& archive, SourceId source, TreeSize size, std::string note, audit::VerifierKey key)
        : archive_(archive), source_(source), size_(size), note_(std::move(note)), key_(std::move(key)) {}

    Result<bool> holds(EntryIndex index, const audit::Entry& entry) {
        audit::TlogProof proof;
        proof.index = index;
        proof.proof = TRY(archive_.ledger().proof(index, size_));
        proof.note = note_;
        const auto shown = audit::verify_tlog_proof(proof, audit::encode(entry), key_);
        if (!shown.ok() && is_gone(shown.error().code())) return false;
        TRY(std::move(shown));
        const auto read = ciphertext(index);
        if (!read.ok() && is_gone(read.error().code())) return false;
        return TRY(std::move(read)) == entry.header.ciphertext_hash;
    }

    Result<Hash> ciphertext(EntryIndex index) const {
        const audit::Frame frame = TRY(archive_.segments().frame(index));
        Sha256 hash;
        Bytes piece(kPiece);
        for (std::uint64_t at = 0; at < frame.length();) {
            const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, frame.length() - at));
            TRY(frame.read(at, std::span(piece).first(size)));
            hash.update(ByteView(piece).first(size));
            at += size;
        }
        return hash.finish();
    }

    vault::Archive& archive_;
    SourceId source_;
    TreeSize size_;
    std::string note_;
    audit::VerifierKey key_;
};

}  // namespace

Result<std::vector<Proof>> HouseIntake::prove(const std::vector<EntryIndex>& entries) {
    std::vector<Proof> out(entries.size(), Proof::not_yet);
    auto prover = Prover::of(house_.archive(), source_);
    if (!prover.ok() && prover.error().code() == Code::not_found) return out;
    TRY(Status(prover.ok() ? ok_status() : Status(prover.error())));
    for (std::size_t i = 0; i < entries.size(); ++i) out[i] = TRY(prover->record(entries[i]));
    return out;
}

Status HouseIntake::clearing(std::uint64_t count, std::string_view part, std::string_view what) {
    const Hash mac = about_mac("promise", part);  // the part's, as its promises have it
    vault::DecisionText text;
    const std::string scope = std::string(part) + " " + std::string(what);
    text.scope = scope;
    TRY(house_.archive().record_control(
        audit::ControlAction::source_cleared,
        [&](audit::Body& body) {
            body.put_u64(audit::Tag::entry, source_.value).put_u64(audit::Tag::count, count);
            body.put_hash(audit::Tag::related_hash, mac);
        },
        vault::kConfigurationClass, vault::compose_decision(text)));
    return {};
}

}  // namespace kustos::app
