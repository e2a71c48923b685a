#include "ingest/extractor/number_format.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace kustos::extractor {

namespace {

constexpr std::size_t kLongestCode = 256;

// A piece of a format code: a literal, or a run of one letter or sign.
struct Piece {
    char sign;  // '"' for a literal, '[' for an elapsed time
    std::string text;
};

std::vector<std::string_view> sections(std::string_view code) {
    std::vector<std::string_view> out;
    bool quoted = false;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < code.size(); ++i) {
        if (code[i] == '\\' && !quoted) {
            ++i;
        } else if (code[i] == '"') {
            quoted = !quoted;
        } else if (code[i] == ';' && !quoted) {
            out.push_back(code.substr(begin, i - begin));
            begin = i + 1;
        }
    }
    out.push_back(code.substr(std::min(begin, code.size())));
    return out;
}

// [$€-407] is a currency, [h] an elapsed time; colours and conditions give nothing.
void put_bracket(std::string_view inside, std::vector<Piece>& out) {
    if (!inside.empty() && inside.front() == '$')
        out.push_back({'"', std::string(inside.substr(1, inside.find('-') - 1))});
    else if (!inside.empty() && inside.find_first_not_of("hHmMsS") == std::string_view::npos)
        out.push_back({'[', std::string(inside)});
}

std::vector<Piece> pieces(std::string_view code) {
    std::vector<Piece> out;
    for (std::size_t i = 0; i < code.size(); ++i) {
        const char c = code[i];
        if (c == '"') {
            const std::size_t close = std::min(code.find('"', i + 1), code.size());
            out.push_back({'"', std::string(code.substr(i + 1, close - i - 1))});
            i = close;
        } else if (c == '[') {
            const std::size_t close = std::min(code.find(']', i), code.size());
            put_bracket(code.substr(i + 1, close - i - 1), out);
            i = close;
        } else if (c == '\\' || c == '_' || c == '*') {
            if (i + 1 < code.size() && c == '\\') out.push_back({'"', std::string(1, code[i + 1])});
            if (i + 1 < code.size() && c == '_') out.push_back({'"', " "});
            ++i;
        } else if (!out.empty() && out.back().sign == c && std::isalpha(static_cast<unsigned char>(c))) {
            out.back().text += c;
        } else {
            out.push_back({c, std::string(1, c)});
        }
    }
    return out;
}

bool has_sign(const std::vector<Piece>& all, std::string_view signs) {
    return std::any_of(all.begin(), all.end(),
                       [&](const Piece& piece) { return signs.find(piece.sign) != std::string_view::npos; });
}

struct Civil {
    std::int64_t year;
    unsigned month, day, weekday;  // 0: Sunday
};

