// A new checkpoint key: announced by an entry under the present one, proven, and only then used. Each step can be
// repeated; what a crash left half done the next start finishes.
#include "app/house.h"
#include "audit/key_history.h"
#include "audit/tlog_proof.h"
#include "base/log.h"

namespace kustos::app {

Result<std::string> House::rotate_key(const std::string& source) {
    const std::lock_guard lock(anchor_mutex_);  // no publication between the announcement and the new key
    audit::Signer& signer = archive_->signer();
    const audit::VerifierKey next = TRY_IN("signer", signer.next_key(source));
    return finish_rotation(next);
}

Result<std::string> House::finish_rotation(const audit::VerifierKey& next) {
    audit::Signer& signer = archive_->signer();
    const Path ledger = options_.archive / "ledger";
    auto rotations = TRY(audit::read_rotations(environment_.fs, ledger));
    // A crash may have left the announcement proven and not used, or the proof unwritten: then it is announced again.
    const auto announced = rotations.empty() ? Result<audit::VerifierKey>(Error(Code::not_found, ""))
                                             : audit::announced_key(rotations.back().entry);
    if (!announced.ok() || !(*announced == next)) {
        const vault::Receipt receipt =
            TRY(archive_->record_control(audit::ControlAction::key_rotated,
                                         [&](audit::Body& body) { body.put_text(audit::Tag::vkey, next.format()); }));
        const TreeSize size = TRY(archive_->publish());
        audit::Rotation rotation;
        rotation.entry = audit::encode(TRY(archive_->entry(receipt.index)));
        audit::TlogProof proof;
        proof.index = receipt.index;
        proof.proof = TRY(archive_->ledger().proof(receipt.index, size));
        proof.note = TRY(archive_->published_note(size));
        rotation.proof = proof.format();
        TRY(audit::store_rotation(environment_.fs, ledger, static_cast<std::uint32_t>(rotations.size() + 1), rotation));
        rotations.push_back(std::move(rotation));
    }
    TRY_IN("signer", signer.take_next_key(rotations.back().entry, rotations.back().proof));
    TRY(archive_->settle());
    // Receipts are judged by the key that signed their checkpoint: whoever trusts this archive trusts the new one too.
    const Path file = options_.archive / "trust.policy";
    std::string text = to_text(TRY(read_file(environment_.fs, file, audit::kMaxTrustFile)));
    const std::string line = "log " + next.format() + "\n";
    if (text.find(line) == std::string::npos) {
        const std::size_t quorum = text.find("quorum ");
        text.insert(quorum == std::string::npos ? text.size() : quorum, line);
        TRY(replace_file(environment_.fs, file, as_bytes(text)));
    }
    log(LogLevel::info, "a new checkpoint key signs", {{"rotations", rotations.size()}});
    return next.format();
}

}  // namespace kustos::app
