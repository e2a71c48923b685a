// A disk in memory that forgets as a real one may: what was not synced is lost, torn or kept by the roll of a die when
// the power fails. The k-th change can fail, stored or not; and every one after it, or that one alone.
//
// Contents: sync() of a file makes its bytes durable. A sync that fails and stores nothing forgets, as Linux does, that
// there was anything to be written: the bytes can still be read, and no later sync, however successful, saves them.
// Names: sync_dir() makes the names of a folder durable, in order; without it a
// crash keeps a random number of the pending ones, from the oldest on. A folder is a name in the one above: until that
// is synced, a crash may take it with all that is in it. Threads: any.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "base/fs.h"
#include "base/random.h"

namespace kustos::test {

class SimFs final : public Fs {
public:
    enum class Fault { not_stored, stored };

    enum class Then { all_fail, all_well };  // with the changes after the one that fails

    // The n-th change from now on fails (n from 1).
    void fail_at(int n, Fault fault, Then then = Then::all_fail) {
        const std::lock_guard lock(mutex_);
        left_ = n;
        failed_ = false;
        fault_ = fault;
        then_ = then;
    }
    void heal() {
        const std::lock_guard lock(mutex_);
        left_ = 0;
        failed_ = false;
    }
    // Whether the n-th change came.
    bool has_failed() const {
        const std::lock_guard lock(mutex_);
        return failed_;
    }

    // The same disk once more, with what is on it now; open files stay with this one.
    std::unique_ptr<SimFs> copy() const {
        const std::lock_guard lock(mutex_);
        auto made = std::make_unique<SimFs>();
        std::map<const Inode*, std::shared_ptr<Inode>> inodes;
        for (const auto& [path, folder] : folders_) {
            CHECK(folder.pending.empty());
            Folder& other = made->folders_[path];
            other.exists = folder.exists;
            other.named = folder.named;
            for (const auto& [name, inode] : folder.now) {
                auto& same = inodes[inode.get()];
                if (!same) same = std::make_shared<Inode>(*inode);
                other.now[name] = same;
            }
            other.durable = other.now;
        }
        return made;
    }

