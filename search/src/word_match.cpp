#include "search/src/word_match.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/text.h"
#include "search/analysis.h"
#include "search/src/parts.h"
#include "search/src/utf8.h"

namespace kustos::search {
namespace {

constexpr char32_t kAny = 0x110000;  // beyond Unicode: folding may make a * of another sign
constexpr char32_t kOne = 0x110001;

void append(std::u32string& out, std::string_view text) {
    for (std::size_t i = 0; i < text.size();) out += next_code_point(text, i);
}

// Goes back to the last * alone: what an earlier one could take instead, the last one can, too.
bool glob_fits(const std::u32string& wanted, std::string_view word) {
    std::size_t w = 0, t = 0;
    std::size_t star = std::u32string::npos, star_text = 0;
    while (t < word.size()) {
        std::size_t next = t;
        const char32_t c = next_code_point(word, next);
        if (w < wanted.size() && wanted[w] == kAny) {
            star = w++;
            star_text = t;
        } else if (w < wanted.size() && (wanted[w] == kOne || wanted[w] == c)) {
            ++w;
            t = next;
        } else if (star != std::u32string::npos) {
            w = star + 1;
            next_code_point(word, star_text);
            t = star_text;
        } else {
            return false;
        }
    }
    while (w < wanted.size() && wanted[w] == kAny) ++w;
    return w == wanted.size();
}

// One row of the usual table, only where the distance can still be small enough.
bool within_distance(const std::u32string& wanted, std::string_view word, std::size_t most) {
    std::array<char32_t, kMaxFormBytes> letters;
    std::size_t count = 0;
    for (std::size_t i = 0; i < word.size();) {
        if (count == letters.size()) return false;
        letters[count++] = next_code_point(word, i);
    }
    const std::size_t length = wanted.size();
    if (length > kMaxFormBytes || count > length + most || length > count + most) return false;
    std::array<std::size_t, kMaxFormBytes + 1> row;
    const std::size_t too_many = most + 1;
    for (std::size_t k = 0; k <= length; ++k) row[k] = std::min(k, too_many);
    for (std::size_t i = 1; i <= count; ++i) {
        const std::size_t from = i > most ? i - most : 1;
        const std::size_t to = std::min(length, i + most);
        std::size_t diagonal = row[from - 1];
        row[from - 1] = from == 1 ? std::min(i, too_many) : too_many;
        std::size_t least = row[from - 1];
        for (std::size_t k = from; k <= to; ++k) {
            const std::size_t above = k == i + most ? too_many : row[k];
            const std::size_t changed = diagonal + (wanted[k - 1] == letters[i - 1] ? 0 : 1);
            diagonal = row[k];
            row[k] = std::min({changed, above + 1, row[k - 1] + 1, too_many});
            least = std::min(least, row[k]);
        }
        if (least > most) return false;
    }
    return row[length] <= most;
}

}  // namespace

WordPattern WordPattern::glob(std::string_view text) {
    WordPattern out;
    while (!text.empty()) {
        const std::size_t wild = text.find_first_of("*?");
        const std::string_view letters = text.substr(0, wild);
        append(out.plain_, plain_form(letters));
        append(out.form_, wild == std::string_view::npos ? form_of(letters) : form_of_prefix(letters));
        if (wild == std::string_view::npos) break;
        const char32_t sign = text[wild] == '*' ? kAny : kOne;
        text.remove_prefix(wild + 1);
        if (sign == kAny && !out.plain_.empty() && out.plain_.back() == kAny) continue;
        out.plain_ += sign;
        out.form_ += sign;
    }
    return out;
}

WordPattern WordPattern::fuzzy(std::string_view text, std::uint32_t distance) {
    WordPattern out;
    append(out.plain_, plain_form(text));
    append(out.form_, form_of(text));
    out.distance_ = std::max<std::uint32_t>(distance, 1);
    return out;
}

bool WordPattern::fits(const std::u32string& wanted, std::string_view word) const {
    return distance_ == 0 ? glob_fits(wanted, word) : within_distance(wanted, word, distance_);
}

bool WordPattern::matches(std::string_view plain, std::string_view form) const {
    if (fits(plain_, plain)) return true;
    return (form != plain || form_ != plain_) && fits(form_, form);
}

// Where the form has an umlaut, a plain form has that or two letters.
std::string WordPattern::literal_prefix() const {
    std::string out;
    if (distance_ != 0) return out;
    for (std::size_t i = 0; i < plain_.size() && i < form_.size(); ++i) {
        const char32_t c = plain_[i];
        if (c != form_[i] || c == kAny || c == kOne || c == U'\u00E4' || c == U'\u00F6' || c == U'\u00FC') break;
        append_code_point(out, c);
    }
    return out;
}

namespace {

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string composed(std::string_view text) {
    if (is_ascii(text)) return std::string(text);
    std::string out = nfc(text);
    for (std::size_t at = 0; (at = out.find("\xC2\xAD", at)) != std::string::npos;) out.erase(at, 2);
    return out;
}

// Signs between words; a run of white space is one space.
std::string gap_of(std::string_view text) {
    std::string out;
    const std::string signs = composed(text);
    for (std::size_t i = 0; i < signs.size(); ++i) {
        const char c = signs[i];
        const bool no_break = c == '\xC2' && i + 1 < signs.size() && signs[i + 1] == '\xA0';
        if (no_break) ++i;
        if (no_break || c == ' ' || (c >= '\t' && c <= '\r')) {
            if (out.empty() || out.back() != ' ') out += ' ';
        } else {
            out += c;
        }
    }
    return out;
}

bool same_word(std::string_view written, const std::string& wanted) {
    if (written == wanted) return true;
    // most words differ in their first letter, which no accent behind it can change here
    if (written.size() > 1 && is_ascii(written.substr(0, 2)) && written[0] != wanted[0]) return false;
    return !is_ascii(written) && composed(written) == wanted;
}

}  // namespace

ExactWords::ExactWords(std::string_view text) {
    std::size_t at = 0;
    for (const Part& part : split_parts(text)) {
        gaps_.push_back(gap_of(text.substr(at, part.begin - at)));
        words_.push_back(composed(text.substr(part.begin, part.end - part.begin)));
        at = part.end;
    }
    gaps_.push_back(gap_of(text.substr(at)));
    // a space at either end says nothing
    if (!gaps_.front().empty() && gaps_.front().front() == ' ') gaps_.front().erase(0, 1);
    if (!gaps_.back().empty() && gaps_.back().back() == ' ') gaps_.back().pop_back();
}

bool ExactWords::find(std::string_view utf8, std::vector<Place>* places) const {
    if (words_.empty()) return false;
    const std::vector<Part> parts = split_parts(utf8);
    std::unordered_map<std::size_t, std::string> broken;  // first part -> the word that a line's end divided
    for (Reading& reading : other_readings(utf8, parts)) {
        if (reading.line_break) broken.emplace(reading.first, std::move(reading.text));
    }
    const auto gap_before = [&](std::size_t i) {
        const std::size_t begin = i == 0 ? 0 : parts[i - 1].end;
        return utf8.substr(begin, (i == parts.size() ? utf8.size() : parts[i].begin) - begin);
    };
    bool found = false;
    for (std::size_t first = 0; first < parts.size(); ++first) {
        std::size_t i = first, word = 0;
        for (; word < words_.size() && i < parts.size(); ++word) {
            if (word > 0 && gap_of(gap_before(i)) != gaps_[word]) break;
            if (same_word(utf8.substr(parts[i].begin, parts[i].end - parts[i].begin), words_[word])) {
                ++i;
            } else if (const auto whole = broken.find(i);
                       whole != broken.end() && same_word(whole->second, words_[word])) {
                i += 2;
            } else {
                break;
            }
        }
        if (word < words_.size()) continue;
        std::size_t begin = parts[first].begin, end = parts[i - 1].end;
        if (const std::string& before = gaps_.front(); !before.empty()) {
            const std::string gap = gap_of(gap_before(first));
            if (gap.size() < before.size() || gap.compare(gap.size() - before.size(), before.size(), before) != 0)
                continue;
        }
        if (gap_of(gap_before(i)).compare(0, gaps_.back().size(), gaps_.back()) != 0) continue;
        found = true;
        if (places == nullptr) return true;
        places->push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
    }
    return found;
}

std::vector<ExactWords::Place> ExactWords::places(std::string_view utf8) const {
    std::vector<Place> out;
    find(utf8, &out);
    return out;
}

bool ExactWords::in(std::string_view utf8) const {
    return find(utf8, nullptr);
}

bool exact_matches(std::string_view utf8, std::string_view text) {
    return ExactWords(text).in(utf8);
}

}  // namespace kustos::search
