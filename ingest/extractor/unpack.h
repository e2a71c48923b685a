#pragma once

#include <cstdint>

namespace kustos::extractor {

// Serves an archive on descriptor wire::kArchiveDescriptor: first the list, then members as asked for.
void serve_archive(std::uint64_t archive_bytes);
void warm_up_unpack();

}  // namespace kustos::extractor
