// Names of the query language as people write them, English and German: of fields, kinds of messages, file types and
// languages. Pure tables.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "search/query.h"

namespace kustos::search {

enum class Name : std::uint8_t {
    from,
    to,
    cc,
    bcc,
    participant,
    subject,
    body,
    attachment,
    file,
    conversation,
    date,
    since,
    until,
    sealed,
    size,
    source,
    has,
    kind,
    content,
    filetype,
    language,
    coverage,
    person,
    retention_class,
    tag,
    code,
    edited,
    deleted,
    thread
};

// All take what is folded already (base/text.h).
std::optional<Name> name_of(std::string_view folded);
std::optional<Name> name_written(std::string_view as_typed);  // folds it
// "sender2:x" and "https://x" and "12:30" are words; "absendr:x" is a slip that must not silently find nothing.
bool looks_like_field(std::string_view word, std::size_t colon);
std::optional<Field> field_of(Name name);                            // of those that take words
std::optional<std::string_view> kind_of(std::string_view folded);    // -> vault::kind_name
std::optional<std::string> parse_language(std::string_view folded);  // -> ISO 639-1
std::optional<bool> yes_or_no(std::string_view folded);
bool means_attachment(std::string_view folded);  // of has:

// The nearest of our own names, for a hint; empty: none is near. Static.
std::string_view nearest_field(std::string_view as_typed);
std::string_view nearest_kind(std::string_view folded);
std::string_view nearest_language(std::string_view folded);

// Whether so few letters differ that one was probably meant. Both folded.
std::size_t letters_apart(std::string_view a, std::string_view b);
template <typename Table, typename Written>
std::string_view nearest(const Table& table, std::string_view folded, const Written& written) {
    std::size_t least = folded.size() <= 4 ? 2 : 3;
    std::string_view found;
    for (const auto& row : table) {
        const std::size_t apart = letters_apart(written(row), folded);
        if (apart < least) least = apart, found = written(row);
    }
    return found;
}

}  // namespace kustos::search
