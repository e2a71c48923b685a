#include "base/workers.h"

#include <system_error>

#include "base/stack.h"

namespace kustos {

Workers::Workers(unsigned helpers) {
    try {
        for (unsigned i = 0; i < helpers; ++i) threads_.emplace_back([this] { run(); });
    } catch (const std::system_error&) {
        // as many as the system gives; the caller works too
    }
}

Workers::~Workers() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    for (std::thread& t : threads_) t.join();
}

void Workers::take_all(std::size_t count, const std::function<void(std::size_t)>& work) {
    for (std::size_t i = next_++; i < count; i = next_++) work(i);
}

void Workers::run() {
    std::uint64_t seen = 0;
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [&] { return stop_ || (work_ != nullptr && list_ != seen); });
        if (stop_) return;
        seen = list_;
        ++busy_;
        // Read here: the caller takes the list back while the last items are still worked at.
        const auto& work = *work_;
        const std::size_t count = count_;
        lock.unlock();
        take_all(count, work);
        wipe_stack();  // keys and words of what was worked at
        lock.lock();
        --busy_;
        changed_.notify_all();
    }
}

void Workers::for_each(std::size_t count, const std::function<void(std::size_t)>& work, std::size_t worth_sharing) {
    if (threads_.empty() || count < worth_sharing) {
        for (std::size_t i = 0; i < count; ++i) work(i);
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        work_ = &work;
        count_ = count;
        next_ = 0;
        ++list_;
    }
    changed_.notify_all();
    take_all(count, work);
    std::unique_lock lock(mutex_);
    work_ = nullptr;  // who has not begun yet need not
    changed_.wait(lock, [this] { return busy_ == 0; });
}

}  // namespace kustos
