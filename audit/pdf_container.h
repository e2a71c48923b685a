// The little of PDF that a verifier needs (ISO 32000-1): walking the objects of a file in order, finding the one
// evidence container and the signature. Not a PDF reader: it accepts what Kustos writes and refuses the rest. Errors:
// bad_input. Threads: pure functions; views into the bytes given.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace kustos::audit {

struct PdfObject {
    std::uint32_t number = 0;
    std::size_t offset = 0;  // of "N G obj"
    std::string_view body;   // the dictionary with << and >>, or whatever stands there, without the stream
    std::optional<ByteView> stream;
    bool direct_length = false;
};
// In file order, up to 5 million; streams are stepped over by /Length, so their content is never taken for objects.
Result<std::vector<PdfObject>> walk_pdf(ByteView pdf);

// Exactly one stream whose dictionary has /KustosEvidence 1, uncompressed, with a direct /Length, named by a Filespec.
Result<ByteView> find_container(const std::vector<PdfObject>& objects);

struct PdfSignature {
    std::size_t gap_begin = 0;  // of '<'
    std::size_t gap_end = 0;    // behind '>'
    Bytes der;
};
// The last signature; it must cover everything but its own gap. What is wrong is said in the error: Code::conflict for
// the gap's form, bad_input for everything else.
Result<PdfSignature> find_signature(ByteView pdf);
Hash signed_digest(ByteView pdf, const PdfSignature& signature);

}  // namespace kustos::audit
