// A backup as a disk that can only be read.
#include <algorithm>

#include "vault/backup.h"
#include "vault/src/backup_store.h"

namespace kustos::vault {

namespace {

Error read_only() {
    return Error(Code::read_only, "a backup is only read");
}

// A file that is put together from objects. Keeps one of them open.
class PiecedFile final : public File {
public:
    PiecedFile(Fs& fs, Path dir, const BackupFile& file) : fs_(fs), dir_(std::move(dir)), file_(file) {}
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
        std::size_t done = 0;
        std::uint64_t begin = 0;
        for (std::size_t i = 0; i < file_.pieces.size() && done < out.size(); ++i) {
            const BackupPiece& piece = file_.pieces[i];
            const std::uint64_t at = offset + done;
            if (at < begin + piece.size) {
                const auto n =
                    static_cast<std::size_t>(std::min<std::uint64_t>(out.size() - done, begin + piece.size - at));
                if (!open_ || number_ != i) {
                    open_ = TRY(fs_.open(object_file(dir_, piece.hash), OpenMode::read));
                    number_ = i;
                }
                if (TRY(open_->read_at(at - begin, out.subspan(done, n))) != n)
                    return Error(Code::corrupt, "an object of the backup is too short");
                done += n;
            }
            begin += piece.size;
        }
        return done;
    }
    Result<std::uint64_t> size() override { return file_.size; }
    Status write_at(std::uint64_t, ByteView) override { return read_only(); }
    Status sync() override { return read_only(); }
    Status truncate(std::uint64_t) override { return read_only(); }

private:
    Fs& fs_;
    Path dir_;
    const BackupFile& file_;
    std::unique_ptr<File> open_;
    std::size_t number_ = 0;
};

class BackupView final : public Fs {
public:
    BackupView(Fs& fs, Path dir, BackupManifest manifest, Path root)
        : fs_(fs), dir_(std::move(dir)), manifest_(std::move(manifest)), root_(std::move(root)) {
        std::erase_if(manifest_.files, [](const auto& file) { return file.first.rfind("keys/", 0) == 0; });
    }
    Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode) override {
        if (mode != OpenMode::read) return read_only();
        const auto found = manifest_.files.find(name_of(path));
        if (found == manifest_.files.end()) return Error(Code::not_found, "open: not in the backup");
        return std::unique_ptr<File>(std::make_unique<PiecedFile>(fs_, dir_, found->second));
    }
    bool exists(const Path& path) override {
        return manifest_.files.count(name_of(path)) != 0 || is_folder(name_of(path));
    }
    Result<bool> is_dir(const Path& path) override {
        if (!exists(path)) return Error(Code::not_found, "not in the backup");
        return is_folder(name_of(path));
    }
    Result<std::vector<std::string>> list(const Path& path) override {
        const std::string name = name_of(path);
        if (!is_folder(name)) return Error(Code::not_found, "list folder: not in the backup");
        const std::string prefix = name.empty() ? "" : name + "/";
        std::vector<std::string> names;
        for (auto at = manifest_.files.lower_bound(prefix);
             at != manifest_.files.end() && at->first.compare(0, prefix.size(), prefix) == 0;) {
            const std::string_view rest = std::string_view(at->first).substr(prefix.size());
            names.emplace_back(rest.substr(0, rest.find('/')));
            // '0' follows '/': behind everything that lies in that folder.
            at = rest.find('/') == std::string_view::npos ? std::next(at)
                                                          : manifest_.files.lower_bound(prefix + names.back() + "0");
        }
        std::sort(names.begin(), names.end());
        names.erase(std::unique(names.begin(), names.end()), names.end());
        return names;
    }
    Status make_dirs(const Path&) override { return read_only(); }
    Status rename(const Path&, const Path&) override { return read_only(); }
    Status remove(const Path&) override { return read_only(); }
    Status sync_dir(const Path&) override { return read_only(); }

private:
    std::string name_of(const Path& path) const {
        const std::string name = path.lexically_normal().lexically_relative(root_.lexically_normal()).string();
        return name == "." ? "" : name;
    }
    bool is_folder(const std::string& name) const {
        if (name.empty()) return true;
        const auto at = manifest_.files.lower_bound(name + "/");
        return at != manifest_.files.end() && at->first.compare(0, name.size() + 1, name + "/") == 0;
    }
    Fs& fs_;
    Path dir_;
    BackupManifest manifest_;
    Path root_;
};

}  // namespace

std::unique_ptr<Fs> view_backup(Fs& fs, const Path& dir, BackupManifest manifest, const Path& root) {
    return std::make_unique<BackupView>(fs, dir, std::move(manifest), root);
}

}  // namespace kustos::vault
