#include "search/src/stemmer.h"

#include <xapian.h>

#include <algorithm>
#include <string_view>

#include "search/src/german_stem.h"
#include "search/src/lemma.h"

namespace kustos::search {

struct Stemmer::State {
    Xapian::Stem english{"english"};
};

Stemmer::Stemmer() : state_(std::make_unique<State>()) {}
void Stemmer::forget() {
    state_ = std::make_unique<State>();
}
Stemmer::~Stemmer() = default;

// Snowball takes "sicher" for "sich" and "ändern" for "and": two words that are everywhere.
std::string Stemmer::german(const std::string& form) const {
    std::string stem = german_stem(form, false);
    if (stem == "sich" && form.compare(0, 6, "sicher") == 0) return "sicher";
    constexpr std::string_view kChange = "änder";
    if (form.compare(0, kChange.size(), kChange) == 0)
        return std::string(kChange) + (stem.size() > 5 ? stem.substr(5) : "");
    return stem;
}

std::vector<std::string> Stemmer::stems(const std::string& form, const std::string& plain) const {
    std::vector<std::string> out;
    const auto ends_with = [&form](std::string_view end) {
        return form.size() > end.size() && form.compare(form.size() - end.size(), end.size(), end) == 0;
    };
    if (form.size() < 3 || ends_with("ä") || ends_with("ö") || ends_with("ü")) return out;
    if (std::any_of(form.begin(), form.end(), [](char c) { return c >= '0' && c <= '9'; })) return out;
    const auto add = [&out, &form](std::string stem) {
        if (!stem.empty() && stem != form && std::find(out.begin(), out.end(), stem) == out.end())
            out.push_back(std::move(stem));
    };
    add(german(form));
    if (plain != form) add(german(plain));
    add(state_->english(plain));
    // "Freundinnen", "Ministerium" (whose plural Snowball takes for "ministeri")
    if (form.size() > 8 && ends_with("innen")) add(form.substr(0, form.size() - 3));
    if (form.size() > 6 && ends_with("ium")) add(form.substr(0, form.size() - 2));
    if (form.size() > 7 && ends_with("iums")) add(form.substr(0, form.size() - 3));
    if (!is_noun_too(form)) {
        for (std::string& stem : lemma_stems(form)) add(std::move(stem));
    }
    return out;
}

std::vector<std::string> Stemmer::lemma_stems(const std::string& form) const {
    std::vector<std::string> out;
    for (const std::string& lemma : lemmas_of(form)) out.push_back(german(lemma));
    return out;
}

}  // namespace kustos::search
