// Where words stand in the documents of one shard: for NEAR and W, and for words within one band of the text space.
//
// Throws Xapian's errors: within guarded(). Threads: one at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "search/src/shard_reader.h"

namespace kustos::search {

// One operand: any of these rows of forms (a single word is a row of one), each at positions side by side.
using Operand = std::vector<std::vector<std::string>>;

struct NearAsk {
    std::vector<Operand> operands;  // of one only: where it stands at all
    std::uint32_t distance = 0;
    bool ordered = false;
};

// Documents of `space` (within `band`, or anywhere) that hold the operands so, ascending. `among`: only of these
// documents; nullopt: of all. stop: asked now and then; true: Code::interrupted.
Result<std::vector<Xapian::docid>> documents_near(const ShardReader& shard, Space space, std::optional<Band> band,
                                                  const NearAsk& ask, const std::optional<Xapian::Query>& among,
                                                  const std::function<bool()>& stop);

// These documents, as a part of a query.
std::unique_ptr<Xapian::PostingSource> documents_source(std::vector<Xapian::docid> documents);

// Whether operands stand so, by the places of each: first and last position, ascending by first. Pure.
struct Place {
    std::uint32_t first = 0, last = 0;
};
bool stand_near(const std::vector<std::vector<Place>>& operands, std::uint32_t distance, bool ordered);

}  // namespace kustos::search
