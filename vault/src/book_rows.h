// What an entry of retention or holds must have.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "audit/entry.h"

namespace kustos::vault {

inline Error lacking(EntryIndex index) {
    return Error(Code::corrupt, "entry " + std::to_string(index.value) + " lacks what its action must have");
}
template <class T>
Result<T> needed(std::optional<T> value, EntryIndex index) {
    if (value) return std::move(*value);
    return lacking(index);
}
// Whether the row `code` is this word.
inline Result<bool> has_code(EntryIndex index, const audit::BodyReader& body, std::string_view word) {
    const std::optional<std::string> code = body.find_text(audit::Tag::code);
    if (!code) return lacking(index);
    return *code == word;
}
// A list that is too long for one body goes on in entries with part 1, 2, ...: of the same action, in the same batch.
inline bool goes_on(const audit::BodyReader& body) {
    return body.find_u32(audit::Tag::part).value_or(0) != 0;
}

}  // namespace kustos::vault
