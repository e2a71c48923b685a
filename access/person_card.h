// One card of an address book: what it says of one person. Sealed as the body of a record of kind `person`
// (docs/format/persons.md); raw holds the book's own bytes.
//
// Pure. Text is UTF-8 without control characters: encode() turns them into spaces. Errors: parse_card: bad_input.
// Threads: values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace kustos::access {

inline constexpr std::size_t kMaxCardValue = 1'024;  // bytes of one value; a longer one is cut
inline constexpr std::size_t kMaxCardLines = 256;    // what is more stands in raw only

struct PersonCard {
    // Who it is for its source: "k" and 32 hex digits, a MAC of uid, else number, else address, else name. The same in
    // every card of one person of one source; made by the importer.
    std::string key;
    std::string uid;                 // the book's own id of the person
    std::string number;              // employee number
    std::vector<std::string> names;  // as shown; the first is the main one
    std::string given, family;
    std::vector<std::string> emails;
    std::vector<std::string> phones;
    std::vector<std::string> ids;  // of messengers: "matrix:@anna:example.org", "xmpp:anna@example.org"
    std::vector<std::string> logins;
    std::string organisation, unit, title;
    std::optional<CivilDate> from, until;  // first and last day for which the book says it; absent: it does not say
    bool gone = false;                     // the book has this person no more; nothing but key is set then
    bool cut = false;                      // not all of it fits; not part of the text
    bool operator==(const PersonCard&) const = default;
    bool empty() const;  // says of nobody anything
};

std::string encode_card(const PersonCard& card);
Result<PersonCard> parse_card(std::string_view body);

// For comparing: trimmed and case-folded; of a telephone number its digits (00 for +), of an address without "smtp:".
std::string folded(std::string_view value);
std::string folded_phone(std::string_view value);
// A UUID (RFC 9562), with or without braces or "urn:uuid:": the same for everybody, so it says who is who between
// books.
std::optional<std::string> as_uuid(std::string_view uid);

// Adds a value once, trimmed; nothing where it is empty.
void add_value(std::vector<std::string>& list, std::string_view value);
// An address as books write it: "SMTP:", "mailto:" and angle brackets taken off. Without @ it is none (an X.500 name).
// "sip:" becomes a messenger id.
void add_address(PersonCard& card, std::string_view value);
std::string_view trimmed(std::string_view text);
std::optional<CivilDate> parse_day(
    std::string_view text);  // 2026-03-31, 20260331, 31.03.2026; a time behind it is left

}  // namespace kustos::access
