// STATE/opening: that the opener was opened, by which entry, and whether the closing still lacks its entry
// (docs/format/opener-protocol.md, "State"). Threads: pure, and the owner locks.
#pragma once

#include <optional>

#include "base/environment.h"
#include "base/ids.h"
#include "base/time.h"

namespace kustos::vault {

struct OpeningMark {
    VaultId vault;
    EntryIndex entry;            // vault_unlocked
    std::int64_t closed_ms = 0;  // wall clock; 0: open
    std::string why;             // vault_locked, method
    bool owed() const { return closed_ms != 0; }
    bool operator==(const OpeningMark&) const = default;
};
Bytes encode(const OpeningMark& mark);
Result<OpeningMark> decode_opening_mark(ByteView bytes);  // Code::corrupt

// Nothing: no opening is without its closing.
Result<std::optional<OpeningMark>> load_opening_mark(Fs& fs, const Path& state, const VaultId& vault);
Status store_opening_mark(Fs& fs, const Path& state, const OpeningMark& mark);  // durable
Status remove_opening_mark(Fs& fs, const Path& state);

}  // namespace kustos::vault
