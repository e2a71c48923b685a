// A few words around what was found, from an opened message. Returns text and ranges, no markup.
// Pure; threads: safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "search/query.h"
#include "vault/message.h"

namespace kustos::search {

struct TextRange {
    std::uint32_t begin = 0;  // bytes in Snippet::text, at grapheme boundaries
    std::uint32_t end = 0;
};

struct Snippet {
    std::string text;  // one line: white space runs are one space; UTF-8; "…" where it was cut
    std::vector<TextRange>
        highlights;  // ascending, not overlapping; empty if nothing of the query stands in the message
    std::string
        where;  // "body", "subject", "attachment:<number>", "sender", "recipient", "conversation"; empty: nothing found
    std::uint32_t page = 0;  // where the first of it stands in an attachment's text: page_at()
};

struct SnippetOptions {
    std::size_t characters = 160;               // about as many
    std::vector<std::string> attachment_texts;  // by attachment number, from the derived cache; may be shorter or empty
};

Snippet make_snippet(const vault::Message& message, const Query& query, const SnippetOptions& options = {});

// The page, from 1, of a byte of an attachment's text: pages end in U+000C, and U+000B begins again with the first
// (extractor_port.h). 0: the text has no pages. That form feeds in it are ends of pages, the caller knows.
std::uint32_t page_at(std::string_view text, std::size_t byte);

// The same matching over any text: ranges of the words that the query asks for (stems, phrases, wildcards, ...). For
// showing a whole record. where: what the text is; `any`: not known, only what the query looks for anywhere is shown.
std::vector<TextRange> find_highlights(std::string_view utf8, const Query& query, Field where = Field::any);

}  // namespace kustos::search
