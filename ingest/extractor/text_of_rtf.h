#pragma once

#include "ingest/extractor/reading.h"

namespace kustos::extractor {

// Rich Text Format 1.9.1: what people read. Refusal: "damaged" where the signature is missing.
Refusal read_rtf(ByteView content, Reading& reading);

}  // namespace kustos::extractor
