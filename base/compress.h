// zstd frames without magic, content size, checksum and dictionary id (the lengths are ours: docs/format/payload.md).
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace kustos {

Bytes zstd_compress(ByteView plain, int level);
// Exactly original_length bytes, else Code::corrupt. Checked against limits by the caller before the call: this
// allocates original_length.
Result<Bytes> zstd_decompress(ByteView stored, std::uint64_t original_length);

// zstd's buffers hold pieces of what this thread has packed or unpacked last: gives them back (to be made anew).
void zstd_forget() noexcept;

}  // namespace kustos
