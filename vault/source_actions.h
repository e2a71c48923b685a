// Control actions of sources beyond audit/entry.h (docs/format/ledger.md).
#pragma once

#include "audit/entry.h"

namespace kustos::vault {

// Something that was quarantined was read again: entry: the record; count: records that were sealed of it.
inline constexpr auto kQuarantineReparsed = static_cast<audit::ControlAction>(54);

}  // namespace kustos::vault
