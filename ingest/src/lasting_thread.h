// A thread that lives as long as this object, for what ends with the thread that began it: bubblewrap, and all it
// holds, ends when the thread that started it does, whatever becomes of the process (prctl(2), PR_SET_PDEATHSIG).
// Threads: run() from any; one call at a time is worked off.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace kustos::ingest {

class LastingThread {
public:
    LastingThread() = default;
    LastingThread(const LastingThread&) = delete;
    LastingThread& operator=(const LastingThread&) = delete;
    ~LastingThread() {
        if (!thread_.joinable()) return;
        {
            const std::lock_guard lock(mutex_);
            ending_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }

    // Has it called there, and waits for what it returns.
    template <class Call>
    auto run(const Call& call) {
        std::optional<decltype(call())> out;
        bool done = false;
        std::unique_lock lock(mutex_);
        if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
        changed_.wait(lock, [this] { return !task_; });
        task_ = [&] {
            out.emplace(call());
            done = true;
        };
        changed_.notify_all();
        changed_.wait(lock, [&done] { return done; });
        return std::move(*out);
    }

private:
    void work() {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return ending_ || task_; });
            if (ending_) return;
            task_();
            task_ = nullptr;
            changed_.notify_all();
        }
    }

    std::mutex mutex_;  // guards all below
    std::condition_variable changed_;
    std::function<void()> task_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace kustos::ingest