    // The power fails and comes back: open files are of yesterday, and the disk has what it has.
    void crash(std::uint64_t seed) {
        const std::lock_guard lock(mutex_);
        SeededRandom random(seed);
        left_ = 0;
        failed_ = false;
        ++epoch_;
        for (auto it = folders_.begin(); it != folders_.end();) {  // those above come first
            if (!it->second.exists || it->second.named || random.next() % 2 == 0) {
                (it++)->second.named = true;
                continue;
            }
            const std::string lost = it->first;
            while (it != folders_.end() && (it->first == lost || it->first.starts_with(lost + "/")))
                it = folders_.erase(it);
        }
        for (auto& [dir, names] : folders_) {
            const std::uint64_t kept = names.pending.empty() ? 0 : random.next() % (names.pending.size() + 1);
            for (std::uint64_t i = 0; i < kept; ++i) names.pending[i](names.durable);
            names.pending.clear();
            names.now = names.durable;
        }
        std::set<Inode*> all;
        for (auto& [dir, names] : folders_) {
            for (auto& [name, inode] : names.now) all.insert(inode.get());
        }
        for (Inode* inode : all) {
            for (const Write& w : inode->unsynced) {
                const std::uint64_t die = random.next() % 4;
                if (die == 0) continue;  // lost
                if (w.truncate) {
                    inode->durable.resize(static_cast<std::size_t>(w.offset));
                    continue;
                }
                std::size_t length = w.bytes.size();
                if (die == 1) length = length / 512 == 0 ? 0 : random.next() % (length / 512 + 1) * 512;  // torn
                put_at(inode->durable, w.offset, ByteView(w.bytes).first(std::min(length, w.bytes.size())));
            }
            inode->unsynced.clear();
            inode->now = inode->durable;
        }
    }

    Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode) override {
        const std::lock_guard lock(mutex_);
        Folder& folder = folders_[path.parent_path().string()];
        const std::string name = path.filename().string();
        const auto found = folder.now.find(name);
        if (found != folder.now.end()) {
            if (mode == OpenMode::create_new) return Error(Code::environment, "the file is there");
            return file(found->second);
        }
        if (mode == OpenMode::read || mode == OpenMode::read_write) return Error(Code::not_found, "no such file");
        if (!folder.exists) return Error(Code::not_found, "no such folder");
        auto inode = std::make_shared<Inode>();
        TRY(change([&] { rename_in(folder, [name, inode](Names& names) { names[name] = inode; }); }));
        return file(inode);
    }
    Status make_dirs(const Path& path) override {
        const std::lock_guard lock(mutex_);
        for (Path p = path; !p.empty() && p != p.parent_path(); p = p.parent_path()) folders_[p.string()].exists = true;
        return {};
    }
    Status rename(const Path& from, const Path& to) override {
        const std::lock_guard lock(mutex_);
        if (is_folder(from)) {  // with everything in it, durable at once
            return change([&] {
                std::map<std::string, Folder> moved;
                for (auto it = folders_.begin(); it != folders_.end();) {
                    const bool inside = it->first == from.string() || it->first.starts_with(from.string() + "/");
                    if (inside) moved[to.string() + it->first.substr(from.string().size())] = std::move(it->second);
                    it = inside ? folders_.erase(it) : std::next(it);
                }
                folders_.merge(moved);
            });
        }
        Folder &a = folders_[from.parent_path().string()], &b = folders_[to.parent_path().string()];
        const auto found = a.now.find(from.filename().string());
        if (found == a.now.end()) return Error(Code::not_found, "no such file");
        const auto inode = found->second;
        return change([&] {
            const std::string old_name = from.filename().string(), new_name = to.filename().string();
            if (&a == &b) {
                rename_in(a, [=](Names& names) {
                    names.erase(old_name);
                    names[new_name] = inode;
                });
            } else {
                rename_in(a, [=](Names& names) { names.erase(old_name); });
                rename_in(b, [=](Names& names) { names[new_name] = inode; });
            }
        });
    }
    Status remove(const Path& path) override {
        const std::lock_guard lock(mutex_);
        Folder& folder = folders_[path.parent_path().string()];
        const std::string name = path.filename().string();
        if (folder.now.count(name) == 0) return Error(Code::not_found, "no such file");
        return change([&] { rename_in(folder, [name](Names& names) { names.erase(name); }); });
    }
    Status sync_dir(const Path& path) override {
        const std::lock_guard lock(mutex_);
        return change([&] {
            Folder& folder = folders_[path.string()];
            folder.durable = folder.now;
            folder.pending.clear();
            for (auto& [name, other] : folders_) {
                if (Path(name).parent_path() == path) other.named = true;
            }
        });
    }
    bool exists(const Path& path) override {
        const std::lock_guard lock(mutex_);
        if (is_folder(path)) return true;
        const auto found = folders_.find(path.parent_path().string());
        return found != folders_.end() && found->second.now.count(path.filename().string()) != 0;
    }
    Result<std::vector<std::string>> list(const Path& path) override {
        const std::lock_guard lock(mutex_);
        if (!is_folder(path)) return Error(Code::not_found, "no such folder");
        std::set<std::string> names;
        for (const auto& [name, inode] : folders_[path.string()].now) names.insert(name);
        const std::string prefix = path.string() + "/";
        for (const auto& [folder, content] : folders_) {
            if (content.exists && folder.starts_with(prefix)) {
                const std::string rest = folder.substr(prefix.size());
                names.insert(rest.substr(0, rest.find('/')));
            }
        }
        return std::vector<std::string>(names.begin(), names.end());
    }
    Result<bool> is_dir(const Path& path) override {
        const std::lock_guard lock(mutex_);
        return is_folder(path);
    }

private:
    struct Write {
        bool truncate = false;
        std::uint64_t offset = 0;
        Bytes bytes;
    };
    struct Inode {
        Bytes durable, now;
        std::vector<Write> unsynced;
    };
    using Names = std::map<std::string, std::shared_ptr<Inode>>;
    struct Folder {
        bool exists = false, named = false;  // named: durably, in the one above
        Names durable, now;
        std::deque<std::function<void(Names&)>> pending;
    };

