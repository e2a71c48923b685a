#pragma once

#include <string>
#include <string_view>

namespace kustos::ingest {

// For sources that name files but no types: by the name's ending, else "application/octet-stream".
std::string media_type_of_name(std::string_view name);

}  // namespace kustos::ingest
