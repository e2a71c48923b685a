#include "search/src/compound.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "search/analysis.h"
#include "search/src/hunspell_marks.h"
#include "search/src/utf8.h"

namespace kustos::search {
namespace {

constexpr std::size_t kShortestCompound = 8;  // bytes
constexpr std::size_t kShortestHead = 3;
constexpr std::size_t kShortestLast = 4;
constexpr std::size_t kShortWhole = 11;
constexpr int kDeepest = 5;
constexpr std::uint64_t kLargestWordList = 64u << 20;

bool letters_only(std::string_view word) {
    return std::none_of(word.begin(), word.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x80 && !(c >= 'a' && c <= 'z'); });
}

bool ends_with(std::string_view word, std::string_view end) {
    return word.size() > end.size() && word.substr(word.size() - end.size()) == end;
}

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& list) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

// Three letters end too many words by chance; these are worth it.
bool is_short_end(std::string_view word) {
    static constexpr std::array<std::string_view, 8> kShort = {"amt", "tag", "rat", "weg", "hof", "zug", "ort", "bau"};
    return is_one_of(word, kShort);
}

// "Haftungs-", "Gesellschafts-": these endings never stand in a compound without s.
bool needs_joint(std::string_view head) {
    for (const std::string_view ending : {"ung", "heit", "keit", "schaft", "ion", "tät", "ling", "tum"}) {
        if (ends_with(head, ending)) return true;
    }
    return false;
}

// "Einfluss" is no kind of "Fluss"; behind those of the second list a long word keeps its sense: "Vorvertrag".
bool is_prefix(std::string_view head) {
    static constexpr std::array<std::string_view, 22> kPrefixes = {
        "ein", "auf", "aus", "bei", "durch", "hin", "her",  "ver",         "verb",     "wieder", "hinter",
        "ent", "zer", "zum", "bis", "wider", "emp", "aber", "auseinander", "zusammen", "set",    "nieder"};
    return is_one_of(head, kPrefixes);
}
bool is_weak_prefix(std::string_view head) {
    static constexpr std::array<std::string_view, 7> kPrefixes = {"gegen", "vor",  "unter", "über",
                                                                  "mit",   "nach", "ober"};
    return is_one_of(head, kPrefixes);
}
constexpr std::size_t kLongAfterPrefix = 7;

// What looks like an ending: "Hand-lungen", "amerika-nische", "arbeit-ende".
bool is_ending(std::string_view head, std::string_view last) {
    static constexpr std::array<std::string_view, 11> kEndings = {
        "reich", "lunge", "zunge", "nische", "schaft", "losigkeit", "ion", "tische", "unge", "ungen", "elle"};
    if (is_one_of(last, kEndings)) return true;
    static constexpr std::array<std::string_view, 4> kLate = {"ende", "enden", "haft", "haften"};
    return is_one_of(last, kLate) && (head.size() < 6 || (head.back() != 's' && head.back() != 'n'));
}

}  // namespace

CompoundSplitter::CompoundSplitter(Fs* fs, const Path& word_list) {
    const std::string_view own = kCompoundWords;
    for (std::size_t i = 0; i < own.size();) {
        const std::size_t end = std::min(own.find_first_of(" \n", i), own.size());
        add(own.substr(i, end - i), words_, kShortestHead);
        i = end + 1;
    }
    if (fs == nullptr || word_list.empty()) return;
    const auto file = read_file(*fs, word_list, kLargestWordList);
    if (!file.ok()) return;
    const std::string text = decode_charset(*file, "iso-8859-1").utf8;
    const auto affixes = read_file(*fs, Path(word_list).replace_extension(".aff"), kLargestWordList);
    if (affixes.ok() && read_dictionary(text, to_text(*affixes))) return;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t end = std::min(text.find('\n', i), text.size());
        std::string_view line = std::string_view(text).substr(i, end - i);
        i = end + 1;
        line = line.substr(0, line.find_first_of("/\t\r "));
        add(line, words_, kShortestLast);  // short ones make false joints
    }
}

bool CompoundSplitter::read_dictionary(std::string_view dic, std::string_view aff) {
    const CompoundMarks marks = compound_marks(aff);
    if (!marks.usable()) return false;
    for (std::size_t i = 0; i < dic.size();) {
        const std::size_t end = std::min(dic.find('\n', i), dic.size());
        std::string_view line = dic.substr(i, end - i);
        i = end + 1;
        line = line.substr(0, line.find_first_of("\t\r "));
        const std::size_t slash = std::min(line.find('/'), line.size());
        const std::string_view word = line.substr(0, slash), flags = line.substr(slash);
        const bool head = flags.find_first_of(marks.head) != std::string_view::npos;
        const bool last = flags.find_first_of(marks.end) != std::string_view::npos;
        if (head) add(word, heads_, kShortestHead);
        if (last) add(word, ends_, kShortestHead);
        if (!head && !last && !word.empty() && word[0] >= 'a' && word[0] <= 'z') add(word, whole_, kShortestCompound);
    }
    return true;
}

