#include "search/src/references.h"

#include <algorithm>
#include <array>

namespace kustos::search {
namespace {

constexpr std::size_t kMostGroups = 8;  // of a telephone number
constexpr std::size_t kMostLinks = 10;  // of a file reference

// Register signs of German courts and prosecutors, small.
constexpr std::array<std::string_view, 93> kRegisters = {
    "a",   "agh", "ar",  "anwz", "arnot", "arvz", "as",  "azr", "b",    "ba", "be", "bf",  "blw", "bn",
    "bs",  "bv",  "bvb", "bve",  "bvf",   "bvg",  "bvl", "bvq", "bvr",  "c",  "ca", "ce",  "cn",  "cs",
    "d",   "ds",  "e",   "enwg", "enwr",  "er",   "f",   "fh",  "g",    "ga", "gs", "h",   "hko", "i",
    "ik",  "in",  "js",  "k",    "kart",  "kg",   "kls", "ko",  "kr",   "ks", "l",  "lb",  "ls",  "lw",
    "m",   "n",   "nbs", "ns",   "o",     "oh",   "op",  "owi", "p",    "qs", "r",  "rj",  "s",   "sa",
    "sb",  "sch", "so",  "ss",   "str",   "stvk", "t",   "ta",  "tabv", "u",  "uf", "ujs", "v",   "va",
    "vas", "vg",  "w",   "wf",   "ws",    "x",    "za",  "zb",  "zr"};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool all(std::string_view text, bool (*is)(char)) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is);
}
bool has_digit(std::string_view text) {
    return std::any_of(text.begin(), text.end(), is_digit);
}
std::string small(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
}
bool is_register(std::string_view letters) {
    return std::find(kRegisters.begin(), kRegisters.end(), small(letters)) != kRegisters.end();
}
bool is_roman(std::string_view text) {
    return !text.empty() && text.size() <= 5 && text.find_first_not_of("IVXivx") == std::string_view::npos;
}
// "14", "14c", "VI", "VIa"
bool is_chamber(std::string_view text) {
    if (text.empty() || text.size() > 6) return false;
    if (text.size() > 1 && is_letter(text.back()) && text.back() >= 'a' && text.back() <= 'e') {
        const std::string_view rest = text.substr(0, text.size() - 1);
        if ((all(rest, is_digit) && rest.size() <= 4) || is_roman(rest)) return true;
    }
    return (all(text, is_digit) && text.size() <= 4) || is_roman(text);
}

// "VIZR"
bool is_chamber_with_register(std::string_view letters) {
    for (std::size_t at = 1; at < letters.size(); ++at) {
        if (is_chamber(letters.substr(0, at)) && is_register(letters.substr(at))) return true;
    }
    return false;
}
std::string short_year(char link, std::string year) {
    if (link == '/' && year.size() == 4) year.erase(0, 2);
    return year.size() == 1 ? "0" + year : year;
}

// Where the last run of letters, or of digits, begins.
std::size_t last_run(std::string_view text, bool (*is)(char)) {
    std::size_t at = text.size();
    while (at > 0 && is(text[at - 1])) --at;
    return at;
}

class Reader {
public:
    Reader(std::string_view text, const std::vector<Part>& parts, std::vector<Reading>& readings)
        : text_(text), parts_(parts), readings_(readings) {}

    void run() {
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            const char first = text_[parts_[i].begin];
            if (is_digit(first) && (first == '0' || before(i) == '+')) telephone(i);
            if ((first == 's' || first == 'S') && parts_[i].end - parts_[i].begin == 3) street(i);
            if (i + 1 == parts_.size()) break;
            const char link = text_[parts_[i].end];
            if ((link == '/' || link == '.') && is_digit(text_[parts_[i].end - 1])) court(i, link);
            if (link == '/' || link == '-' || link == '.' || (link == ' ' && gap(i).size() == 3)) office(i);
        }
    }

