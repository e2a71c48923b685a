// Items of an Outlook mailbox file (PST, OST), read by libpff behind the walls and handed on as dumps
// (docs/format/pst.md). The file is descriptor 3, read by pread alone.
#pragma once

#include <cstdint>

namespace kustos::extractor {

void warm_up_pst();  // before the walls: what libpff allocates once
void serve_pst(std::uint64_t file_bytes);

}  // namespace kustos::extractor
