// What this process can't read it asks the other side for: pictures and old documents, which programs read in sandboxes
// of their own. Who tests or fuzzes the readers gives none.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "ingest/extract.h"
#include "ingest/src/extract_wire.h"

namespace kustos::extractor {

class Helper {
public:
    virtual ~Helper() = default;
    // page: of a TIFF, from 0, or wire::kAllPages. same: the content of the last request; `content` is not looked at.
    virtual ingest::ExtractedText ask(ingest::wire::Help what, std::uint32_t page, bool same, ByteView content) = 0;
    // What is known already, before something that may not come back.
    virtual void so_far(const ingest::ExtractedText& text) = 0;
};

}  // namespace kustos::extractor
