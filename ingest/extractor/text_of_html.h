#pragma once

#include <string_view>

#include "ingest/extractor/reading.h"

namespace kustos::extractor {

// Charset: by the mark at the start, else as declared beside the content (may be empty), else <meta>, else UTF-8.
Refusal read_html(ByteView content, std::string_view declared, Reading& reading);
bool looks_like_html(ByteView content);

}  // namespace kustos::extractor
