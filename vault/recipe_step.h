// One step of the recipe that gives a source's exact bytes back (docs/format/payload.md), and base64 as mail has it.
#pragma once

#include "base/lenient_base64.h"
#include "base/spool.h"

namespace kustos::vault {

// How a run of the source's bytes is made.
struct RecipeStep {
    enum class Kind : std::uint8_t {
        literal = 1,       // the next `length` bytes of the literal area
        value = 2,         // value area [offset, offset + length), as it is
        value_base64 = 3,  // the same, in base64 lines
        blob = 4,          // the content of blob number `offset`, as it is (also where the blob holds encoded bytes)
        blob_base64 = 5,
    };
    Kind kind = Kind::literal;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    std::uint16_t line = 0;   // base64 characters a line; 0: one line
    std::uint8_t ending = 1;  // 1: LF, 2: CRLF
    bool terminated = false;  // whether the last line has a line end
    bool operator==(const RecipeStep&) const = default;
};

// Bytes in pieces become base64 (RFC 4648 section 4, padded) in the lines of a step's shape. Threads: one.
class Base64LineEncoder {
public:
    Base64LineEncoder(const RecipeStep& shape, const ByteSink& out);  // both outlive it
    Status write(ByteView bytes);
    Status finish();

private:
    Status give(std::string_view text);
    const RecipeStep& shape_;
    const ByteSink& out_;
    Bytes rest_;               // not yet a group of three
    std::size_t in_line_ = 0;  // characters of the line that is being written
    bool started_ = false;
};
Bytes encode_base64_lines(ByteView bytes, const RecipeStep& shape);

}  // namespace kustos::vault
