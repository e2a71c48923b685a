#include "audit/witness.h"

#include <algorithm>
#include <sstream>

namespace kustos::audit {

namespace {

constexpr std::size_t kMaxProof = 63;
constexpr std::size_t kMaxLogs = 1u << 20;

Error bad(const char* what) {
    return Error(Code::bad_input, std::string("add-checkpoint: ") + what);
}

Result<std::uint64_t> decimal(std::string_view text) {
    if (text.empty() || text.size() > 19 || (text.size() > 1 && text[0] == '0')) return bad("size");
    std::uint64_t v = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return bad("size");
        v = v * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return v;
}

}  // namespace

std::string AddCheckpoint::format() const {
    std::string text = "old " + std::to_string(old_size.value) + "\n";
    for (const Hash& h : proof) text += base64(h.view()) + "\n";
    return text + "\n" + note;
}

Result<AddCheckpoint> AddCheckpoint::parse(ByteView body) {
    if (body.size() > kMaxAddCheckpoint) return Error(Code::limit, "add-checkpoint: larger than 64 KiB");
    std::string_view text = as_text(body);
    AddCheckpoint request;
    for (bool first = true;; first = false) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) return bad("ends before the checkpoint");
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 1);
        if (first) {
            if (!line.starts_with("old ")) return bad("no old size");
            request.old_size = TreeSize(TRY(decimal(line.substr(4))));
            continue;
        }
        if (line.empty()) break;
        if (request.proof.size() == kMaxProof) return bad("more than 63 hashes");
        request.proof.push_back(TRY_IN("add-checkpoint", Hash::from(TRY_IN("add-checkpoint", parse_base64(line)))));
    }
    request.note = std::string(text);
    return request;
}

Witness::~Witness() = default;

Result<std::unique_ptr<Witness>> Witness::open(Environment environment, const Path& dir, const std::string& name) {
    Fs& fs = environment.fs;
    TRY(make_dirs_synced(fs, dir));
    auto lock = FileLock::acquire(dir / "lock");
    if (!lock.ok()) return Error(Code::conflict, "another program runs this witness");
    if (!fs.exists(dir / "key")) {
        if (!is_key_name(name))
            return Error(Code::usage, "a new witness needs a name without spaces, such as witness.example.de")
                .with_hint("--name NAME");
        const SecretBytes seed = SecretBytes::random(environment.random, 32);
        const SignerKey made = TRY(SignerKey::make(name, seed.view(), KeyType::cosignature));
        const SecretBytes text = made.format();
        TRY(put_once(fs, dir / "key", text.view()));
    }
    Bytes text = TRY_IN("witness's key", read_file(fs, dir / "key", 4096));
    auto key = SignerKey::parse(text);
    wipe(text);
    if (!key.ok() || key->type != KeyType::cosignature) return Error(Code::corrupt, "the witness's key can't be read");
    if (!name.empty() && key->name != name)
        return Error(Code::usage, "this folder belongs to another witness: " + key->name);
    auto witness = std::unique_ptr<Witness>(new Witness(environment, dir, std::move(*key)));
    witness->lock_ = std::move(*lock);
    if (fs.exists(dir / "logs")) {
        const Bytes logs = TRY_IN("witness's logs", read_file(fs, dir / "logs", kMaxLogs));
        std::istringstream lines{to_text(logs)};
        std::string line;
        while (std::getline(lines, line)) {
            if (line.empty() || line[0] == '#') continue;
            witness->logs_.push_back(TRY_IN("witness's logs", VerifierKey::parse(line)));
        }
    }
    return witness;
}

Status Witness::add_log(const VerifierKey& log) {
    const std::lock_guard lock(mutex_);
    if (log.type != KeyType::ed25519) return Error(Code::usage, "a ledger's key is of type Ed25519");
    if (std::find(logs_.begin(), logs_.end(), log) != logs_.end()) return {};
    std::string text;
    for (const VerifierKey& k : logs_) text += k.format() + "\n";
    TRY(replace_file(environment_.fs, dir_ / "logs", as_bytes(text + log.format() + "\n")));
    logs_.push_back(log);
    return {};
}

Path Witness::file_of(const std::string& origin) const {
    return dir_ / ("seen-" + sha256(as_bytes(origin)).hex());
}

WitnessAnswer Witness::add_checkpoint(ByteView body) {
    const auto request = AddCheckpoint::parse(body);
    if (!request.ok()) return {400, request.error().message() + "\n"};
    const auto note = parse_note(as_bytes(request->note));
    if (!note.ok()) return {400, note.error().message() + "\n"};
    const auto checkpoint = parse_checkpoint(note->text);
    if (!checkpoint.ok()) return {400, checkpoint.error().message() + "\n"};
    const std::lock_guard lock(mutex_);
    std::vector<VerifierKey> keys;
    for (const VerifierKey& k : logs_) {
        if (k.name == checkpoint->origin) keys.push_back(k);
    }
    if (keys.empty()) return {404, "this ledger is not known here\n"};
    if (!verify_note(*note, keys).ok()) return {403, "not signed by the ledger's key\n"};
    if (request->old_size > checkpoint->size) return {400, "the old size is above the checkpoint's\n"};

    TreeHead seen = empty_head();
    const Path file = file_of(checkpoint->origin);
    if (environment_.fs.exists(file)) {
        const auto stored = read_file(environment_.fs, file, kMaxNote);
        const auto known = stored.ok() ? parse_note(*stored) : Result<Note>(stored.error());
        const auto head = known.ok() ? parse_checkpoint(known->text) : Result<Checkpoint>(known.error());
        if (!head.ok() || head->origin != checkpoint->origin) return {500, "the witness's memory can't be read\n"};
        seen = head->head();
    }
    const WitnessAnswer out_of_step{409, std::to_string(seen.size.value) + "\n"};
    if (request->old_size != seen.size) return out_of_step;
    if (seen.size == checkpoint->size) {
        if (!(seen.root == checkpoint->root)) return out_of_step;
        if (!request->proof.empty()) return {422, "no proof belongs to equal sizes\n"};
    } else if (seen.size.value == 0) {
        if (!request->proof.empty()) return {422, "no proof belongs to an empty ledger\n"};
    } else if (!verify_consistency(seen.size, checkpoint->size, seen.root, checkpoint->root, request->proof).ok()) {
        return {422, "the checkpoint does not continue the one seen before\n"};
    }
    const std::string line = cosign(note->text, key_, environment_.clock.now());
    if (!(seen == checkpoint->head()) || !environment_.fs.exists(file)) {
        if (!replace_file(environment_.fs, file, as_bytes(request->note)).ok())
            return {500, "the witness can't store what it has seen\n"};
    }
    return {200, line};
}

}  // namespace kustos::audit
