// What could not be read and was sealed as it came: to be listed, fetched, and read again by a newer version.
//
// The original stays. What is read of it now is sealed as records of its own, each with the note
// "from-quarantine:<entry>", and an entry ties them to it (docs/format/sources.md). Reading the same again seals
// nothing twice. Threads: values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace kustos::app {

struct QuarantineRow {
    EntryIndex entry;
    std::string source;
    std::string format, reason;  // machine words
    std::uint64_t size = 0;      // bytes
    UtcTime received;
    std::uint64_t read_again = 0;  // records that were made of it since
};

struct ReparseRequest {
    std::string actor, matter;
    std::string source;               // its name; empty: all
    std::optional<EntryIndex> entry;  // this one alone
    std::string format = "auto";
};
struct ReparseReport {
    std::uint64_t looked_at = 0, readable = 0;  // quarantined records; of these
    std::uint64_t messages = 0, duplicates = 0;
    std::vector<EntryIndex> entries;  // quarantine_reparsed
};

}  // namespace kustos::app
