// Frames on standard input and output (ingest/src/extract_wire.h).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>

#include "base/bytes.h"

namespace kustos::extractor {

std::optional<Bytes> read_frame();                        // empty: the other side has closed
void write_frame(std::initializer_list<ByteView> parts);  // ends the process if nobody listens

}  // namespace kustos::extractor
