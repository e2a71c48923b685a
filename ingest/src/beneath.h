// Opens a file that a foreign text names, never outside a folder and never through a symbolic link.
#pragma once

#include "base/fs.h"

namespace kustos::ingest {

// Code::not_found: absent; Code::bad_input: not a plain path inside; Code::limit: larger than `most`.
Result<Bytes> read_beneath(const Path& folder, std::string_view relative, std::uint64_t most);

}  // namespace kustos::ingest
