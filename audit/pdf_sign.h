// Signs a PDF by an incremental update (ISO 32000-1 12.8, PAdES baseline B): the unsigned file stays a byte-identical
// prefix. The file must have classic cross-reference tables, its catalog and first page as plain objects, and no form
// yet.
#pragma once

#include <functional>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace kustos::audit {

// sign: the CMS signature (DER) over content with this SHA-256, at most kMaxCms bytes.
Result<Bytes> append_signature(Bytes unsigned_pdf, const std::function<Result<Bytes>(const Hash&)>& sign);

}  // namespace kustos::audit