// Days since 1 March 0000 (H. Hinnant, "chrono-compatible low-level date algorithms").
Civil civil(std::int64_t days_since_1970) {
    const std::int64_t z = days_since_1970 + 719'468;
    const std::int64_t era = z / 146'097;
    const auto doe = static_cast<unsigned>(z - era * 146'097);
    const unsigned yoe = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365;
    const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const unsigned mp = (5 * doy + 2) / 153;
    const unsigned month = mp < 10 ? mp + 3 : mp - 9;
    return {static_cast<std::int64_t>(yoe) + era * 400 + (month <= 2 ? 1 : 0), month, doy - (153 * mp + 2) / 5 + 1,
            static_cast<unsigned>((days_since_1970 + 4) % 7)};
}

std::string padded(std::int64_t value, std::size_t width) {
    std::string out = std::to_string(value);
    return out.size() < width ? std::string(width - out.size(), '0') + out : out;
}

std::string day_or_month(char sign, std::size_t letters, const Civil& date) {
    static constexpr const char* kDays[] = {"Sonntag",    "Montag",  "Dienstag", "Mittwoch",
                                            "Donnerstag", "Freitag", "Samstag"};
    static constexpr const char* kMonths[] = {"Januar", "Februar", "M\xC3\xA4rz", "April",   "Mai",      "Juni",
                                              "Juli",   "August",  "September",   "Oktober", "November", "Dezember"};
    static constexpr const char* kShort[] = {"Jan", "Feb", "Mrz", "Apr", "Mai", "Jun",
                                             "Jul", "Aug", "Sep", "Okt", "Nov", "Dez"};
    const unsigned number = sign == 'd' ? date.day : date.month;
    if (letters <= 2) return padded(number, letters);
    if (sign == 'd') return letters == 3 ? std::string(kDays[date.weekday], 2) : kDays[date.weekday];
    if (letters == 5) return std::string(kMonths[number - 1], 1);
    return letters == 3 ? kShort[number - 1] : kMonths[number - 1];
}

std::string date_text(double value, const std::vector<Piece>& all, bool epoch_1904) {
    std::int64_t seconds = static_cast<std::int64_t>(std::llround(value * 86'400));
    const std::int64_t days = seconds / 86'400, of_day = seconds % 86'400;
    // 1900 counts a 29 February that never was (18.17.4.1).
    const std::int64_t epoch = epoch_1904 ? -24'107 : days < 60 ? -25'568 : -25'569;
    const Civil date = civil(days + epoch);
    const bool half_days = has_sign(all, "A");
    std::string out;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const Piece& piece = all[i];
        const char sign = static_cast<char>(std::tolower(static_cast<unsigned char>(piece.sign)));
        const std::size_t n = piece.text.size();
        const auto clock_sign = [&](std::size_t from, int step, char wanted) {
            for (std::size_t k = from; k < all.size(); k += static_cast<std::size_t>(step)) {
                const char other = static_cast<char>(
                    std::tolower(static_cast<unsigned char>(all[k].sign == '[' ? all[k].text.front() : all[k].sign)));
                if (other == wanted) return true;
                if (other == 'd' || other == 'y' || other == 'm' || other == 'h' || other == 's') return false;
            }
            return false;
        };
        const bool minutes = sign == 'm' && (clock_sign(i - 1, -1, 'h') || clock_sign(i + 1, 1, 's'));
        if (sign == '[') {
            const char unit = static_cast<char>(std::tolower(static_cast<unsigned char>(piece.text.front())));
            out += padded(seconds / (unit == 'h' ? 3600 : unit == 'm' ? 60 : 1), n);
        } else if (minutes) {
            out += padded(of_day / 60 % 60, n);
        } else if (sign == 'd' || sign == 'm') {
            out += day_or_month(sign, n, date);
        } else if (sign == 'y') {
            out += n <= 2 ? padded(date.year % 100, 2) : padded(date.year, 4);
        } else if (sign == 'h') {
            const std::int64_t hour = of_day / 3600;
            out += padded(half_days ? (hour + 11) % 12 + 1 : hour, n);
        } else if (sign == 's') {
            out += padded(of_day % 60, n);
        } else if (piece.sign == 'A') {  // AM/PM
            out += of_day < 43'200 ? "AM" : "PM";
            while (i + 1 < all.size() && std::string_view("/MP").find(all[i + 1].sign) != std::string_view::npos) ++i;
        } else if (piece.sign != '@') {
            out += piece.text;
        }
    }
    return out;
}

std::string grouped(std::string digits) {
    for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ".");
    return digits;
}

std::string decimal(double value, std::size_t decimals, std::size_t least, bool thousands) {
    char buffer[512];
    std::snprintf(buffer, sizeof buffer, "%.*f", static_cast<int>(decimals), value);
    std::string_view text = buffer;
    const std::size_t point = std::min(text.find('.'), text.size());
    std::string whole(text.substr(0, point));
    if (whole.size() < least) whole.insert(0, least - whole.size(), '0');
    if (least == 0 && whole == "0") whole.clear();
    if (thousands) whole = grouped(std::move(whole));
    return point < text.size() ? whole + "," + std::string(text.substr(point + 1)) : whole;
}

std::string number_text(double value, const std::vector<Piece>& all) {
    std::string before, after;
    std::size_t least = 0, decimals = 0, optional = 0, scale = 0;
    bool digits = false, point = false, thousands = false, pending_comma = false;
    int percent = 0;
    for (const Piece& piece : all) {
        if (piece.sign == '0' || piece.sign == '#' || piece.sign == '?') {
            thousands |= pending_comma;
            pending_comma = false;
            digits = true;
            if (point) {
                ++decimals;
                piece.sign == '0' ? void(optional = 0) : void(++optional);
            } else if (piece.sign == '0') {
                ++least;
            }
        } else if (piece.sign == '.' && digits) {
            point = true;
        } else if (piece.sign == ',' && digits) {
            pending_comma = true;
            ++scale;
        } else {
            if (piece.sign == '%') ++percent;
            (digits ? after : before) += piece.text;
        }
    }
    scale = pending_comma ? (thousands ? 1 : scale) : 0;
    for (; percent > 0; --percent) value *= 100;
    for (; scale > 0; --scale) value /= 1000;
    std::string shown = digits ? decimal(value, std::min<std::size_t>(decimals, 30), least, thousands) : std::string();
    for (; optional > 0 && shown.find(',') != std::string::npos && shown.back() == '0'; --optional) shown.pop_back();
    return before + shown + after;
}

std::string plain(std::string_view stored, double value) {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%.15G", value);
    std::string out = std::isfinite(value) ? buffer : std::string(stored);
    std::replace(out.begin(), out.end(), '.', ',');
    return out;
}

std::string scientific(double value, const std::vector<Piece>& all) {
    std::size_t decimals = 0;
    bool point = false;
    for (const Piece& piece : all) {
        if (piece.sign == 'E' || piece.sign == 'e') break;
        if (piece.sign == '.') point = true;
        if (point && piece.sign == '0') ++decimals;
    }
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%.*E", static_cast<int>(std::min<std::size_t>(decimals, 30)), value);
    std::string out = buffer;
    std::replace(out.begin(), out.end(), '.', ',');
    return out;
}

}  // namespace

