// The four parts of a bundle's pages. Each draws itself on a canvas, measuring or real, with the same calls.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "export/bundle_input.h"
#include "export/src/canvas.h"
#include "export/src/digest.h"
#include "export/src/wording.h"

namespace kustos::exporting {

struct Contents {  // page numbers, found while measuring
    std::uint64_t transcript = 0, custody = 0, proof = 0;
    std::vector<std::uint64_t> groups;
};

struct Parts {
    const BundleInput& input;
    RecordSource& records;
    const Transcript& transcript;
    const Wording& say;
    const Zone& zone;
    const Contents& contents;  // of the measuring pass; zeros during it
    Contents& found;           // filled by this pass
};

void cover_page(Canvas& canvas, const Parts& parts);
Status transcript_pages(Canvas& canvas, const Parts& parts);
void custody_pages(Canvas& canvas, const Parts& parts);
void proof_pages(Canvas& canvas, const Parts& parts);

std::string group_title(const Group& group, const Wording& say);
std::string group_type(const Group& group, const Wording& say);

}  // namespace kustos::exporting
