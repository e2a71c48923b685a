// Control actions of escrow, backup, restore and exit export (docs/format/ledger.md).
#pragma once

#include "audit/entry.h"

namespace kustos::vault {

inline constexpr auto kEscrowStored = static_cast<audit::ControlAction>(43);
inline constexpr auto kArchiveRestored = static_cast<audit::ControlAction>(45);
inline constexpr auto kExitExported = static_cast<audit::ControlAction>(46);

}  // namespace kustos::vault
