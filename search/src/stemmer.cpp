#include "search/src/stemmer.h"

#include <xapian.h>

#include <algorithm>

namespace kustos::search {

struct Stemmer::State {
    Xapian::Stem german{"german"};
    Xapian::Stem english{"english"};
};

Stemmer::Stemmer() : state_(std::make_unique<State>()) {}
void Stemmer::forget() {
    state_ = std::make_unique<State>();
}
Stemmer::~Stemmer() = default;

std::string Stemmer::german(const std::string& form) const {
    return state_->german(form);
}

std::vector<std::string> Stemmer::stems(const std::string& form, const std::string& plain) const {
    std::vector<std::string> out;
    const auto ends_with = [&form](const char* end) {
        return form.size() >= 2 && form.compare(form.size() - 2, 2, end) == 0;
    };
    if (form.size() < 3 || ends_with("ä") || ends_with("ö") || ends_with("ü")) return out;
    if (std::any_of(form.begin(), form.end(), [](char c) { return c >= '0' && c <= '9'; })) return out;
    const auto add = [&out, &form](std::string stem) {
        if (!stem.empty() && stem != form && std::find(out.begin(), out.end(), stem) == out.end())
            out.push_back(std::move(stem));
    };
    add(state_->german(form));
    if (plain != form) add(state_->german(plain));
    add(state_->english(plain));
    return out;
}

}  // namespace kustos::search
