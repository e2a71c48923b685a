// Times of sources that don't say their zone.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"

namespace kustos::ingest {

// local: the clock's reading, as if it were UTC. zone: an IANA name; nothing where the system has none of that name.
// A reading that the clock skipped is moved on as the clock was; of one that came twice, the first is meant.
std::optional<UtcTime> local_to_utc(UtcTime local, const std::string& zone);

}  // namespace kustos::ingest
