#include "app/src/memory_folders.h"

#include <algorithm>

namespace kustos::app {

namespace {

std::string key_of(const Path& path) {
    std::string key = path.lexically_normal().string();
    while (key.size() > 1 && key.back() == '/') key.pop_back();
    return key;
}

bool lies_below(const std::string& path, const std::string& folder) {
    return path.size() > folder.size() && path.compare(0, folder.size(), folder) == 0 && path[folder.size()] == '/';
}

std::vector<std::string> keys_of(const std::vector<Path>& paths) {
    std::vector<std::string> keys;
    for (const Path& path : paths) keys.push_back(key_of(path));
    return keys;
}

Error absent() {
    return Error(Code::not_found, "open: No such file or directory");
}

}  // namespace

class MemoryFolders::MemoryFile final : public File {
public:
    MemoryFile(std::mutex& mutex, std::shared_ptr<Content> content) : mutex_(mutex), content_(std::move(content)) {}

    Status write_at(std::uint64_t offset, ByteView bytes) override {
        const std::lock_guard guard(mutex_);
        if (content_->bytes.size() < offset + bytes.size()) resize(static_cast<std::size_t>(offset + bytes.size()));
        std::copy(bytes.begin(), bytes.end(), content_->bytes.writable().begin() + static_cast<std::ptrdiff_t>(offset));
        return {};
    }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
        const std::lock_guard guard(mutex_);
        const ByteView all = content_->bytes.view();
        if (offset >= all.size()) return std::size_t{0};
        const ByteView part = all.subspan(static_cast<std::size_t>(offset));
        const std::size_t n = std::min(part.size(), out.size());
        std::copy_n(part.begin(), n, out.begin());
        return n;
    }
    Status sync() override { return {}; }
    Status truncate(std::uint64_t size) override {
        const std::lock_guard guard(mutex_);
        resize(static_cast<std::size_t>(size));
        return {};
    }
    Result<std::uint64_t> size() override {
        const std::lock_guard guard(mutex_);
        return std::uint64_t{content_->bytes.size()};
    }

private:
    void resize(std::size_t size) {
        SecretBytes next(size);
        const ByteView now = content_->bytes.view();
        std::copy_n(now.begin(), std::min(now.size(), size), next.writable().begin());
        content_->bytes = std::move(next);
    }

    std::mutex& mutex_;
    std::shared_ptr<Content> content_;
};

MemoryFolders::MemoryFolders(Fs& inner, const std::vector<Path>& folders) : inner_(inner), folders_(keys_of(folders)) {}

bool MemoryFolders::held(const Path& path) const {
    const std::string key = key_of(path);
    return std::any_of(folders_.begin(), folders_.end(),
                       [&key](const std::string& folder) { return key == folder || lies_below(key, folder); });
}

Result<std::unique_ptr<File>> MemoryFolders::open(const Path& path, OpenMode mode) {
    if (!held(path)) return inner_.open(path, mode);
    const std::lock_guard guard(mutex_);
    const std::string key = key_of(path);
    if (dirs_.count(key) != 0) return Error(Code::environment, "open: not a file");
    const auto found = files_.find(key);
    if (found != files_.end() && mode == OpenMode::create_new) return Error(Code::conflict, "open: File exists");
    if (found != files_.end()) return std::unique_ptr<File>(std::make_unique<MemoryFile>(mutex_, found->second));
    if (mode == OpenMode::read || mode == OpenMode::read_write) return absent();
    if (dirs_.count(key_of(path.parent_path())) == 0) return absent();
    auto content = std::make_shared<Content>();
    files_[key] = content;
    return std::unique_ptr<File>(std::make_unique<MemoryFile>(mutex_, std::move(content)));
}

Status MemoryFolders::make_dirs(const Path& path) {
    if (!held(path)) return inner_.make_dirs(path);
    Path p = key_of(path);
    for (; held(p); p = p.parent_path()) {
        const std::lock_guard guard(mutex_);
        dirs_.insert(p.string());
    }
    return inner_.make_dirs(p);
}

