#include "vault/src/backup_store.h"

#include <algorithm>

#include "base/crypto.h"

namespace kustos::vault {

namespace {
Error interrupted() {
    return Error(Code::interrupted, "interrupted; the backup before still counts")
        .with_hint("run the same command again: what was copied is not copied twice");
}
}  // namespace

Path object_file(const Path& dir, const Hash& hash) {
    const std::string name = hash.hex();
    return dir / "objects" / name.substr(0, 2) / name.substr(2);
}

ByteSource source_of(ByteView bytes) {
    return {[bytes](std::uint64_t offset, std::span<std::uint8_t> out) -> Result<std::size_t> {
                const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), bytes.size() - offset));
                std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), n, out.begin());
                return n;
            },
            bytes.size()};
}

ByteSource source_of(File& file, std::uint64_t length) {
    return {[&file](std::uint64_t offset, std::span<std::uint8_t> out) { return file.read_at(offset, out); }, length};
}

Result<Hash> BackupStore::hash_of(const ByteSource& source, std::uint64_t from, std::uint64_t length, Sha256& whole) {
    Sha256 hash;
    while (length > 0) {
        if (stop_ && stop_()) return interrupted();
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(length, buffer_.size()));
        if (TRY(source.read(from, std::span(buffer_).first(n))) != n)
            return Error(Code::corrupt, "a file of the archive is shorter than it was");
        hash.update(ByteView(buffer_).first(n));
        whole.update(ByteView(buffer_).first(n));
        from += n;
        length -= n;
        if (advanced) advanced(n);
    }
    return hash.finish();
}

Status BackupStore::write_object(const ByteSource& source, std::uint64_t from, const BackupPiece& piece) {
    const Path file = object_file(dir_, piece.hash);
    folders_.insert(file.parent_path());
    if (fs_.exists(file)) return {};
    if (!fs_.exists(file.parent_path())) TRY(make_dirs_synced(fs_, file.parent_path()));
    const Path part = dir_ / "incoming";
    {
        auto out = TRY(fs_.open(part, OpenMode::create_or_open));
        TRY(out->truncate(0));
        Sha256 hash;
        for (std::uint64_t at = 0; at < piece.size;) {
            const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size - at, buffer_.size()));
            if (TRY(source.read(from + at, std::span(buffer_).first(n))) != n)
                return Error(Code::corrupt, "a file of the archive is shorter than it was");
            hash.update(ByteView(buffer_).first(n));
            TRY(out->write_at(at, ByteView(buffer_).first(n)));
            at += n;
        }
        if (!(hash.finish() == piece.hash))
            return Error(Code::environment, "a file changed while it was copied").with_hint("run it again");
        TRY(out->sync());
    }
    written_ += piece.size;
    return fs_.rename(part, file);
}

Result<BackupFile> BackupStore::put(const ByteSource& source, const BackupFile* before) {
    BackupFile file;
    file.size = source.length;
    Sha256 whole;
    std::uint64_t at = 0;
    bool same = before != nullptr;
    for (std::size_t i = 0; at < source.length;) {
        BackupPiece piece;
        const bool old = same && i < before->pieces.size() && before->pieces[i].size <= source.length - at;
        piece.size = old ? before->pieces[i].size : std::min(kPieceBytes, source.length - at);
        piece.hash = TRY(hash_of(source, at, piece.size, whole));
        same = old && piece == before->pieces[i];
        ++i;
        TRY(write_object(source, at, piece));
        at += piece.size;
        file.pieces.push_back(piece);
    }
    file.hash = whole.finish();
    return file;
}

Status BackupStore::make_durable() {
    for (const Path& folder : folders_) TRY(fs_.sync_dir(folder));
    folders_.clear();
    return {};
}

Result<std::uint64_t> BackupStore::remove_others(const std::set<std::string>& named) {
    std::uint64_t removed = 0;
    if (!fs_.exists(dir_ / "objects")) return removed;
    for (const std::string& folder : TRY(fs_.list(dir_ / "objects"))) {
        bool any = false;
        for (const std::string& name : TRY(fs_.list(dir_ / "objects" / folder))) {
            if (named.count(folder + name) != 0) continue;
            TRY(fs_.remove(dir_ / "objects" / folder / name));
            any = true;
            ++removed;
        }
        if (any) TRY(fs_.sync_dir(dir_ / "objects" / folder));
    }
    return removed;
}

}  // namespace kustos::vault
