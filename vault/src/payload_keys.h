// The keys of one entry, from its DEK (docs/format/payload.md, "Keys of one entry"), and what is made with them.
#pragma once

#include <array>
#include <vector>

#include "audit/entry.h"
#include "base/crypto.h"

namespace kustos::vault {

inline constexpr int kCompressionLevel = 3;
inline constexpr std::size_t kEnvelope = 1 + 1 + 8 + 8;  // of a blob: version, compression, stored, original length
// Larger originals have room to say everything themselves, and a dictionary costs time there.
inline constexpr std::size_t kDictionaryUpTo = 16 * 1024;

struct PayloadKeys {
    SecretBytes encryption, seed;
    Hash commitment;
};
PayloadKeys derive_keys(const VaultId& vault, ByteView dek, const audit::EntryHeader& header);

std::vector<std::array<std::uint8_t, 32>> field_salts(ByteView seed, std::size_t count);

}  // namespace kustos::vault
