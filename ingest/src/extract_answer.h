// The answer of one item, as it goes between Extractor and kustos-extract (extract_wire.h): 't', 's', 'A'.
#pragma once

#include "base/bytes.h"
#include "ingest/extract.h"

namespace kustos::ingest {

// All before the text; what is too long to be said is left out.
Bytes encode_answer_head(char type, const ExtractedText& answer);
// The other side is not trusted: Code::corrupt for another type, a word that is none, text that is not UTF-8 is
// repaired.
Result<ExtractedText> parse_answer(char type, ByteView frame);

}  // namespace kustos::ingest
