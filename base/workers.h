// A few threads that share out the items of one list. The caller works too, and for_each() returns when all is done.
// Threads: one caller at a time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace kustos {

class Workers {
public:
    explicit Workers(unsigned helpers);  // as many of them as the system gives
    ~Workers();
    Workers(const Workers&) = delete;
    // work(0) to work(count - 1), each once, in no order; it must not throw. Fewer than `worth_sharing` the caller
    // works off alone: waking somebody costs more than a few small items.
    void for_each(std::size_t count, const std::function<void(std::size_t)>& work, std::size_t worth_sharing = 8);

private:
    void run();
    void take_all(std::size_t count, const std::function<void(std::size_t)>& work);
    std::mutex mutex_;  // guards what follows, but for next_
    std::condition_variable changed_;
    const std::function<void(std::size_t)>* work_ = nullptr;
    std::size_t count_ = 0;
    std::size_t busy_ = 0;    // helpers at this list
    std::uint64_t list_ = 0;  // which one
    bool stop_ = false;
    std::atomic<std::size_t> next_{0};
    std::vector<std::thread> threads_;
};

}  // namespace kustos
