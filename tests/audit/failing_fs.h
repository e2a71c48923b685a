// A disk whose n-th change fails, and every change after it. What was written so far stays, in order; nothing is really
// synced, so that drills are quick. Threads: any, as its files' owners.
#pragma once

#include <atomic>
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
        if (mode != OpenMode::read && mode != OpenMode::read_write) TRY(change().allowed);
        auto file = TRY(inner_.open(path, mode));
        return std::unique_ptr<File>(std::make_unique<FailingFile>(*this, std::move(file)));
    }
    Status make_dirs(const Path& path) override { return after_change(&Fs::make_dirs, path); }
    Status rename(const Path& from, const Path& to) override {
        const Verdict verdict = change();
        if (verdict.whole()) TRY(inner_.rename(from, to));
        return verdict.allowed;
    }
    Status remove(const Path& path) override { return after_change(&Fs::remove, path); }
    Status remove_dir(const Path& path) override { return after_change(&Fs::remove_dir, path); }
    Status sync_dir(const Path&) override { return change().allowed; }
    bool exists(const Path& path) override { return inner_.exists(path); }
    Result<std::vector<std::string>> list(const Path& path) override { return inner_.list(path); }
    Result<bool> is_dir(const Path& path) override { return inner_.is_dir(path); }

private:
    class FailingFile final : public File {
    public:
        FailingFile(FailingFs& fs, std::unique_ptr<File> inner) : fs_(fs), inner_(std::move(inner)) {}
        Status write_at(std::uint64_t offset, ByteView bytes) override {
            const Verdict verdict = fs_.change();
            if (verdict.whole()) {
                TRY(inner_->write_at(offset, bytes));
            } else if (verdict.kept == Kept::half) {
                TRY(inner_->write_at(offset, bytes.first(bytes.size() / 2)));
            }
            return verdict.allowed;
        }
        Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
            return inner_->read_at(offset, out);
        }
        Status sync() override { return fs_.change().allowed; }
        Status truncate(std::uint64_t size) override {
            const Verdict verdict = fs_.change();
            if (verdict.whole()) TRY(inner_->truncate(size));
            return verdict.allowed;
        }
        Result<std::uint64_t> size() override { return inner_->size(); }

    private:
        FailingFs& fs_;
        std::unique_ptr<File> inner_;
    };

    struct Verdict {
        Status allowed;
        Kept kept = Kept::nothing;  // of a change that fails
        bool whole() const { return allowed.ok() || kept == Kept::all; }
    };
    Verdict change() {
        const std::lock_guard lock(mutex_);
        if (left_ == 0) {
            const bool first = std::exchange(first_, false);  // only this one may leave something
            return {Error(Code::environment, "the drill's disk failed"), first ? kept_ : Kept::nothing};
        }
        if (left_ > 0) --left_;
        ++changes_;
        return {ok_status()};
    }
    Status after_change(Status (Fs::*call)(const Path&), const Path& path) {
        const Verdict verdict = change();
        if (verdict.whole()) TRY((inner_.*call)(path));
        return verdict.allowed;
    }

    Fs& inner_;
    std::atomic<std::uint64_t> free_ = ~std::uint64_t{0};
    mutable std::mutex mutex_;  // guards what follows
    int left_ = -1;             // changes that still succeed; -1: all
    int changes_ = 0;
    Kept kept_ = Kept::half;
    bool first_ = false;
};

}  // namespace kustos::test
