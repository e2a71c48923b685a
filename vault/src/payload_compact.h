// The original's version 2: numbers of seven bits a byte, and the raw field left out where the recipe gives it
// (docs/format/payload.md).
#pragma once

#include <optional>

#include "vault/payload.h"

namespace kustos::vault {

struct CompactPayload {
    Payload payload;
    std::optional<std::size_t> computed_raw;  // the row whose value complete_raw() makes
};
Result<CompactPayload> decode_compact(ByteView original);  // not yet checked against its areas
// Once all rows and steps are known to lie inside. Code::corrupt: the recipe gives more than the areas hold.
Status complete_raw(CompactPayload& decoded);

// Numbers from 0 to 2^63 - 1: seven bits a byte, the lowest first, the highest bit set where more follow; no zeros at
// the end. (LEB128.)
std::uint8_t* store_number(std::uint8_t* at, std::uint64_t n);  // at most 9 bytes
Result<std::uint64_t> read_number(ByteReader& in);

}  // namespace kustos::vault
