// Names of a review's labels and codes, as people type them (docs/query-language.md).
//
// Pure. Threads: free functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kustos::app {

// What is compared: capitals, umlauts and their transcription, how a letter is encoded and how much white space stands
// between words do not matter.
std::string review_key(std::string_view name);

// As it is kept: without white space around it. Code::usage: not 1 to 200 bytes of UTF-8, control characters, or
// quotation marks, which no query could say.
Result<std::string> parse_label(std::string_view text);

struct CodeName {
    std::string group;
    std::optional<std::string> value;
    bool operator==(const CodeName&) const = default;
};
// GROUP=VALUE, or GROUP alone. What stands behind the first = is the value, whatever it is. Code::usage: as above, of
// either.
Result<CodeName> parse_code_name(std::string_view text);
Result<CodeName> parse_code_with_value(std::string_view text);  // Code::usage, too: no value

}  // namespace kustos::app
