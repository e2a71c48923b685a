#include <algorithm>

#include "search/analysis.h"
#include "search/src/parts.h"

namespace kustos::search {

QueryWord query_word(std::string_view text) {
    QueryWord word;
    const std::vector<Part> parts = split_parts(text);
    const std::vector<Reading> readings = other_readings(text, parts);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        std::string_view written = text.substr(parts[i].begin, parts[i].end - parts[i].begin);
        for (const Reading& reading : readings) {
            if (reading.instead && reading.first == i) written = reading.text;
        }
        std::string form = form_of(written);
        if (form.empty()) continue;
        word.parts.push_back(std::move(form));
        word.plain.push_back(plain_form(written));
    }
    const auto add = [](std::vector<std::string>& list, const std::string& form) {
        if (!form.empty() && std::find(list.begin(), list.end(), form) == list.end()) list.push_back(form);
    };
    for (const Reading& reading : readings) {
        if (reading.instead || reading.first != 0 || reading.last + 1 != parts.size()) continue;
        add(word.whole, form_of(reading.text));
        if (reading.quoted) add(word.same, form_of(reading.text));
    }
    return word;
}

}  // namespace kustos::search
