// Signs a PDF by an incremental update (ISO 32000-1 12.8, ETSI EN 319 142-1 PAdES baseline B): the unsigned file stays
// a byte-identical prefix, and the signature covers all of it and of the update but its own gap.
//
// The update: catalog with a form, first page with a widget of no size, an empty appearance, the signature dictionary
// in the form that find_signature() insists on, and a cross-reference section of the kind that the file ends with
// (table or stream).
#pragma once

#include <functional>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace kustos::audit {

// sign: the CMS signature (DER, at most 8,192 bytes) over content with this SHA-256; its error is passed on.
// Code::bad_input: a file that walk_pdf() refuses, or one that has a form already. Memory: the file once more.
Result<Bytes> append_signature(Bytes unsigned_pdf, const std::function<Result<Bytes>(const Hash&)>& sign);

}  // namespace kustos::audit
