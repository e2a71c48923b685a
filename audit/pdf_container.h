// The little of PDF that a verifier needs (ISO 32000-1): walking the objects of a file from front to back, finding the
// one evidence container and the signature (docs/format/bundle.md). Not a PDF reader: it accepts what Kustos writes and
// refuses the rest, so that two readers can't see two different files.
//
// Errors: bad_input where nothing else is said. Threads: pure functions; views into the bytes given.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace kustos::audit {

inline constexpr std::size_t kMaxPdfObjects = 5'000'000;

struct PdfObject {
    std::uint32_t number = 0;
    std::size_t offset = 0;  // of "N G obj"
    std::string_view body;   // the value: a dictionary with << and >>, or whatever stands there, without the stream
    std::optional<ByteView> stream;
};

struct PdfFile {
    std::vector<PdfObject> objects;        // in file order; of two with one number the later one counts
    std::string_view trailer;              // the last trailer's dictionary, or the last cross-reference stream's
    std::uint64_t startxref = 0;           // the last one
    bool xref_stream = false;              // the last cross-reference section is a stream
    std::vector<std::uint32_t> by_number;  // positions in objects, by number, then position
    const PdfObject* find(std::uint32_t number) const;
    // The value itself, or the body of the object that it refers to; empty if there is none.
    std::string_view resolve(std::string_view value) const;
};

// Streams are stepped over by their direct /Length, so that their content is never taken for objects. Refuses streams
// with an indirect length, object streams, and encryption.
Result<PdfFile> walk_pdf(ByteView pdf);

// Exactly one stream with /KustosEvidence 1, uncompressed, never replaced, and listed in the catalog's name tree of
// embedded files. Code::not_found: none.
Result<ByteView> find_container(const PdfFile& file);
// A verification report: a stream with /KustosReport 1 (the report's JSON) and one with /KustosReport 2 (the proof of
// its entry), uncompressed and never replaced, in a file without an evidence container. Code::not_found: not such a
// file.
struct ReportParts {
    ByteView json, proof;
};
Result<ReportParts> find_report(const PdfFile& file);

struct PdfSignature {
    std::size_t gap_begin = 0;  // of '<'
    std::size_t gap_end = 0;    // behind '>'
    Bytes der;
};
// The last signature; its dictionary must have the very form that append_signature() writes, and cover everything but
// its own gap. Code::not_found: none. Code::conflict: the gap is not '<', lower-case hex of one DER value, '0', '>'.
Result<PdfSignature> find_signature(ByteView pdf);
Hash signed_digest(ByteView pdf, const PdfSignature& signature);

}  // namespace kustos::audit
