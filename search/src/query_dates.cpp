#include "search/src/query_dates.h"

#include <array>
#include <optional>
#include <vector>

namespace kustos::search {
namespace {

struct Span {
    CivilDate first, last;
};

std::optional<int> number(std::string_view digits, std::size_t least, std::size_t most) {
    if (digits.size() < least || digits.size() > most) return std::nullopt;
    int value = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

unsigned last_day(int year, unsigned month) {
    unsigned day = 31;
    while (!utc_midnight({year, month, day}).ok()) --day;
    return day;
}

std::optional<Span> span_of(int year, std::optional<int> month, std::optional<int> day) {
    if (year < 1 || year > 9999) return std::nullopt;
    if (!month) return Span{{year, 1, 1}, {year, 12, 31}};
    if (*month < 1 || *month > 12) return std::nullopt;
    const auto m = static_cast<unsigned>(*month);
    if (!day) return Span{{year, m, 1}, {year, m, last_day(year, m)}};
    if (*day < 1 || static_cast<unsigned>(*day) > last_day(year, m)) return std::nullopt;
    const CivilDate date{year, m, static_cast<unsigned>(*day)};
    return Span{date, date};
}

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> out;
    for (;;) {
        const std::size_t next = text.find(at);
        out.push_back(text.substr(0, next));
        if (next == std::string_view::npos) return out;
        text.remove_prefix(next + 1);
    }
}

std::optional<Span> parse_one(std::string_view text) {
    if (text.size() > 10) return std::nullopt;
    const bool german = text.find('.') != std::string_view::npos;
    std::vector<std::string_view> pieces = split(text, german ? '.' : '-');
    if (pieces.size() > 3) return std::nullopt;
    if (german) pieces = {pieces.rbegin(), pieces.rend()};
    if (german && pieces.size() == 1) return std::nullopt;
    const auto year = number(pieces[0], 4, 4);
    const std::size_t least = german ? 1 : 2;
    std::optional<int> month, day;
    if (!year) return std::nullopt;
    if (pieces.size() > 1 && !(month = number(pieces[1], least, 2))) return std::nullopt;
    if (pieces.size() > 2 && !(day = number(pieces[2], least, 2))) return std::nullopt;
    return span_of(*year, month, day);
}

std::optional<CivilDate> neighbour(CivilDate date, std::int64_t days) {
    const auto midnight = utc_midnight(date);
    if (!midnight.ok()) return std::nullopt;
    if ((date == CivilDate{1, 1, 1} && days < 0) || (date == CivilDate{9999, 12, 31} && days > 0)) return std::nullopt;
    return civil_date(UtcTime{midnight->ms + days * 86'400'000});
}

DateVerdict parse_compared(std::string_view sign, std::string_view text, DateRange& out) {
    const auto span = parse_one(text);
    if (!span) return DateVerdict::bad_date;
    if (sign == ">=") out.first = span->first;
    if (sign == "<=") out.last = span->last;
    if (sign == "=") out = {span->first, span->last};
    if (sign == ">" && !(out.first = neighbour(span->last, 1))) return DateVerdict::bad_date;
    if (sign == "<" && !(out.last = neighbour(span->first, -1))) return DateVerdict::bad_date;
    return DateVerdict::good;
}

}  // namespace

DateVerdict parse_dates(std::string_view text, DateRange& out) {
    out = {};
    for (const std::string_view sign : {">=", "<=", "=", ">", "<"}) {
        if (text.substr(0, sign.size()) == sign) return parse_compared(sign, text.substr(sign.size()), out);
    }
    const std::size_t dots = text.find("..");
    if (dots == std::string_view::npos) return parse_compared("=", text, out);
    const std::string_view a = text.substr(0, dots), b = text.substr(dots + 2);
    if (a.empty() && b.empty()) return DateVerdict::bad_date;
    if (!a.empty()) {
        const auto span = parse_one(a);
        if (!span) return DateVerdict::bad_date;
        out.first = span->first;
    }
    if (!b.empty()) {
        const auto span = parse_one(b);
        if (!span) return DateVerdict::bad_date;
        out.last = span->last;
    }
    if (out.first && out.last && *out.last < *out.first) return DateVerdict::bad_order;
    return DateVerdict::good;
}

}  // namespace kustos::search
