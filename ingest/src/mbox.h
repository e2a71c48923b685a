#pragma once

#include <string_view>

namespace kustos::ingest {

// Whether a From_ line with a header behind it stands at the start of a line in the first bytes of a file.
bool looks_like_mbox(std::string_view start);

}  // namespace kustos::ingest
