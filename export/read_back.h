// Before a bundle leaves the house, a second library reads it back: what was written with libqpdf and by hand is opened
// with PoDoFo, pages and the attached evidence container are counted, and what it can't read is not handed out.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace kustos::exporting {

inline constexpr std::uint64_t kMaxReadBack = 512ull
                                              << 20;  // PoDoFo holds a file in memory; larger ones are not read back

// Code::internal: not readable, another number of pages, no evidence.zip, or not exactly one signature field.
Status read_back(ByteView pdf, std::uint64_t pages);

}  // namespace kustos::exporting
