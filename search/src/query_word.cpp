#include <algorithm>

#include "search/analysis.h"
#include "search/src/parts.h"

namespace kustos::search {

QueryWord query_word(std::string_view text) {
    QueryWord word;
    const std::vector<Part> parts = split_parts(text);
    for (const Part& part : parts) {
        const std::string_view written = text.substr(part.begin, part.end - part.begin);
        std::string form = form_of(written);
        if (form.empty()) continue;
        word.parts.push_back(std::move(form));
        word.plain.push_back(plain_form(written));
    }
    const auto add = [&word](std::string form) {
        if (!form.empty() && std::find(word.whole.begin(), word.whole.end(), form) == word.whole.end())
            word.whole.push_back(std::move(form));
    };
    for (const Reading& reading : other_readings(text, parts)) {
        if (reading.first == 0 && reading.last + 1 == parts.size()) add(form_of(reading.text));
    }
    return word;
}

}  // namespace kustos::search