private:
    std::string_view part(std::size_t i) const {
        return text_.substr(parts_[i].begin, parts_[i].end - parts_[i].begin);
    }
    std::string_view gap(std::size_t i) const {  // behind part i
        return text_.substr(parts_[i].end, parts_[i + 1].begin - parts_[i].end);
    }
    char before(std::size_t i) const { return parts_[i].begin > 0 ? text_[parts_[i].begin - 1] : ' '; }
    char after(std::size_t i) const { return parts_[i].end < text_.size() ? text_[parts_[i].end] : ' '; }
    // White space alone: " ", no-break space, a line end
    bool is_blank(std::size_t i) const {
        const std::string_view between = gap(i);
        return between == " " || between == "\n" || between == "\r\n" || between == "\xC2\xA0" ||
               between == "\xE2\x80\xAF" || between == "  ";
    }
    void add(std::size_t first, std::size_t last, std::string reading) {
        Reading one{static_cast<std::uint32_t>(first),
                    static_cast<std::uint32_t>(last),
                    static_cast<std::uint32_t>(first),
                    std::move(reading),
                    false,
                    true,
                    false};
        readings_.push_back(std::move(one));
    }

    // The number before the stroke is the last run of digits of part i; what stands before it is looked at backwards.
    void court(std::size_t i, char link) {
        if (gap(i).size() != 1 || !all(part(i + 1), is_digit)) return;
        const std::string year(part(i + 1));
        if (link == '/' ? year.size() > 4 || year.size() == 3 : year.size() < 2 || year.size() > 5) return;
        std::string_view rest = part(i);
        const std::size_t number_at = last_run(rest, is_digit);
        const std::string number(rest.substr(number_at));
        if (number.size() > 6) return;
        rest = rest.substr(0, number_at);
        std::size_t at = i;
        const auto step_back = [&] {  // to the part before, once this one is used up
            if (!rest.empty()) return true;
            if (at == 0 || !is_blank(at - 1)) return false;
            rest = part(--at);
            return true;
        };
        if (!step_back()) return;
        const std::size_t letters_at = last_run(rest, is_letter);
        std::string sign(rest.substr(letters_at));
        if (letters_at == 0 && !is_register(sign) && is_chamber_with_register(sign)) {
            add(at, i + 1, small(sign) + number + link + short_year(link, year));
            return;
        }
        if (!is_register(sign)) return;
        rest = rest.substr(0, letters_at);
        if (!step_back()) return;
        if (small(sign) == "o" && small(rest) == "hk") {  // "11 HK O 12/20"
            sign = "hko";
            rest = {};
            if (!step_back()) return;
        }
        if (!is_chamber(rest)) return;
        add(at, i + 1, small(rest) + small(sign) + number + link + short_year(link, year));
    }

    // A chain of at least three with a stroke, at least two of them with digits.
    void office(std::size_t first) {
        static constexpr std::string_view kInside = "/\\@:._-=&?#%~";  // of an address or a longer chain
        const bool marked = first > 0 && (small(part(first - 1)) == "az" || small(part(first - 1)) == "gz");
        if (!marked && kInside.find(before(first)) != std::string_view::npos) return;
        const auto link = [this](std::size_t i, bool& spaced) -> char {
            const std::string_view between = gap(i);
            if (between.size() == 1 && (between[0] == '/' || between[0] == '-' || between[0] == '.')) return between[0];
            if (between.size() != 3 || between[0] != ' ' || between[2] != ' ') return 0;
            spaced = true;
            return (between[1] == '/' || between[1] == '-') && has_digit(part(i + 1)) ? between[1] : '\0';
        };
        std::string chain(part(first));
        std::size_t strokes = 0, numbers = has_digit(chain), last = first;
        if (numbers == 0 && chain.size() > 4) return;
        if (chain.size() == 2 && (small(chain) == "az" || small(chain) == "gz")) return;  // "Az.12-3/26"
        const auto finish = [&] {
            const bool date = last == first + 2 && strokes == 2 && numbers == 3;
            if (last < first + 2 || strokes == 0 || numbers < 2 || date || !has_digit(part(last))) return;
            if (after(last) == '/' || after(last) == '@' || after(last) == '=' || after(last) == '\\') return;
            add(first, last, chain);
        };
        bool was_spaced = false;
        while (last + 1 < parts_.size() && last - first < kMostLinks && part(last + 1).size() <= 10) {
            bool spaced = false;
            const char sign = link(last, spaced);
            if (sign == 0) break;
            if (spaced && !was_spaced) finish();  // what follows the blank may be something else
            was_spaced = was_spaced || spaced;
            chain += sign;
            chain += part(++last);
            strokes += sign == '/';
            numbers += has_digit(part(last));
        }
        finish();
    }

    static bool joins_groups(std::string_view between) {
        static constexpr std::array<std::string_view, 14> kBetween = {
            " ", "-", "/", " / ", " - ", ") ", " (", ")", "(", ".", "\xC2\xA0", "\xE2\x80\x93", "\xE2\x80\x91", "/ "};
        return std::find(kBetween.begin(), kBetween.end(), between) != kBetween.end();
    }

    // Where it ends is not to be seen ("089 1234567 12 Leute"): every length that it may have is a reading.
    void telephone(std::size_t first) {
        if (!all(part(first), is_digit)) return;
        const bool plus = before(first) == '+';
        static constexpr std::string_view kInside = ".,-/";
        if (first > 0 && !plus && gap(first - 1).size() == 1 && kInside.find(before(first)) != std::string_view::npos &&
            is_digit(part(first - 1).back()))
            return;
        const bool abroad = plus || part(first).substr(0, 2) == "00";
        std::string digits(part(first).substr(plus ? 0 : abroad ? 2 : 1));
        if (!abroad) {
            if (part(first).size() < 3) return;
            digits = "49" + digits;
        }
        if (digits.empty() || digits[0] == '0') return;
        std::size_t last = first;
        for (;;) {
            std::string number = digits;
            if (number.substr(0, 3) == "490") number.erase(2, 1);
            const std::size_t least = number.substr(0, 2) == "49" ? 9 : 8;
            if (number.size() > 15) return;
            if (number.size() >= least) add(first, last, "+" + number);
            if (last + 1 >= parts_.size() || last - first >= kMostGroups || !joins_groups(gap(last))) return;
            ++last;
            if (!all(part(last), is_digit)) return;
            if (part(last) == "0" && before(last) == '(' && after(last) == ')') continue;  // "+49 (0)89"
            digits += part(last);
        }
    }

    void street(std::size_t i) {
        if (small(part(i)) != "str") return;
        const bool before_number =
            part(i)[0] == 'S' && i + 1 < parts_.size() && gap(i) == " " && is_digit(part(i + 1)[0]);
        if (after(i) != '.' && !before_number) return;
        add(i, i, "Straße");
        readings_.back().quoted = false;
        readings_.back().instead = true;
    }

    std::string_view text_;
    const std::vector<Part>& parts_;
    std::vector<Reading>& readings_;
};

}  // namespace

void add_references(std::string_view utf8, const std::vector<Part>& parts, std::vector<Reading>& readings) {
    Reader(utf8, parts, readings).run();
}

}  // namespace kustos::search
