// The header of a mail: lines as they stand, and what the well-known ones say.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "ingest/format.h"
#include "vault/message.h"

namespace kustos::ingest {

struct HeaderLine {
    std::string_view name;   // without colon
    std::string_view value;  // raw, folded, without the final line end
    std::string_view whole;  // name, colon and value, without the final line end
};

struct HeaderBlock {
    std::vector<HeaderLine> lines;
    std::size_t end = 0;     // where the body starts
    bool malformed = false;  // a line was neither field nor continuation
    std::size_t begin = 0;   // after an mbox From_ line, if the mail starts with one
};

// Views into `raw`. At most 100,000 lines are looked at.
HeaderBlock split_header(std::string_view raw);

// RFC 2047 in unstructured text, with the usual violations: spaces inside a word, words that touch, characters split
// between words, 8-bit bytes outside (UTF-8, else windows-1252). Unfolded. lossy is set when a byte had no meaning.
std::string decode_words(std::string_view raw, bool& lossy);

// An address header (RFC 5322 section 3.4, obsolete forms too); groups are flattened.
std::vector<vault::Person> parse_addresses(std::string_view raw, std::size_t most);
// RFC 5322 dates and what is found in their place; absent if no date can be read.
std::optional<UtcTime> parse_mail_date(std::string_view raw);
// The first msg-id, without angle brackets.
std::string first_message_id(std::string_view raw);

bool iequals(std::string_view a, std::string_view b);
std::string lower_ascii(std::string_view text);
std::string_view trim(std::string_view text);
// For values of one line: control characters become blanks; found is set for any but a tab.
std::string without_controls(std::string text, bool& found);
// At most `most` bytes, cut at a code point.
std::string cut_utf8(std::string text, std::size_t most, bool& cut);

}  // namespace kustos::ingest
