#include "audit/key_history.h"

#include <algorithm>

#include "audit/ledger.h"
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
    steps_.push_back({std::move(key), proof.index, checkpoint.size, false, leaf_hash(rotation.entry)});
    return {};
}

Status KeyHistory::add(EntryIndex index, ByteView continued) {
    const Entry entry = TRY(decode_entry(continued));
    const BodyReader body = TRY(BodyReader::parse(entry.body));
    const auto origin = body.find_text(Tag::origin), vkey = body.find_text(Tag::vkey);
    const auto before = body.find_text(Tag::previous_origin);
    const auto size = body.find_u64(Tag::checkpoint_size);
    const auto root = body.find_hash(Tag::root);
    if (control_action(entry) != ControlAction::archive_continued || !origin || !vkey || !before || !size || !root)
        return Error(Code::bad_input, "the entry continues no ledger");
    VerifierKey key = TRY(VerifierKey::parse(*vkey));
    const OriginParts old = TRY(parse_origin(first().name)), now = TRY(parse_origin(*origin));
    if (key.name != *origin || key.type != KeyType::ed25519 || *before != first().name || !(old.vault == now.vault) ||
        now.continuation <= old.continuation || *size != index.value || index.value < steps_.back().proven.value)
        return Error(Code::bad_input, "the continuation does not fit the ledger before");
    steps_.push_back({std::move(key), index, TreeSize(index.value), true, leaf_hash(continued)});
    era_ = steps_.size() - 1;
    return {};
}

bool KeyHistory::has(const VerifierKey& key) const {
    return std::any_of(steps_.begin() + static_cast<std::ptrdiff_t>(era_), steps_.end(),
                       [&](const Step& s) { return s.key == key; });
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
    TRY(make_dirs_synced(fs, ledger_dir / "rotations"));
    TRY(replace_file(fs, file_of(ledger_dir, number, ".entry"), rotation.entry));
    return replace_file(fs, file_of(ledger_dir, number, ".tlog-proof"), as_bytes(rotation.proof));
}

Result<std::vector<Continued>> read_continuations(Fs& fs, const Path& ledger_dir) {
    std::vector<Continued> all;
    const Path folder = ledger_dir / "continuations";
    if (!fs.exists(folder)) return all;
    for (const std::string& name : TRY_IN("ledger/continuations", fs.list(folder))) {
        if (name.size() != 18 || name.substr(12) != ".entry") continue;
        const auto index = parse_twelve_digits(name.substr(0, 12));
        if (!index.ok() || all.size() >= kMaxContinuation)
            return Error(Code::corrupt, "ledger/continuations: names that are none, or too many");
        all.push_back({EntryIndex(*index), TRY_IN("ledger/continuations", read_file(fs, folder / name, 65'535))});
    }
    std::sort(all.begin(), all.end(), [](const Continued& a, const Continued& b) { return a.index < b.index; });
    return all;
}

Status store_continuation(Fs& fs, const Path& ledger_dir, const Continued& continued) {
    TRY(make_dirs_synced(fs, ledger_dir / "continuations"));
    return replace_file(fs, ledger_dir / "continuations" / (twelve_digits(continued.index.value) + ".entry"),
                        continued.entry);
}

Status add_all(KeyHistory& history, std::span<const Rotation> rotations, std::span<const Continued> continuations) {
    for (std::size_t r = 0, c = 0; r < rotations.size() || c < continuations.size();) {
        bool rotation = c == continuations.size();
        if (!rotation && r < rotations.size())
            rotation = TRY(TlogProof::parse(as_bytes(rotations[r].proof))).index < continuations[c].index;
        if (rotation) {
            TRY_IN("ledger/rotations/" + six_digits(static_cast<std::uint32_t>(r + 1)), history.add(rotations[r]));
            ++r;
        } else {
            TRY_IN("ledger/continuations", history.add(continuations[c].index, continuations[c].entry));
            ++c;
        }
    }
    return {};
}

Result<KeyHistory> read_history(Fs& fs, const Path& ledger_dir, const VerifierKey& first) {
    KeyHistory history(first);
    TRY(add_all(history, TRY(read_rotations(fs, ledger_dir)), TRY(read_continuations(fs, ledger_dir))));
    return history;
}

}  // namespace kustos::audit
