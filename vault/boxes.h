// Sealed boxes: seeds of key trees and term keys of index shards, sealed to the generation's intake key, so that the
// sealer can make them and only the opener can open them (docs/format/keys.md).
//
//   keys/boxes/tree-<id, 8 hex digits>.a and .b, shard-<...>.a and .b     the same bytes twice
#pragma once

#include "base/crypto.h"
#include "base/fs.h"

namespace kustos::vault {

enum class BoxPurpose : std::uint8_t { tree = 1, shard = 2 };

struct Box {
    BoxPurpose purpose = BoxPurpose::tree;
    std::uint32_t id = 0;
    std::uint32_t generation = 0;
    Bytes sealed;  // libsodium sealed box; suite 1
};

Bytes encode(const Box& box);
Result<Box> decode_box(ByteView bytes);
Path box_file(const Path& keys_dir, BoxPurpose purpose, std::uint32_t id, char copy);

// Writes both copies, syncs, reads them back. The SHA-256 of the file's bytes, for the control entry.
Result<Hash> store_box(Fs& fs, const Path& keys_dir, const Box& box);
// Either copy that is whole and, if `expected` is not zero, has that hash. Code::corrupt: neither.
Result<Box> load_box(Fs& fs, const Path& keys_dir, BoxPurpose purpose, std::uint32_t id, const Hash& expected);

}  // namespace kustos::vault
