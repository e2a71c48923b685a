// Puts RecordFacts together, shard by shard.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/ids.h"
#include "search/record_facts.h"
#include "search/src/shard_reader.h"

namespace kustos::search {

class FactsReader {
public:
    // of: ascending, each once; outlives it.
    explicit FactsReader(const std::vector<EntryIndex>& of);
    // First all shards here: an edit may be in another one than its message.
    Status see_changes(ShardReader& shard);
    // Throws Xapian's errors: within guarded().
    Status add(ShardReader& shard);
    RecordFacts result();

private:
    static constexpr std::uint32_t kAbsent = UINT32_MAX;
    std::uint32_t place_of(EntryIndex entry) const;  // in `of`; kAbsent
    std::uint32_t root(std::uint32_t place);
    void join(std::uint32_t a, std::uint32_t b);
    std::uint32_t number_of(const std::string& person);

    const std::vector<EntryIndex>& of_;
    RecordFacts out_;
    std::map<std::string, std::uint32_t> persons_;
    std::map<std::string, std::uint32_t>
        changed_;  // id (id_text()) of what was changed: a record that has to do with it
    std::vector<std::uint32_t> parent_;
};

}  // namespace kustos::search
