#include "vault/src/workers.h"

#include "base/stack.h"

namespace kustos::vault {

Workers::Workers(unsigned helpers) {
    for (unsigned i = 0; i < helpers; ++i) threads_.emplace_back([this] { run(); });
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
        wipe_stack();  // keys and content of what was sealed
        lock.lock();
        --busy_;
        changed_.notify_all();
    }
}

void Workers::for_each(std::size_t count, const std::function<void(std::size_t)>& work) {
    constexpr std::size_t kWorthSharing = 8;  // waking somebody costs more than a few small items
    if (threads_.empty() || count < kWorthSharing) {
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

}  // namespace kustos::vault
