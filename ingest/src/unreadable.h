// What no format can read is sealed as it came.
#pragma once

#include <string_view>

#include "ingest/format.h"

namespace kustos::ingest {

// Kind unreadable, with the note "quarantine:<reason>".
ParsedItem unreadable(Bytes raw, std::string_view format, std::string_view reason);

}  // namespace kustos::ingest
