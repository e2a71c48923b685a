#include "app/review_names.h"

#include "app/result_desk.h"
#include "base/text.h"

namespace kustos::app {

namespace {

std::string_view transcribed(std::string_view letter) {
    return letter == "\xC3\xA4" ? "ae" : letter == "\xC3\xB6" ? "oe" : letter == "\xC3\xBC" ? "ue" : letter;
}

}  // namespace

std::string review_key(std::string_view name) {
    const std::string folded = fold(name);
    std::string key;
    for (std::size_t i = 0; i < folded.size(); ++i) {
        if (is_space(folded[i])) {
            if (!key.empty() && key.back() != ' ') key.push_back(' ');
        } else if (folded[i] == '\xC3' && i + 1 < folded.size()) {
            key += transcribed(std::string_view(folded).substr(i++, 2));
        } else {
            key.push_back(folded[i]);
        }
    }
    if (!key.empty() && key.back() == ' ') key.pop_back();
    return key;
}

Result<std::string> parse_label(std::string_view text) {
    std::string name(trimmed(text));
    TRY(check_label(name, true));
    if (name.find('"') != std::string::npos || name.find('\x7f') != std::string::npos || review_key(name).empty())
        return Error(Code::usage, "a label or code has no quotation marks and no control characters")
            .with_hint("another NAME");
    return name;
}

Result<CodeName> parse_code_name(std::string_view text) {
    const std::size_t sign = text.find('=');
    CodeName name;
    name.group = TRY_IN("the group", parse_label(text.substr(0, sign)));
    if (sign != std::string_view::npos) name.value = TRY_IN("the value", parse_label(text.substr(sign + 1)));
    return name;
}

Result<CodeName> parse_code_with_value(std::string_view text) {
    CodeName name = TRY(parse_code_name(text));
    if (name.value) return name;
    return Error(Code::usage, "a code has a group and a value").with_hint("GROUP=VALUE, such as privileg=ja");
}

}  // namespace kustos::app
