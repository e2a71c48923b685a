// A disk whose n-th change fails, and every change after it. What was written so far stays, in order; nothing is really
// synced, so that drills are quick.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "base/fs.h"

namespace kustos::test {

enum class Kept { nothing, half, all };  // of the change that fails

class FailingFs final : public Fs {
public:
    explicit FailingFs(Fs& inner) : inner_(inner) {}
    // 0: the next one. What of the failing change itself still happens is the second half of the drill.
    void fail_from(int change, Kept kept = Kept::half) {
        const std::lock_guard lock(mutex_);
        left_ = change;
        kept_ = kept;
        first_ = true;
    }
    void heal() {
        const std::lock_guard lock(mutex_);
        left_ = -1;
    }
    void set_free(std::uint64_t bytes) { free_ = bytes; }
    std::uint64_t free_bytes(const Path&) override { return free_; }
    int changes() const {
        const std::lock_guard lock(mutex_);
        return changes_;
    }
    bool failed() const {
        const std::lock_guard lock(mutex_);
        return left_ == 0;
    }

    Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode) override {
        if (mode != OpenMode::read && mode != OpenMode::read_write) TRY(change());
        auto file = TRY(inner_.open(path, mode));
        return std::unique_ptr<File>(std::make_unique<FailingFile>(*this, std::move(file)));
    }
    Status make_dirs(const Path& path) override { return after_change(&Fs::make_dirs, path); }
    Status rename(const Path& from, const Path& to) override {
        const Status allowed = change();
        if (allowed.ok() || keeps_all()) TRY(inner_.rename(from, to));
        return allowed;
    }
    Status remove(const Path& path) override { return after_change(&Fs::remove, path); }
    Status sync_dir(const Path&) override { return change(); }
    bool exists(const Path& path) override { return inner_.exists(path); }
    Result<std::vector<std::string>> list(const Path& path) override { return inner_.list(path); }
    Result<bool> is_dir(const Path& path) override { return inner_.is_dir(path); }

private:
    class FailingFile final : public File {
    public:
        FailingFile(FailingFs& fs, std::unique_ptr<File> inner) : fs_(fs), inner_(std::move(inner)) {}
        Status write_at(std::uint64_t offset, ByteView bytes) override {
            const Status allowed = fs_.change();
            if (allowed.ok() || fs_.keeps_all()) {
                TRY(inner_->write_at(offset, bytes));
            } else if (fs_.keeps_half()) {
                TRY(inner_->write_at(offset, bytes.first(bytes.size() / 2)));
            }
            return allowed;
        }
        Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
            return inner_->read_at(offset, out);
        }
        Status sync() override { return fs_.change(); }
        Status truncate(std::uint64_t size) override {
            const Status allowed = fs_.change();
            if (allowed.ok() || fs_.keeps_all()) TRY(inner_->truncate(size));
            return allowed;
        }
        Result<std::uint64_t> size() override { return inner_->size(); }

    private:
        FailingFs& fs_;
        std::unique_ptr<File> inner_;
    };

    Status change() {
        const std::lock_guard lock(mutex_);
        if (left_ == 0) {
            failing_ = std::exchange(first_, false);
            return Error(Code::environment, "the drill's disk failed");
        }
        if (left_ > 0) --left_;
        ++changes_;
        return {};
    }
    bool keeps_all() const { return keeps(Kept::all); }
    bool keeps_half() const { return keeps(Kept::half); }
    bool keeps(Kept what) const {
        const std::lock_guard lock(mutex_);
        return left_ == 0 && failing_ && kept_ == what;
    }
    Status after_change(Status (Fs::*call)(const Path&), const Path& path) {
        const Status allowed = change();
        if (allowed.ok() || keeps_all()) TRY((inner_.*call)(path));
        return allowed;
    }

    Fs& inner_;
    mutable std::mutex mutex_;  // guards what follows: the committer has threads
    int left_ = -1;             // changes that still succeed; -1: all
    int changes_ = 0;
    std::uint64_t free_ = ~std::uint64_t{0};
    Kept kept_ = Kept::half;
    bool first_ = false, failing_ = false;  // only the first failing change may leave something
};

}  // namespace kustos::test
