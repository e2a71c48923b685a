#include "search/src/german_stem.h"

#include <algorithm>
#include <array>

#include "search/src/utf8.h"

namespace kustos::search {
namespace {

using Letters = std::u32string;
using View = std::u32string_view;

bool one_of(char32_t c, View set) {
    return set.find(c) != View::npos;
}
bool is_vowel(char32_t c) {
    return one_of(c, U"aeiouyäöü");
}

class Run {
public:
    Run(std::string_view word, bool digraphs) {
        for (std::size_t i = 0; i < word.size();) word_ += next_code_point(word, i);
        mark_consonants();
        replace(digraphs);
        mark_regions();
    }

    Letters stem() {
        endings();
        second_endings();
        derivations();
        apostrophe();
        for (char32_t& c : word_) {
            switch (c) {
                case U'Y':
                    c = U'y';
                    break;
                case U'U':
                case U'ü':
                    c = U'u';
                    break;
                case U'ä':
                    c = U'a';
                    break;
                case U'ö':
                    c = U'o';
                    break;
                default:
                    break;
            }
        }
        return std::move(word_);
    }

private:
    // u and y between vowels are consonants
    void mark_consonants() {
        for (std::size_t i = 0; i + 2 < word_.size();) {
            if (is_vowel(word_[i]) && one_of(word_[i + 1], U"uy") && is_vowel(word_[i + 2])) {
                word_[i + 1] = word_[i + 1] == U'u' ? U'U' : U'Y';
                i += 3;
            } else {
                ++i;
            }
        }
    }
    void replace(bool digraphs) {
        Letters out;
        for (std::size_t i = 0; i < word_.size(); ++i) {
            const char32_t c = word_[i];
            const char32_t next = i + 1 < word_.size() ? word_[i + 1] : U' ';
            if (c == U'ß') {
                out += U"ss";
            } else if (digraphs && next == U'e' && one_of(c, U"aou")) {
                out += c == U'a' ? U'ä' : c == U'o' ? U'ö' : U'ü';
                ++i;
            } else if (c == U'q' && next == U'u') {
                out += U"qu";
                ++i;
            } else {
                out += c;
            }
        }
        word_ = std::move(out);
    }
    void mark_regions() {
        r1_ = r2_ = word_.size();
        if (word_.size() < 3) return;
        const auto past = [this](std::size_t from) {
            while (from < word_.size() && !is_vowel(word_[from])) ++from;
            while (from < word_.size() && is_vowel(word_[from])) ++from;
            return from < word_.size() ? from + 1 : std::u32string::npos;
        };
        const std::size_t first = past(0);
        if (first == std::u32string::npos) return;
        r1_ = std::max<std::size_t>(first, 3);
        const std::size_t second = past(first);
        if (second != std::u32string::npos) r2_ = second;
    }

    bool ends(View end) const {
        return word_.size() >= end.size() && View(word_).substr(word_.size() - end.size()) == end;
    }
    bool ends_before(View end, View suffix) const {
        const View rest = View(word_).substr(0, word_.size() - suffix.size());
        return rest.size() >= end.size() && rest.substr(rest.size() - end.size()) == end;
    }
    void cut(std::size_t letters) { word_.resize(word_.size() - letters); }
    std::size_t start_of(View suffix) const { return word_.size() - suffix.size(); }
    // The longest of these that the word ends in, if it stands in the region; empty if not.
    template <std::size_t N>
    View longest(const std::array<View, N>& suffixes, std::size_t region) const {
        View best;
        for (const View suffix : suffixes) {
            if (suffix.size() > best.size() && ends(suffix)) best = suffix;
        }
        return !best.empty() && start_of(best) >= region ? best : View();
    }
    char32_t before(View suffix) const {
        return word_.size() > suffix.size() ? word_[word_.size() - suffix.size() - 1] : U' ';
    }

    void endings() {
        static constexpr std::array<View, 11> kSuffixes = {U"em", U"ern", U"er", U"erin", U"erinnen", U"e",
                                                           U"en", U"es",  U"s",  U"ln",   U"lns"};
        const View suffix = longest(kSuffixes, r1_);
        if (suffix.empty()) return;
        if (suffix == U"em" && ends_before(U"syst", suffix)) return;
        if (suffix == U"s" && !one_of(before(suffix), U"bdfghklmnrt")) return;
        cut(suffix == U"ln" ? 1 : suffix == U"lns" ? 2 : suffix.size());
        if ((suffix == U"e" || suffix == U"en" || suffix == U"es") && ends(U"niss")) cut(1);
    }

    void second_endings() {
        static constexpr std::array<View, 5> kSuffixes = {U"en", U"er", U"est", U"st", U"et"};
        const View suffix = longest(kSuffixes, r1_);
        if (suffix.empty()) return;
        if (suffix == U"st" && (!one_of(before(suffix), U"bdfghklmnt") || word_.size() < 6)) return;
        if (suffix == U"et") {
            if (!one_of(before(suffix), U"dfgklmnrstUzä")) return;
            for (const View kept : {View(U"geordn"), View(U"intern"), View(U"plan"), View(U"tick"), View(U"tr")}) {
                if (ends_before(kept, suffix)) return;
            }
        }
        cut(suffix.size());
    }

    void derivations() {
        static constexpr std::array<View, 8> kSuffixes = {U"end",  U"ung",  U"ig",   U"ik",
                                                          U"isch", U"lich", U"heit", U"keit"};
        const View suffix = longest(kSuffixes, r2_);
        if (suffix.empty()) return;
        if ((suffix == U"ig" || suffix == U"ik" || suffix == U"isch") && before(suffix) == U'e') return;
        cut(suffix.size());
        if (suffix == U"end" || suffix == U"ung") {
            if (ends(U"ig") && before(U"ig") != U'e' && start_of(U"ig") >= r2_) cut(2);
        } else if (suffix == U"lich" || suffix == U"heit") {
            if ((ends(U"er") || ends(U"en")) && start_of(U"er") >= r1_) cut(2);
        } else if (suffix == U"keit") {
            for (const View more : {View(U"lich"), View(U"ig")}) {
                if (!ends(more) || start_of(more) < r2_) continue;
                cut(more.size());
                break;
            }
        }
    }

    void apostrophe() {
        for (const View end : {View(U"'sch"), View(U"'s"), View(U"'")}) {
            if (!ends(end)) continue;
            if (word_.size() > end.size() + 1) cut(end.size());
            return;
        }
    }

    Letters word_;
    std::size_t r1_ = 0, r2_ = 0;
};

}  // namespace

std::string german_stem(std::string_view word, bool digraphs) {
    std::string out;
    for (const char32_t c : Run(word, digraphs).stem()) append_code_point(out, c);
    return out;
}

}  // namespace kustos::search
