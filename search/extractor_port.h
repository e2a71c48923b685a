// Text of attachments. ingest implements it with the sandboxed extractor; app wires the two together (search and ingest
// are peers and do not include each other).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/spool.h"

namespace kustos::search {

enum class Completeness : std::uint8_t {
    full,     // all text there is (possibly none: a plain picture without text is opaque, an empty text file is full)
    partial,  // some text, not all: `text` is indexed
    opaque,   // no text can be had: encrypted, audio, image without OCR
};

struct ExtractedText {
    std::string text;  // UTF-8
    Completeness completeness = Completeness::full;
    std::string reason;  // for partial and opaque: one word of [a-z0-9-], "encrypted", "too-large", "time-out"
    std::vector<std::string> remarks =
        {};  // words of the same letters: what was noticed besides, "ocr", "type-mismatch"
    // Kept beside the text for who opens the record (IndexFeed::keep_facts); nothing is read of it here.
    std::string facts = {};
};

class TextExtractor {
public:
    virtual ~TextExtractor() = default;
    // One attachment. From several threads at once where the indexer has several lanes. May take long, but has a limit
    // of its own.
    // Code::interrupted: asked to stop, the record is not indexed now. Any other error: this attachment failed, the
    // record becomes `partial`.
    virtual Result<ExtractedText> text(ByteView content, std::string_view name, std::string_view media_type) = 0;
    // The same for one that is not held: give() gives all of its `size` bytes, in pieces. Here: held after all.
    virtual Result<ExtractedText> text_of(std::uint64_t size, const std::function<Status(const ByteSink&)>& give,
                                          std::string_view name, std::string_view media_type) {
        Bytes content;
        content.reserve(static_cast<std::size_t>(size));
        TRY(give([&content](ByteView piece) {
            put(content, piece);
            return ok_status();
        }));
        return text(content, name, media_type);
    }
};

}  // namespace kustos::search
