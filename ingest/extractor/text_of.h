// Text of one item. Pure: bytes in, text and a word out.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "ingest/extract.h"
#include "ingest/extractor/reading.h"

namespace kustos::extractor {

ingest::ExtractedText text_of(ByteView content, std::string_view name, std::string_view media_type, std::uint64_t most,
                              Helper* helper = nullptr);
// A refusal: "damaged", "encrypted", "no-text-layer"; or what OCR said where no page has a text layer.
Refusal text_of_pdf(ByteView content, Reading& reading);
void warm_up();  // loads converters and fonts tables while files can still be opened

}  // namespace kustos::extractor
