// A signed statement of a ledger's size and root (C2SP tlog-checkpoint): the text of a note.
// Errors: parse takes foreign text: Code::bad_input. Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "audit/merkle.h"
#include "audit/note.h"
#include "base/ids.h"

namespace kustos::audit {

struct Checkpoint {
    std::string origin;
    TreeSize size;
    Hash root;
    std::vector<std::string> extensions;  // ours have none: what we have to say stands in leaves
    TreeHead head() const { return {size, root}; }
    bool operator==(const Checkpoint&) const = default;
};

// "kustos.archive/" and the vault id in hex; also the name of the archive's checkpoint key.
// continuation: 0 for the first ledger of a vault, then counted (docs/format/signer.md, "Continuation"):
// "kustos.archive/<vault>", "kustos.archive/<vault>/1", ...
std::string origin_of(const VaultId& vault, std::uint32_t continuation = 0);
struct OriginParts {
    VaultId vault;
    std::uint32_t continuation = 0;
};
inline constexpr std::uint32_t kMaxContinuation = 255;  // it stands in the top 8 bits of key tree numbers
Result<OriginParts> parse_origin(std::string_view origin);

std::string format_checkpoint(const Checkpoint& checkpoint);
Result<Checkpoint> parse_checkpoint(std::string_view text);
// A note signed by exactly this key, whose first line is the key's name.
Result<Checkpoint> open_checkpoint(ByteView note, const VerifierKey& key);

}  // namespace kustos::audit
