// The readers of whole items, which call each other for what is nested.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "ingest/extractor/kind.h"
#include "ingest/extractor/reading.h"

namespace kustos::extractor {

Refusal read_item(ByteView content, std::string_view name, std::string_view media_type, Reading& reading);
Refusal read_archive(ByteView content, Kind kind, std::string_view name, Reading& reading);
// outlook: a .msg, in a compound file
Refusal read_mail(ByteView content, bool outlook, Reading& reading);

}  // namespace kustos::extractor
