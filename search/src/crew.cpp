#include "search/src/crew.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "search/src/xapian_guard.h"

namespace kustos::search {
namespace {

constexpr unsigned kMostThreads = 4;  // what opens, shows and seals needs the rest
// Below both, waking somebody costs about as much as it saves.
constexpr std::uint64_t kManyRecords = 50'000;
constexpr std::size_t kManyShards = 32;

bool worth_sharing(const ShardReaders& readers) {
    if (readers.size() < 2) return false;
    std::uint64_t records = 0;
    for (const auto& [id, reader] : readers) records += reader->state().counts.total();
    return records >= kManyRecords || readers.size() >= kManyShards;
}

}  // namespace

Status Crew::each(const ShardReaders& readers, const std::function<Status(ShardReader&, std::size_t number)>& work) {
    struct Item {
        ShardReader* shard = nullptr;
        std::size_t number = 0;
        Status status = ok_status();
    };
    std::vector<Item> items;
    for (const auto& [id, reader] : readers) items.push_back({reader.get(), items.size(), ok_status()});
    std::atomic<bool> failed{false};
    const std::function<void(std::size_t)> one = [&](std::size_t i) {
        if (failed) return;
        Item& item = items[i];
        item.status = guarded("searching a shard", [&] { return work(*item.shard, item.number); });
        if (!item.status.ok()) failed = true;
    };
    if (!worth_sharing(readers)) {
        for (std::size_t i = 0; i < items.size() && !failed; ++i) one(i);
    } else {
        // The largest first, so that none of them is begun when all else is done.
        std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
            return a.shard->state().counts.total() > b.shard->state().counts.total();
        });
        if (!workers_) workers_.emplace(std::clamp(std::thread::hardware_concurrency(), 1u, kMostThreads) - 1);
        workers_->for_each(items.size(), one, 2);
    }
    const Item* first = nullptr;
    for (const Item& item : items)
        if (!item.status.ok() && (first == nullptr || item.number < first->number)) first = &item;
    return first == nullptr ? ok_status() : first->status;
}

}  // namespace kustos::search