    static void put_at(Bytes& bytes, std::uint64_t offset, ByteView what) {
        if (bytes.size() < offset + what.size()) bytes.resize(static_cast<std::size_t>(offset + what.size()));
        std::copy(what.begin(), what.end(), bytes.begin() + static_cast<std::ptrdiff_t>(offset));
    }
    bool is_folder(const Path& path) const {
        const auto found = folders_.find(path.string());
        return found != folders_.end() && found->second.exists;
    }
    template <class Change>
    static void rename_in(Folder& folder, Change names_change) {
        names_change(folder.now);
        folder.pending.emplace_back(names_change);
    }
    template <class Now>
    Status change(Now now) {
        return change(now, [] {});
    }
    // otherwise: what a failure that stores nothing does all the same.
    template <class Now, class Otherwise>
    Status change(Now now, Otherwise otherwise) {
        const bool first = left_ > 0 && --left_ == 0;
        if (!first && !(failed_ && then_ == Then::all_fail)) {
            now();
            return {};
        }
        failed_ = true;
        if (first && fault_ == Fault::stored) {
            now();
        } else {
            otherwise();
        }
        return Error(Code::environment, "the drill's disk failed");
    }

    class SimFile final : public File {
    public:
        SimFile(SimFs& fs, std::shared_ptr<Inode> inode) : fs_(fs), inode_(std::move(inode)), epoch_(fs.epoch_) {}
        Status write_at(std::uint64_t offset, ByteView bytes) override {
            const std::lock_guard lock(fs_.mutex_);
            TRY(alive());
            return fs_.change([&] {
                put_at(inode_->now, offset, bytes);
                inode_->unsynced.push_back({false, offset, to_bytes(bytes)});
            });
        }
        Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
            const std::lock_guard lock(fs_.mutex_);
            TRY(alive());
            if (offset >= inode_->now.size()) return std::size_t{0};
            const std::size_t n =
                std::min<std::size_t>(out.size(), inode_->now.size() - static_cast<std::size_t>(offset));
            std::copy_n(inode_->now.begin() + static_cast<std::ptrdiff_t>(offset), n, out.begin());
            return n;
        }
        Status sync() override {
            const std::lock_guard lock(fs_.mutex_);
            TRY(alive());
            return fs_.change(
                [&] {
                    for (const Write& w : inode_->unsynced) {
                        if (w.truncate) {
                            inode_->durable.resize(static_cast<std::size_t>(w.offset));
                        } else {
                            put_at(inode_->durable, w.offset, w.bytes);
                        }
                    }
                    inode_->unsynced.clear();
                },
                [&] { inode_->unsynced.clear(); });
        }
        Status truncate(std::uint64_t size) override {
            const std::lock_guard lock(fs_.mutex_);
            TRY(alive());
            return fs_.change([&] {
                inode_->now.resize(static_cast<std::size_t>(size));
                inode_->unsynced.push_back({true, size, {}});
            });
        }
        Result<std::uint64_t> size() override {
            const std::lock_guard lock(fs_.mutex_);
            TRY(alive());
            return std::uint64_t{inode_->now.size()};
        }

    private:
        Status alive() const {
            if (epoch_ != fs_.epoch_) return Error(Code::environment, "a file of before the power failed");
            return {};
        }
        SimFs& fs_;
        std::shared_ptr<Inode> inode_;
        int epoch_;
    };
    std::unique_ptr<File> file(std::shared_ptr<Inode> inode) {
        return std::make_unique<SimFile>(*this, std::move(inode));
    }

    mutable std::mutex mutex_;  // guards everything
    std::map<std::string, Folder> folders_;
    int left_ = 0;  // changes until the one that fails; 0: none will
    int epoch_ = 0;
    bool failed_ = false;
    Fault fault_ = Fault::not_stored;
    Then then_ = Then::all_fail;
};

}  // namespace kustos::test
