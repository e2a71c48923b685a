// What of the sealer's keys survives a crash of the process: docs/format/forward-state.md. Never on a disk; it lives in
// a ForwardMemory (forward_memory.h). Threads: values.
#pragma once

#include <map>
#include <vector>

#include "base/crypto.h"
#include "vault/key_tree.h"

namespace kustos::vault {

struct ForwardTree {
    KeyCover cover;          // what lies ahead, and what is used and not indexed yet
    std::uint32_t next = 0;  // the first leaf that no batch has been given
};

struct ForwardState {
    ForwardState() = default;
    ForwardState(ForwardState&&) = default;  // and no copy: a map of secrets would seem to have one
    ForwardState& operator=(ForwardState&&) = default;
    // Entries from `entry` on were sealed at `ms` or later (Clock::monotonic_ms: it goes on until the machine ends).
    struct Mark {
        EntryIndex entry;
        std::int64_t ms = 0;
        bool operator==(const Mark&) const = default;
    };
    std::map<KeyTreeId, ForwardTree> trees;
    std::map<std::uint32_t, SecretBytes> shards;  // term keys
    EntryIndex oldest;                            // nothing below it waits for the indexer
    std::vector<Mark> marks;                      // ascending
};

// One copy: head, authentication code, content. sequence: of the newer copy, the larger.
inline constexpr std::size_t kForwardHead = 4 + 1 + 8 + 4 + Hash::kSize;
ByteView forward_magic();
std::size_t encoded_size(const ForwardState& state);
// Exactly encoded_size() bytes.
void encode_into(const ForwardState& state, const VaultId& vault, std::uint64_t sequence, ByteView mac_key,
                 std::span<std::uint8_t> out);
struct ForwardCopy {
    std::uint64_t sequence = 0;
    ForwardState state;
};
// `bytes` may go on behind the copy. Code::corrupt: torn, another archive's, or not made with this key.
Result<ForwardCopy> decode_forward(ByteView bytes, const VaultId& vault, ByteView mac_key);

}  // namespace kustos::vault
