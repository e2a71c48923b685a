#include "search/src/lemma.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <sstream>
#include <string_view>
#include <unordered_set>

#include "search/analysis.h"

namespace kustos::search {
namespace {

constexpr std::size_t kMostLemmas = 3;
constexpr int kMostPrefixes = 2;  // "wieder-auf-genommen"

constexpr std::array<std::string_view, 5> kAdjectiveEndings = {"e", "em", "en", "er", "es"};

constexpr std::array<std::string_view, 92> kPrefixes = {
    "ab",         "an",     "auf",    "aus",    "auseinander", "be",     "bei",      "bereit",   "bloss",     "daher",
    "dahin",      "dar",    "davon",  "dazu",   "dazwischen",  "durch",  "ein",      "emp",      "empor",     "ent",
    "entgegen",   "er",     "fehl",   "fern",   "fertig",      "fest",   "fort",     "frei",     "gegenüber", "gleich",
    "heim",       "her",    "heran",  "herauf", "heraus",      "herbei", "herein",   "herum",    "herunter",  "hervor",
    "herüber",    "hin",    "hinauf", "hinaus", "hinein",      "hinter", "hinunter", "hinzu",    "hinüber",   "hoch",
    "ineinander", "klar",   "los",    "miss",   "mit",         "nach",   "nahe",     "nieder",   "preis",     "quer",
    "raus",       "rein",   "rum",    "runter", "rück",        "sicher", "statt",    "teil",     "tot",       "um",
    "umher",      "unter",  "ver",    "voll",   "vor",         "voran",  "voraus",   "vorbei",   "vorweg",    "wahr",
    "weg",        "weiter", "wider",  "wieder", "zer",         "zu",     "zurück",   "zusammen", "zuvor",     "zwangs",
    "zwischen",   "über"};

constexpr std::array<std::string_view, 14> kInseparable = {"be",   "durch", "emp",   "ent", "er",    "hinter", "miss",
                                                           "über", "um",    "unter", "ver", "wider", "wieder", "zer"};

bool begins_with(std::string_view word, std::string_view letters) {
    return word.substr(0, letters.size()) == letters;
}
bool ends_with(std::string_view word, std::string_view letters) {
    return word.size() >= letters.size() && word.substr(word.size() - letters.size()) == letters;
}

std::string without_end(const std::string& word, std::size_t letters) {
    return word.substr(0, word.size() - letters);
}

// "arbeit-et", "rechn-et", "öffn-et"; but "warn-t", "nehm-t", "wohn-t".
bool takes_e(std::string_view stem) {
    const char last = stem.back();
    if (last == 't' || last == 'd') return true;
    if ((last != 'm' && last != 'n') || stem.size() < 2) return false;
    return std::string_view("bcdfgkpstwz").find(stem[stem.size() - 2]) != std::string_view::npos ||
           ends_with(stem, "chn");
}

std::vector<std::string> pieces(std::string_view text, char separator) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i <= text.size();) {
        const std::size_t end = std::min(text.find(separator, i), text.size());
        out.push_back(form_of(text.substr(i, end - i)));
        i = end + 1;
    }
    return out;
}

class Lexicon {
public:
    Lexicon() {
        std::istringstream strong(kStrongVerbs), weak(kWeakVerbs), irregular(kIrregularWords), nouns(kNounsToo);
        for (std::string line; std::getline(strong, line);) {
            if (!line.empty()) add_strong(line);
        }
        for (std::string word; weak >> word;) add_weak(form_of(word));
        for (std::string line; std::getline(irregular, line);) {
            std::istringstream words(line);
            std::string head, word;
            words >> head;
            while (words >> word) add_irregular(form_of(word), form_of(head));
        }
        for (std::string word; nouns >> word;) nouns_.insert(form_of(word));
        for (auto* list : {&verbs_, &bound_, &others_}) {
            std::sort(list->begin(), list->end());
            list->erase(std::unique(list->begin(), list->end()), list->end());
        }
    }

    bool is_noun_too(const std::string& form) const { return nouns_.count(form) != 0; }

    std::vector<std::string> lemmas(const std::string& form) const {
        std::vector<std::string> out;
        collect(others_, form, "", out);
        verb(form, "", 0, false, out);
        for (std::string infinitive : {of_ieren(form), out.empty() ? of_prefixed(form) : std::string()}) {
            if (!infinitive.empty()) out.push_back(std::move(infinitive));
        }
        out.erase(std::remove(out.begin(), out.end(), form), out.end());
        std::sort(out.begin(), out.end());
        out.erase(std::unique(out.begin(), out.end()), out.end());
        if (out.size() > kMostLemmas) out.resize(kMostLemmas);
        return out;
    }

private:
    using Entry = std::pair<std::string, std::uint16_t>;  // a form, a number in heads_

