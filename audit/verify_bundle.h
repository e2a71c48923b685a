// Judges one evidence bundle, offline, with nothing but its bytes and what the caller trusts (docs/format/bundle.md).
// Never throws; hostile files cost at most a few times their own size of memory.
#pragma once

#include <optional>

#include "audit/report.h"
#include "audit/trust.h"
#include "base/bytes.h"

namespace kustos::audit {

Report verify_bundle(ByteView pdf, const std::optional<Trust>& trust);

}  // namespace kustos::audit
