#include "search/src/compound.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "search/analysis.h"
#include "search/src/utf8.h"

namespace kustos::search {
namespace {

constexpr std::size_t kShortestCompound = 8;  // bytes
constexpr std::size_t kShortestHead = 3;
constexpr std::size_t kShortestLast = 4;
constexpr int kDeepest = 5;
constexpr std::uint64_t kLargestWordList = 64u << 20;

bool letters_only(std::string_view word) {
    return std::none_of(word.begin(), word.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x80 && !(c >= 'a' && c <= 'z'); });
}

bool ends_with(std::string_view word, std::string_view end) {
    return word.size() > end.size() && word.substr(word.size() - end.size()) == end;
}

}  // namespace

CompoundSplitter::CompoundSplitter(Fs* fs, const Path& word_list) {
    const std::string_view own = kCompoundWords;
    for (std::size_t i = 0; i < own.size();) {
        const std::size_t end = std::min(own.find_first_of(" \n", i), own.size());
        add(own.substr(i, end - i));
        i = end + 1;
    }
    if (fs == nullptr || word_list.empty()) return;
    auto file = read_file(*fs, word_list, kLargestWordList);
    if (!file.ok()) return;
    const std::string text = decode_charset(*file, "iso-8859-1").utf8;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t end = std::min(text.find('\n', i), text.size());
        std::string_view line = std::string_view(text).substr(i, end - i);
        i = end + 1;
        // Hunspell's affix-only entries ("Ige/...") are left alone; short ones make false joints.
        line = line.substr(0, line.find_first_of("/\t\r "));
        if (line.size() >= kShortestLast) add(line);
    }
}

void CompoundSplitter::add(std::string_view word) {
    std::string form = form_of(word);
    if (form.size() >= kShortestHead && letters_only(form)) words_.insert(std::move(form));
}

// The known word that an inflected one at the end stands for; empty if none.
std::string CompoundSplitter::last_word(const std::string& word, int depth) const {
    if (word.size() < kShortestLast) return depth > 0 && knows(word) ? word : std::string();  // "Straßen-bau-maßnahme"
    if (knows(word)) return word;
    static constexpr std::array<std::string_view, 7> kEndings = {"s", "n", "e", "es", "en", "er", "ern"};
    for (const std::string_view ending : kEndings) {
        if (!ends_with(word, ending)) continue;
        std::string shorter = word.substr(0, word.size() - ending.size());
        if (shorter.size() < kShortestLast) continue;
        if (knows(shorter)) return shorter;
    }
    // "verträge", "häuser": the umlaut of a plural
    for (const auto& [umlaut, vowel] : {std::pair{"ä", "a"}, std::pair{"ö", "o"}, std::pair{"ü", "u"}}) {
        const std::size_t at = word.rfind(umlaut);
        if (at == std::string::npos) continue;
        std::string plain = word;
        plain.replace(at, 2, vowel);
        for (const std::string_view ending : {std::string_view(""), std::string_view("e"), std::string_view("en"),
                                              std::string_view("er"), std::string_view("ern")}) {
            if (!ending.empty() && !ends_with(plain, ending)) continue;
            std::string shorter = plain.substr(0, plain.size() - ending.size());
            if (shorter.size() >= kShortestLast && knows(shorter)) return shorter;
        }
    }
    return {};
}

bool CompoundSplitter::is_head(const std::string& word, std::vector<std::string>& out, int depth) const {
    if (word.size() < kShortestHead) return false;
    static constexpr std::array<std::string_view, 6> kJoints = {"", "s", "es", "n", "en", "er"};
    for (const std::string_view joint : kJoints) {
        if (!joint.empty() && !ends_with(word, joint)) continue;
        const std::string shorter = word.substr(0, word.size() - joint.size());
        if (shorter.size() < kShortestHead) continue;
        const bool known = knows(shorter);
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
        if (!is_head(word.substr(0, at), heads, depth)) continue;
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
    take_apart(form, out, 0);
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

}  // namespace kustos::search