    void add(std::string form) { add(std::move(form), verbs_); }
    void add(std::string form, std::vector<Entry>& list) {
        list.emplace_back(std::move(form), static_cast<std::uint16_t>(heads_.size() - 1));
    }
    void add_irregular(std::string form, std::string head) {
        if (heads_.empty() || heads_.back() != head) heads_.push_back(std::move(head));
        others_.emplace_back(std::move(form), static_cast<std::uint16_t>(heads_.size() - 1));
    }
    // Forms that every verb makes alike; returns the stem.
    std::string add_present(const std::string& infinitive) {
        heads_.push_back(infinitive);
        const bool short_end = ends_with(infinitive, "eln") || ends_with(infinitive, "ern") || infinitive == "tun";
        const std::string stem = without_end(infinitive, short_end ? 1 : 2);
        add(infinitive);
        add(stem + "e");
        if (ends_with(infinitive, "eln")) add(without_end(stem, 2) + "le");
        add(stem + (takes_e(stem) ? "et" : "t"));
        add(stem + (takes_e(stem) ? "est" : "st"));
        add(infinitive + "d");
        for (const std::string_view ending : kAdjectiveEndings) add(infinitive + "d" + std::string(ending));
        return stem;
    }
    // Behind "be", "ver" and the like it stands without its "ge".
    void add_participle(const std::string& participle, const std::string& infinitive) {
        const auto add_all = [this](std::vector<Entry>& list, const std::string& one) {
            add(one, list);
            for (const std::string_view ending : kAdjectiveEndings) add(one + std::string(ending), list);
        };
        add_all(verbs_, participle);
        if (begins_with(participle, "ge") && !begins_with(infinitive, "ge")) add_all(bound_, participle.substr(2));
    }
    void add_past(const std::string& past) {
        add(past);
        if (past.back() == 'e') {
            for (const char* ending : {"n", "st", "t"}) add(past + ending);
        } else {
            for (const char* ending : {"en", "st", "t", "n"}) add(past + ending);
        }
    }
    void add_weak(const std::string& infinitive) {
        const std::string stem = add_present(infinitive);
        const std::string dental = stem + (takes_e(stem) ? "et" : "t");
        add_past(dental + "e");
        add_participle("ge" + dental, infinitive);
    }
    void add_strong(const std::string& line) {
        const std::vector<std::string> columns = pieces(line, ' ');
        const std::string& infinitive = columns[0];
        add_present(infinitive);
        std::istringstream cells(line);
        std::string cell;
        cells >> cell;
        for (int column = 1; cells >> cell; ++column) {
            for (const std::string& form : pieces(cell, '/')) {
                if (column == 1) add(form);
                if (column == 1 && ends_with(form, "t")) add(without_end(form, 1) + "st");
                if (column == 2 || column == 4) add_past(form);
                if (column == 3) add_participle(form, infinitive);
            }
        }
    }

    void collect(const std::vector<Entry>& list, const std::string& form, const std::string& before,
                 std::vector<std::string>& out) const {
        for (auto at = std::lower_bound(list.begin(), list.end(), Entry(form, 0));
             at != list.end() && at->first == form; ++at)
            out.push_back(before + heads_[at->second]);
    }

    void verb(const std::string& form, const std::string& before, int depth, bool bound,
              std::vector<std::string>& out) const {
        if (form.size() < 3) return;
        collect(verbs_, form, before, out);
        if (bound) collect(bound_, form, before, out);
        // "abzuschließen"
        if (depth > 0 && begins_with(form, "zu") && ends_with(form, "n")) {
            const std::size_t known = out.size();
            collect(verbs_, form.substr(2), before, out);
            const std::string infinitive = before + form.substr(2);
            for (std::size_t i = out.size(); i > known; --i) {
                if (out[i - 1] != infinitive) out.erase(out.begin() + static_cast<std::ptrdiff_t>(i - 1));
            }
        }
        if (depth == kMostPrefixes) return;
        for (const std::string_view prefix : kPrefixes) {
            if (form.size() >= prefix.size() + 3 && begins_with(form, prefix)) {
                const bool inseparable =
                    std::find(kInseparable.begin(), kInseparable.end(), prefix) != kInseparable.end();
                verb(form.substr(prefix.size()), before + std::string(prefix), depth + 1, inseparable, out);
            }
        }
    }

    // "finanziert", "regierten" -> finanzieren, regieren
    static std::string of_ieren(const std::string& form) {
        const std::size_t at = form.rfind("iert");
        if (at == std::string::npos || at < 3) return {};
        static constexpr std::array<std::string_view, 8> kEndings = {"", "e", "en", "et", "est", "em", "er", "es"};
        if (std::find(kEndings.begin(), kEndings.end(), std::string_view(form).substr(at + 4)) == kEndings.end())
            return {};
        return form.substr(0, at) + "ieren";
    }

    // "verschränkte", "bezifferten": what begins and ends so is a verb nearly always, and if not ("Verdacht") the
    // infinitive is a word that nobody writes.
    static std::string of_prefixed(const std::string& form) {
        static constexpr std::array<std::string_view, 5> kBefore = {"be", "ver", "er", "ent", "zer"};
        static constexpr std::array<std::string_view, 5> kEndings = {"test", "tet", "ten", "te", "t"};
        const auto fits = [&form](std::string_view prefix) { return begins_with(form, prefix); };
        if (form.size() < 8 || std::none_of(kBefore.begin(), kBefore.end(), fits)) return {};
        for (const std::string_view ending : kEndings) {
            if (!ends_with(form, ending)) continue;
            std::string stem = without_end(form, ending.size());
            if (ends_with(stem, "te") || ends_with(stem, "de")) stem.pop_back();  // "verwend-ete"
            return stem + (ends_with(stem, "el") || ends_with(stem, "er") ? "n" : "en");
        }
        return {};
    }

    std::vector<std::string> heads_;
    std::vector<Entry> verbs_, bound_, others_;  // ascending
    std::unordered_set<std::string> nouns_;
};

const Lexicon& lexicon() {
    static const Lexicon the_one;
    return the_one;
}

}  // namespace

std::vector<std::string> lemmas_of(const std::string& form) {
    return lexicon().lemmas(form);
}

bool is_noun_too(const std::string& form) {
    return lexicon().is_noun_too(form);
}

}  // namespace kustos::search
