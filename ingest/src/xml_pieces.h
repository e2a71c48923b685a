// XML as it arrives: where a tag, a text, a comment ends, found once for each byte however small the pieces are in
// which it comes. What a token says is Markup's. No tree, no entity; nothing is held.
#pragma once

#include <string_view>

#include "ingest/src/markup.h"

namespace kustos::ingest {

class XmlPieces {
public:
    // The next token of `text`, which is what was given the last time (without what drop() took away) and perhaps
    // more behind it. done: its end is not there yet. A text is given as far as it is there, in parts. broken comes
    // again and again: "<!" begins a document type that declares something, else it is no XML.
    MarkupToken next(std::string_view text);
    std::size_t at() const { return at_; }  // where the next token begins
    void drop(std::size_t size);            // the first bytes of the text, at most at()

private:
    std::size_t end_of_token(std::string_view text);
    std::size_t at_ = 0;
    std::size_t scanned_ = 0;  // up to here the token that begins at at_ has no end
    char quote_ = 0;           // that is open at scanned_
};

}  // namespace kustos::ingest