std::string_view builtin_number_format(unsigned id) {
    switch (id) {
        case 1:
            return "0";
        case 2:
            return "0.00";
        case 3:
            return "#,##0";
        case 4:
            return "#,##0.00";
        case 9:
            return "0%";
        case 10:
            return "0.00%";
        case 11:
            return "0.00E+00";
        case 14:
            return "dd.mm.yyyy";
        case 15:
            return "dd. mmm yy";
        case 16:
            return "dd. mmm";
        case 17:
            return "mmm yy";
        case 18:
            return "h:mm AM/PM";
        case 19:
            return "h:mm:ss AM/PM";
        case 20:
            return "hh:mm";
        case 21:
            return "hh:mm:ss";
        case 22:
            return "dd.mm.yyyy hh:mm";
        case 37:
        case 38:
            return "#,##0";
        case 39:
        case 40:
            return "#,##0.00";
        case 45:
            return "mm:ss";
        case 46:
            return "[h]:mm:ss";
        case 47:
            return "mm:ss";
        case 48:
            return "0.0E+0";
        default:
            return "";
    }
}

std::string shown_number(std::string_view stored, std::string_view code, bool epoch_1904) {
    double value = 0;
    const auto [end, error] = std::from_chars(stored.data(), stored.data() + stored.size(), value);
    if (error != std::errc() || end != stored.data() + stored.size() || !std::isfinite(value))
        return std::string(stored);
    const bool condition = code.find("[<") != code.npos || code.find("[>") != code.npos || code.find("[=") != code.npos;
    if (code.empty() || code.size() > kLongestCode || condition || code.find("General") != code.npos)
        return plain(stored, value);
    const auto parts = sections(code);
    std::size_t which = 0;
    if (value < 0 && parts.size() > 1) which = 1;
    if (value == 0 && parts.size() > 2) which = 2;
    const auto all = pieces(parts[which]);
    if (has_sign(all, "@")) return plain(stored, value);
    if (has_sign(all, "Ee") && has_sign(all, "0")) return scientific(value, all);
    if (has_sign(all, "yYdDhHmMsS[")) {
        // Dates end with 9999.
        if (value < 0 || value >= 2'958'466) return plain(stored, value);
        return date_text(value, all, epoch_1904);
    }
    if (has_sign(all, "?/")) return plain(stored, value);
    const std::string shown = number_text(std::abs(value), all);
    return value < 0 && which == 0 ? "-" + shown : shown;
}

}  // namespace kustos::extractor