void CompoundSplitter::add(std::string_view word, Words& to, std::size_t shortest) {
    std::string form = form_of(word);
    if (form.size() >= shortest && letters_only(form)) to.insert(std::move(form));
}

// The known word that an inflected one at the end stands for; empty if none.
std::string CompoundSplitter::last_word(const std::string& word, int depth) const {
    if (word.size() < kShortestLast) {  // "Straßen-bau-maßnahme"; at the end only what is sure: "Finanz-amt"
        return (depth > 0 && ends_one(word)) || is_short_end(word) ? word : std::string();
    }
    if (ends_one(word)) return word;
    static constexpr std::array<std::string_view, 7> kEndings = {"s", "n", "e", "es", "en", "er", "ern"};
    const auto stripped = [this](const std::string& from, std::string_view ending) -> std::string {
        if (!ends_with(from, ending)) return {};
        std::string shorter = from.substr(0, from.size() - ending.size());
        if (shorter.size() < kShortestLast ? is_short_end(shorter) : ends_one(shorter)) return shorter;
        return {};
    };
    for (const std::string_view ending : kEndings) {
        if (std::string found = stripped(word, ending); !found.empty()) return found;
    }
    // "verträge", "häuser": the umlaut of a plural
    for (const auto& [umlaut, vowel] : {std::pair{"ä", "a"}, std::pair{"ö", "o"}, std::pair{"ü", "u"}}) {
        const std::size_t at = word.rfind(umlaut);
        if (at == std::string::npos) continue;
        std::string plain = word;
        plain.replace(at, 2, vowel);
        if (ends_one(plain)) return plain;
        for (const std::string_view ending : {"e", "en", "er", "ern"}) {
            if (std::string found = stripped(plain, ending); !found.empty()) return found;
        }
    }
    return {};
}

bool CompoundSplitter::is_head(const std::string& word, std::vector<std::string>& out, int depth) const {
    if (word.size() < kShortestHead) return false;
    if (begins_one(word)) {
        out.push_back(word);
        if (word.size() >= kShortestCompound) take_apart(word, out, depth + 1);
        return true;
    }
    static constexpr std::array<std::string_view, 6> kJoints = {"", "s", "es", "n", "en", "er"};
    for (const std::string_view joint : kJoints) {
        if (!joint.empty() && !ends_with(word, joint)) continue;
        const std::string shorter = word.substr(0, word.size() - joint.size());
        if (shorter.size() < kShortestHead) continue;
        const bool known = knows(shorter);
        if (joint.empty() && known && needs_joint(shorter)) continue;
        if (joint.empty() && begins_one(shorter + "s")) continue;
        if (known || (joint.empty() && knows(shorter + "e"))) {
            out.push_back(known ? shorter : shorter + "e");
            if (known && shorter.size() >= kShortestCompound) take_apart(shorter, out, depth + 1);
            return true;
        }
    }
    for (const std::string_view joint : {std::string_view(""), std::string_view("s")}) {
        if (!joint.empty() && !ends_with(word, joint)) continue;
        if (take_apart(word.substr(0, word.size() - joint.size()), out, depth + 1)) return true;
    }
    return false;
}

bool CompoundSplitter::take_apart(const std::string& word, std::vector<std::string>& out, int depth) const {
    if (depth > kDeepest || word.size() < 2 * kShortestHead) return false;
    for (std::size_t at = kShortestHead; at + kShortestHead <= word.size(); ++at) {
        if (is_continuation(word[at])) continue;
        const std::string last = last_word(word.substr(at), depth);
        if (last.empty()) continue;
        std::vector<std::string> heads;
        const std::string head = word.substr(0, at);
        if (is_prefix(head) || (is_weak_prefix(head) && last.size() < kLongAfterPrefix) || is_ending(head, last))
            continue;
        if (!is_head(head, heads, depth)) continue;
        // "Arbeits-amt", not "Arbeit-samt"
        if (word[at] == 's' && !begins_one(heads.back()) && begins_one(heads.back() + "s") &&
            !last_word(word.substr(at + 1), depth).empty())
            continue;
        out.insert(out.end(), heads.begin(), heads.end());
        out.push_back(last);
        if (last.size() >= kShortestCompound) take_apart(last, out, depth + 1);
        return true;
    }
    return false;
}

std::vector<std::string> CompoundSplitter::split(const std::string& form) const {
    std::vector<std::string> out;
    if (form.size() < kShortestCompound || form.size() >= kMaxFormBytes || !letters_only(form)) return out;
    if (form.size() <= kShortWhole && whole_.count(form) != 0) return out;  // "ebenfalls"
    // "Handlungen" is of "Handlung", which is none
    const std::string base = last_word(form, 0);
    take_apart(base.empty() ? form : base, out, 0);
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

}  // namespace kustos::search
