// The one door into the archive for what sources send: pushes, imports and streams alike. Capture profile, retention
// rules, duplicates, sealing, tallies.
//
// Errors: of the archive and the disk; nothing was sealed then, or (a failed tally behind the commit) what comes again
// is a duplicate. Durability: an answer means that the item is sealed, or that its being left out is counted. Threads:
// safe, several doors of one source too.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "app/tallies.h"
#include "ingest/import.h"
#include "vault/archive.h"

namespace kustos::app {

struct DoorAnswer {
    vault::Receipt receipt;                    // where it was not left out
    std::optional<std::string_view> left_out;  // why: a machine word (vault/capture_profile.h)
};

class SourceDoor {
public:
    SourceDoor(vault::Archive& archive, Tallies& tallies, SourceId source)
        : archive_(archive), tallies_(tallies), source_(source) {}
    // One answer per item, in order. Code::not_found: there is no such source.
    Result<std::vector<DoorAnswer>> seal(std::vector<ingest::PortItem> items);

private:
    vault::Archive& archive_;
    Tallies& tallies_;
    SourceId source_;
};

}  // namespace kustos::app
