#include <unordered_map>

#include "search/analysis.h"
#include "search/src/compound.h"
#include "search/src/lemma.h"
#include "search/src/parts.h"
#include "search/src/stemmer.h"

namespace kustos::search {
namespace {

constexpr std::size_t kCachedWords = 300'000;

struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

bool begins_large(std::string_view word) {
    return !word.empty() && word[0] >= 'A' && word[0] <= 'Z';  // none of the words in question begins with an umlaut
}

}  // namespace

struct Analyser::State {
    State(Fs* fs, const Path& word_list) : compounds(fs, word_list) {}
    CompoundSplitter compounds;
    Stemmer stemmer;
    std::unordered_map<std::string, WordForms, TextHash, std::equal_to<>> cache;  // by the word as written
};

Analyser::Analyser(Fs* fs, const Path& word_list) : state_(std::make_unique<State>(fs, word_list)) {}
Analyser::~Analyser() = default;
Analyser::Analyser(Analyser&&) noexcept = default;

const WordForms& Analyser::forms(std::string_view word) {
    if (const auto found = state_->cache.find(word); found != state_->cache.end()) return found->second;
    WordForms forms;
    forms.plain = plain_form(word);
    forms.form = form_of(word);
    forms.stems = state_->stemmer.stems(forms.form, forms.plain);
    for (const std::string& inside : state_->compounds.split(forms.form)) {
        forms.components.push_back(state_->stemmer.german(inside));
    }
    // "er stand" is of "stehen", "der Stand" is not; a query does not say
    if (is_noun_too(forms.form) && !begins_large(word)) {
        for (std::string& stem : state_->stemmer.lemma_stems(forms.form)) forms.components.push_back(std::move(stem));
    }
    return state_->cache.emplace(std::string(word), std::move(forms)).first->second;
}

void Analyser::forget() {
    state_->cache.clear();
    state_->stemmer.forget();
}

bool Analyser::trim() {
    if (state_->cache.size() < kCachedWords) return false;
    forget();
    return true;
}

std::uint32_t Analyser::each(std::string_view utf8, const std::function<void(const Occurrence&)>& call) {
    const std::vector<Part> parts = split_parts(utf8);
    const std::vector<Reading> readings = other_readings(utf8, parts);
    std::uint32_t position = 0;
    std::size_t next_reading = 0;
    bool shares = false;  // the second half of a broken word stands where the first does
    // Readings come by their first part; those that take a later place wait.
    std::vector<const Reading*> waiting;
    for (std::uint32_t i = 0; i < parts.size(); ++i) {
        if (i > 0 && !shares) ++position;
        shares = false;
        const WordForms& own = forms(utf8.substr(parts[i].begin, parts[i].end - parts[i].begin));
        if (!own.form.empty()) call({parts[i].begin, parts[i].end, position, &own, false});
        for (; next_reading < readings.size() && readings[next_reading].first <= i; ++next_reading) {
            waiting.push_back(&readings[next_reading]);
        }
        for (std::size_t w = 0; w < waiting.size();) {
            const Reading& reading = *waiting[w];
            if (reading.at > i) {
                ++w;
                continue;
            }
            const WordForms& other = forms(reading.text);
            if (!other.form.empty())
                call({parts[reading.first].begin, parts[reading.last].end, position, &other, true});
            if (reading.line_break) shares = true;
            waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(w));
        }
    }
    return parts.empty() ? 0 : position + 1;
}

}  // namespace kustos::search
