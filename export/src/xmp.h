// The XMP packet (ISO 16684-1) that says PDF/A-3U and agrees with the information dictionary.
#pragma once

#include <string>

#include "export/src/pdf_file.h"

namespace kustos::exporting {

std::string xmp_packet(const DocumentFacts& facts);

}  // namespace kustos::exporting
