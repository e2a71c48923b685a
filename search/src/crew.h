// The shards of one question, asked side by side where that is worth it.
// Threads: one caller at a time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "base/workers.h"
#include "search/src/shard_reader.h"

namespace kustos::search {

using ShardReaders = std::map<std::uint64_t, std::unique_ptr<ShardReader>>;

class Crew {
public:
    // work() for each shard with its number in the order of `readers`, each once, in no order, from several threads:
    // each call has its shard for itself, and must touch nothing else that another changes. Xapian's errors become
    // ours. The first error in the order of `readers`; once there is one, no further shard is begun.
    Status each(const ShardReaders& readers, const std::function<Status(ShardReader&, std::size_t number)>& work);

private:
    // Begun with the first question that is worth it: in a process with walls, behind them.
    std::optional<Workers> workers_;
};

}  // namespace kustos::search
