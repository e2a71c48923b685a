// A set of entry numbers in few bytes (docs/format/result-sets.md): a million numbers of an archive of ten million are
// about a million bytes. Code::bad_input of decode: not the one encoding of a set. Threads: pure.
#pragma once

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/entry_set.h"
#include "base/result.h"

namespace kustos::vault {

inline constexpr std::uint64_t kMaxResultSet = 5'000'000;  // records of one

Bytes encode_entry_set(const EntrySet& set);
// most: so many numbers; Code::limit.
Result<EntrySet> decode_entry_set_code(ByteView bytes, std::uint64_t most);
// SHA-256 over the numbers, u64 each, ascending: Tag::list_root.
Hash entry_set_root(const EntrySet& set);

}  // namespace kustos::vault
