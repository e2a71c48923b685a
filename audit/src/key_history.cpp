#include "audit/key_history.h"

#include <algorithm>

#include "audit/tlog_proof.h"

namespace kustos::audit {

namespace {

std::string six_digits(std::uint32_t number) {
    const std::string digits = std::to_string(number);
    return std::string(6 - std::min<std::size_t>(6, digits.size()), '0') + digits;
}
Path file_of(const Path& ledger_dir, std::uint32_t number, const char* ending) {
    return ledger_dir / "rotations" / (six_digits(number) + ending);
}

}  // namespace

Result<VerifierKey> announced_key(ByteView bytes) {
    const Entry entry = TRY(decode_entry(bytes));
    const BodyReader body = TRY(BodyReader::parse(entry.body));
    const auto vkey = body.find_text(Tag::vkey);
    if (control_action(entry) != ControlAction::key_rotated || !vkey)
        return Error(Code::bad_input, "the entry announces no key");
    return VerifierKey::parse(*vkey);
}

Status KeyHistory::add(const Rotation& rotation) {
    if (steps_.size() > kMaxRotations) return Error(Code::limit, "too many rotations");
    const TlogProof proof = TRY(TlogProof::parse(as_bytes(rotation.proof)));
    const Checkpoint checkpoint = TRY(verify_tlog_proof(proof, rotation.entry, newest()));
    VerifierKey key = TRY(announced_key(rotation.entry));
    if (key.name != first().name || key.type != KeyType::ed25519 || has(key))
        return Error(Code::bad_input, "the announced key does not fit the ledger");
    if (checkpoint.size <= steps_.back().proven || (steps_.size() > 1 && proof.index <= steps_.back().entry))
        return Error(Code::bad_input, "rotations are out of order");
    steps_.push_back({std::move(key), proof.index, checkpoint.size});
    return {};
}

bool KeyHistory::has(const VerifierKey& key) const {
    return std::any_of(steps_.begin(), steps_.end(), [&](const Step& s) { return s.key == key; });
}

Result<KeyHistory::Opened> KeyHistory::open(ByteView note) const {
    const Note parsed = TRY(parse_note(note));
    const TreeSize size = TRY(parse_checkpoint(parsed.text)).size;
    for (std::size_t i = steps_.size(); i-- > 0;) {
        const bool last = i + 1 == steps_.size();
        if (size < steps_[i].proven || (!last && size > steps_[i + 1].proven)) continue;
        auto checkpoint = open_checkpoint(note, steps_[i].key);
        // At the border the key before is tried too.
        if (checkpoint.ok()) return Opened{std::move(*checkpoint), steps_[i].key};
        if (i == 0 || size != steps_[i].proven) return checkpoint.error();
    }
    return Error(Code::bad_input, "no key of this ledger signs checkpoints of this size");
}

Result<std::vector<Rotation>> read_rotations(Fs& fs, const Path& ledger_dir) {
    std::vector<Rotation> rotations;
    for (std::uint32_t number = 1; fs.exists(file_of(ledger_dir, number, ".tlog-proof")); ++number) {
        if (number > kMaxRotations) return Error(Code::corrupt, "ledger/rotations: too many");
        Rotation rotation;
        rotation.entry = TRY_IN("ledger/rotations", read_file(fs, file_of(ledger_dir, number, ".entry"), 65'535));
        rotation.proof =
            to_text(TRY_IN("ledger/rotations", read_file(fs, file_of(ledger_dir, number, ".tlog-proof"), kMaxNote)));
        rotations.push_back(std::move(rotation));
    }
    return rotations;
}

Status store_rotation(Fs& fs, const Path& ledger_dir, std::uint32_t number, const Rotation& rotation) {
    TRY(fs.make_dirs(ledger_dir / "rotations"));
    TRY(replace_file(fs, file_of(ledger_dir, number, ".entry"), rotation.entry));
    return replace_file(fs, file_of(ledger_dir, number, ".tlog-proof"), as_bytes(rotation.proof));
}

Result<KeyHistory> read_history(Fs& fs, const Path& ledger_dir, const VerifierKey& first) {
    KeyHistory history(first);
    const auto rotations = TRY(read_rotations(fs, ledger_dir));
    for (std::size_t i = 0; i < rotations.size(); ++i)
        TRY_IN("ledger/rotations/" + six_digits(static_cast<std::uint32_t>(i + 1)), history.add(rotations[i]));
    return history;
}

}  // namespace kustos::audit