Status MemoryFolders::rename(const Path& from, const Path& to) {
    if (held(from) != held(to)) return Error(Code::environment, "rename: what is in memory stays there");
    return held(from) ? rename_held(key_of(from), key_of(to)) : inner_.rename(from, to);
}

Status MemoryFolders::rename_held(const std::string& from, const std::string& to) {
    const std::lock_guard guard(mutex_);
    if (dirs_.count(key_of(Path(to).parent_path())) == 0) return absent();
    if (const auto file = files_.find(from); file != files_.end()) {
        auto content = std::move(file->second);
        files_.erase(file);
        files_[to] = std::move(content);
        return {};
    }
    if (dirs_.count(from) == 0) return absent();
    const auto moved = [&](const std::string& name) { return to + name.substr(from.size()); };
    std::map<std::string, std::shared_ptr<Content>> files;
    for (auto& [name, content] : files_) files[lies_below(name, from) ? moved(name) : name] = std::move(content);
    std::set<std::string> dirs;
    for (const std::string& name : dirs_) dirs.insert(name == from || lies_below(name, from) ? moved(name) : name);
    files_ = std::move(files);
    dirs_ = std::move(dirs);
    return {};
}

Status MemoryFolders::remove(const Path& path) {
    if (!held(path)) return inner_.remove(path);
    const std::lock_guard guard(mutex_);
    return files_.erase(key_of(path)) == 1 ? Status() : absent();
}

Status MemoryFolders::sync_dir(const Path& path) {
    if (!held(path)) return inner_.sync_dir(path);
    const std::lock_guard guard(mutex_);
    return dirs_.count(key_of(path)) != 0 ? Status() : absent();
}

bool MemoryFolders::exists(const Path& path) {
    if (!held(path)) return inner_.exists(path);
    const std::lock_guard guard(mutex_);
    return files_.count(key_of(path)) != 0 || dirs_.count(key_of(path)) != 0;
}

Result<std::vector<std::string>> MemoryFolders::list(const Path& path) {
    std::set<std::string> names;
    if (!held(path)) {
        for (std::string& name : TRY(inner_.list(path))) names.insert(std::move(name));
    }
    const std::lock_guard guard(mutex_);
    const std::string folder = key_of(path);
    if (held(path) && dirs_.count(folder) == 0) return absent();
    const auto take = [&](const std::string& name) {
        if (Path(name).parent_path() == Path(folder)) names.insert(Path(name).filename().string());
    };
    for (const auto& [name, content] : files_) take(name);
    for (const std::string& name : dirs_) take(name);
    return std::vector<std::string>(names.begin(), names.end());
}

Result<bool> MemoryFolders::is_dir(const Path& path) {
    if (!held(path)) return inner_.is_dir(path);
    const std::lock_guard guard(mutex_);
    if (dirs_.count(key_of(path)) != 0) return true;
    if (files_.count(key_of(path)) != 0) return false;
    return absent();
}

bool MemoryFolders::is_link(const Path& path) {
    return !held(path) && inner_.is_link(path);
}

Status MemoryFolders::discard(const Path& path) {
    return held(path) ? Status() : inner_.discard(path);
}

Status MemoryFolders::remove_dir(const Path& path) {
    if (!held(path)) return inner_.remove_dir(path);
    const std::lock_guard guard(mutex_);
    const std::string folder = key_of(path);
    const auto inside = [&folder](const std::string& name) { return lies_below(name, folder); };
    if (std::any_of(dirs_.begin(), dirs_.end(), inside) ||
        std::any_of(files_.begin(), files_.end(), [&](const auto& file) { return inside(file.first); }))
        return Error(Code::environment, "remove folder: Directory not empty");
    dirs_.erase(folder);
    return {};
}

std::uint64_t MemoryFolders::free_bytes(const Path& path) {
    return held(path) ? ~std::uint64_t{0} : inner_.free_bytes(path);
}

}  // namespace kustos::app
