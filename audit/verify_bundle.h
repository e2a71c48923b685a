// Judges one evidence bundle, offline, with nothing but its bytes and what the caller trusts (docs/format/bundle.md,
// "Checks"; the report: docs/format/report.md).
//
// Never throws, never writes. Hostile files: time linear in their size, memory at most about four times their size and
// 500 MB. Threads: pure.
#pragma once

#include <optional>

#include "audit/report.h"
#include "audit/trust.h"
#include "base/bytes.h"

namespace kustos::audit {

Report verify_bundle(ByteView pdf, const std::optional<Trust>& trust);

}  // namespace kustos::audit
