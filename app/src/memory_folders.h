// A disk of which some folders stand in locked memory (base/secret.h): what is written below them never reaches the
// real one and is gone with the process, however that ends. All other paths are the inner disk's. For a drill that
// restores keys (app/src/drill_folder.h).
//
// A rename from one side to the other is refused (Code::environment): keys don't leave memory by accident. What needs
// a real path (SQLite, FileLock) must not be asked for one in there. Durability: none in there; sync() does nothing.
// Threads: any, as Fs; a File from one.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/fs.h"

namespace kustos::app {

class MemoryFolders final : public Fs {
public:
    // folders: absolute, none inside another; absent until they are made.
    MemoryFolders(Fs& inner, const std::vector<Path>& folders);

    Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode) override;
    Status make_dirs(const Path& path) override;
    Status rename(const Path& from, const Path& to) override;
    Status remove(const Path& path) override;
    Status sync_dir(const Path& path) override;
    bool exists(const Path& path) override;
    Result<std::vector<std::string>> list(const Path& path) override;
    Result<bool> is_dir(const Path& path) override;
    bool is_link(const Path& path) override;
    Status discard(const Path& path) override;
    Status remove_dir(const Path& path) override;
    std::uint64_t free_bytes(const Path& path) override;

private:
    struct Content {
        SecretBytes bytes;
    };
    class MemoryFile;

    bool held(const Path& path) const;  // below one of the folders, or one of them
    Status rename_held(const std::string& from, const std::string& to);

    Fs& inner_;
    const std::vector<std::string> folders_;
    std::mutex mutex_;  // guards what follows, and the contents
    std::map<std::string, std::shared_ptr<Content>> files_;
    std::set<std::string> dirs_;
};

}  // namespace kustos::app
