// The manifest's text, both ways (docs/format/backup.md).
#include <charconv>

#include "base/crypto.h"
#include "vault/backup.h"

namespace kustos::vault {

namespace {

constexpr std::uint64_t kMaxManifest = 4ULL << 30;

Error bad(const char* what) {
    return Error(Code::bad_input, std::string("the backup's manifest ") + what);
}

class Lines {
public:
    explicit Lines(std::string_view text) : text_(text) {}
    bool end() const { return text_.empty(); }
    Result<std::string_view> next() {
        const std::size_t end = text_.find('\n');
        if (end == std::string_view::npos) return bad("ends in the middle of a line");
        const std::string_view line = text_.substr(0, end);
        text_.remove_prefix(end + 1);
        return line;
    }
    Result<std::string_view> value(std::string_view label) {
        const std::string_view line = TRY(next());
        if (line.substr(0, label.size()) != label) return bad("is not in its form");
        return line.substr(label.size());
    }

private:
    std::string_view text_;
};

Result<std::uint64_t> number(std::string_view text) {
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size()) return bad("has a number that is none");
    return n;
}

std::string_view word(std::string_view& rest) {
    const std::size_t space = std::min(rest.find(' '), rest.size());
    const std::string_view first = rest.substr(0, space);
    rest.remove_prefix(std::min(space + 1, rest.size()));
    return first;
}

Result<Hash> hash(std::string_view text) {
    return Hash::from(TRY(parse_hex(text)));
}

}  // namespace

std::string format(const BackupManifest& m) {
    std::string text = "kustos-backup 1\nvault " + m.vault.hex() + "\nmade " + format_rfc3339(m.made) + "\nsize " +
                       std::to_string(m.size.value) + "\nroot " + m.root.hex() + "\ngeneration " +
                       std::to_string(m.generation) + "\n";
    for (const auto& [path, file] : m.files) {
        text += "file " + file.hash.hex() + " " + std::to_string(file.size) + " " + path + "\n";
        for (const BackupPiece& p : file.pieces) text += "piece " + p.hash.hex() + " " + std::to_string(p.size) + "\n";
    }
    return text + "end " + sha256(as_bytes(text)).hex() + "\n";
}

Result<BackupManifest> parse_backup_manifest(std::string_view text) {
    const std::size_t end = text.rfind("end ");
    if (end == std::string_view::npos || text.size() - end != 4 + 64 + 1 || text.back() != '\n' ||
        text.substr(end + 4, 64) != sha256(as_bytes(text.substr(0, end))).hex())
        return bad("is damaged");
    Lines lines(text.substr(0, end));
    if (TRY(lines.value("kustos-backup ")) != "1") return Error(Code::not_in_version, "a backup of a later version");
    BackupManifest m;
    m.vault = TRY(VaultId::from(TRY(parse_hex(TRY(lines.value("vault "))))));
    m.made = TRY(parse_rfc3339(TRY(lines.value("made "))));
    m.size = TreeSize(TRY(number(TRY(lines.value("size ")))));
    m.root = TRY(hash(TRY(lines.value("root "))));
    m.generation = static_cast<std::uint32_t>(TRY(number(TRY(lines.value("generation ")))));
    BackupFile* file = nullptr;
    std::uint64_t due = 0;
    while (!lines.end()) {
        std::string_view line = TRY(lines.next());
        const std::string_view kind = word(line);
        const Hash digest = TRY(hash(word(line)));
        const std::uint64_t size = TRY(number(word(line)));
        if (kind == "file" && due == 0) {
            const RelPath path = TRY(RelPath::parse(line));
            if (m.files.count(path.text()) != 0) return bad("names a file twice");
            file = &m.files[path.text()];
            file->hash = digest;
            file->size = due = size;
        } else if (kind == "piece" && file != nullptr && size != 0 && size <= due && line.empty()) {
            file->pieces.push_back({digest, size});
            due -= size;
        } else {
            return bad("is not in its form");
        }
    }
    if (due != 0) return bad("lacks a piece");
    return m;
}

Result<BackupManifest> load_backup(Fs& fs, const Path& dir) {
    const auto bytes = read_file(fs, dir / "manifest", kMaxManifest);
    if (!bytes.ok() && bytes.error().code() == Code::not_found)
        return Error(Code::not_found, "there is no complete backup at " + dir.string());
    return parse_backup_manifest(as_text(TRY(bytes)));
}

}  // namespace kustos::vault
