// How the hits of a search divide: a bar for each month, and who wrote to whom. As pictures and as numbers.
#include <algorithm>
#include <charconv>
#include <map>

#include "base/text.h"
#include "web/src/html.h"

namespace kustos::web {

namespace {

constexpr std::size_t kMostBars = 120;  // months, else years
constexpr std::size_t kMostPeople = 12;
constexpr unsigned kBar = 20, kGap = 4, kHeight = 100, kHead = 14, kFoot = 16;  // units of the picture

struct Bar {
    std::string label;
    std::uint64_t count = 0;
};

// "2026-03": months since the year 0; absent: it is none.
std::optional<unsigned> month_number(std::string_view text) {
    unsigned year = 0, month = 0;
    if (text.size() != 7 || text[4] != '-') return std::nullopt;
    const auto read = [](std::string_view digits, unsigned& out) {
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
        return error == std::errc() && end == digits.data() + digits.size();
    };
    if (!read(text.substr(0, 4), year) || !read(text.substr(5), month) || month < 1 || month > 12) return std::nullopt;
    return year * 12 + month - 1;
}

std::string padded(unsigned n, std::size_t digits) {
    std::string out = std::to_string(n);
    return std::string(digits - std::min(digits, out.size()), '0') + out;
}

// With those between that have none; years where the months would be too many, and then only such as have some.
std::vector<Bar> bars_of(const Facet& months) {
    std::map<unsigned, std::uint64_t> by_month, by_year;
    for (const auto& [value, count] : months.values) {
        if (const auto month = month_number(value)) {
            by_month[*month] += count;
            by_year[*month / 12] += count;
        }
    }
    std::vector<Bar> out;
    if (by_month.empty()) return out;
    const unsigned first = by_month.begin()->first, last = by_month.rbegin()->first;
    if (last - first < kMostBars) {
        for (unsigned m = first; m <= last; ++m) {
            const auto found = by_month.find(m);
            out.push_back(
                {padded(m / 12, 4) + "-" + padded(m % 12 + 1, 2), found == by_month.end() ? 0 : found->second});
        }
        return out;
    }
    for (const auto& [year, count] : by_year)
        if (out.size() < kMostBars) out.push_back({padded(year, 4), count});
    return out;
}

std::string text_at(unsigned x, unsigned y, const std::string& text) {
    return "<text x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(y) + "\" text-anchor=\"middle\">" + text +
           "</text>";
}

std::string histogram(Language l, const std::vector<Bar>& bars) {
    std::uint64_t most = 1;
    for (const Bar& bar : bars) most = std::max(most, bar.count);
    // A few bars alone are not drawn as wide as the page.
    const unsigned width = std::max<unsigned>(static_cast<unsigned>(bars.size()) * (kBar + kGap) + 2 * kBar, 480);
    std::string drawn, rows;
    const std::size_t step = 1 + bars.size() / 14;  // that labels do not lie over each other
    unsigned x = kBar;
    for (std::size_t i = 0; i < bars.size(); ++i, x += kBar + kGap) {
        const Bar& bar = bars[i];
        const auto exact = static_cast<double>(bar.count) / static_cast<double>(most) * kHeight;
        const unsigned height = bar.count == 0 ? 0 : std::max(1u, static_cast<unsigned>(exact));
        drawn += "<rect x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(kHead + kHeight - height) +
                 "\" width=\"" + std::to_string(kBar) + "\" height=\"" + std::to_string(height) + "\"><title>" +
                 bar.label + ": " + std::to_string(bar.count) + "</title></rect>";
        if (bars.size() <= 24 && bar.count != 0)
            drawn += text_at(x + kBar / 2, kHead + kHeight - height - 3, std::to_string(bar.count));
        if (i % (2 * step) == 0) drawn += text_at(x + kBar / 2, kHead + kHeight + kFoot - 3, bar.label);
        if (bar.count != 0)
            rows += "<tr><th scope=\"row\">" + bar.label + "</th><td class=\"n\">" + std::to_string(bar.count) +
                    "</td></tr>";
    }
    const std::string floor = std::to_string(kHead + kHeight), right = std::to_string(width);
    const std::string said(say(l, "Treffer je Monat oder Jahr; dieselben Zahlen stehen darunter als Tabelle",
                               "hits by month or year; the same numbers stand below as a table"));
    return "<svg class=\"bars\" role=\"img\" aria-label=\"" + said +
           "\" preserveAspectRatio=\"xMinYMid meet\" viewBox=\"0 0 " + right + " " +
           std::to_string(kHead + kHeight + kFoot) + "\"><line x1=\"0\" y1=\"" + floor + "\" x2=\"" + right +
           "\" y2=\"" + floor + "\"/>" + drawn + "</svg><details><summary>" +
           std::string(say(l, "als Tabelle", "as a table")) + "</summary><table>" + rows + "</table></details>";
}

// The most frequent ones of one side, by how much they wrote or got.
std::vector<std::string> foremost(const std::vector<WhoToWhom>& pairs, std::string WhoToWhom::*side) {
    std::map<std::string, std::uint64_t> counts;
    for (const WhoToWhom& pair : pairs) counts[pair.*side] += pair.count;
    std::vector<std::pair<std::string, std::uint64_t>> all(counts.begin(), counts.end());
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    std::vector<std::string> out;
    for (std::size_t i = 0; i < std::min(all.size(), kMostPeople); ++i) out.push_back(all[i].first);
    return out;
}

std::string matrix(Language l, const std::vector<WhoToWhom>& pairs) {
    const auto senders = foremost(pairs, &WhoToWhom::sender), recipients = foremost(pairs, &WhoToWhom::recipient);
    std::map<std::pair<std::string, std::string>, std::uint64_t> counts;
    for (const WhoToWhom& pair : pairs) counts[{pair.sender, pair.recipient}] += pair.count;
    std::string out = "<div class=\"wide\"><table class=\"matrix\"><thead><tr><th scope=\"col\">" +
                      std::string(say(l, "von, an", "from, to")) + "</th>";
    for (const std::string& to : recipients)
        out += "<th scope=\"col\" class=\"n\"><bdi>" + escape_html(to) + "</bdi></th>";
    out += "</tr></thead><tbody>";
    for (const std::string& from : senders) {
        out += "<tr><th scope=\"row\"><bdi>" + escape_html(from) + "</bdi></th>";
        for (const std::string& to : recipients) {
            const auto found = counts.find({from, to});
            out +=
                "<td class=\"n\">" + (found == counts.end() ? std::string() : std::to_string(found->second)) + "</td>";
        }
        out += "</tr>";
    }
    return out + "</tbody></table></div><p class=\"soft\">" +
           std::string(say(l, "die häufigsten zwölf auf jeder Seite; Nachrichten, Kopien mitgezählt",
                           "the twelve most frequent of each side; messages, copies too")) +
           "</p>";
}

}  // namespace

std::string figures_section(Language l, const SearchReport& report) {
    const auto months = std::find_if(report.facets.begin(), report.facets.end(),
                                     [](const Facet& facet) { return facet.name == "month"; });
    const std::vector<Bar> bars = months == report.facets.end() ? std::vector<Bar>() : bars_of(*months);
    std::string out;
    if (!bars.empty())
        out += "<div class=\"card\"><h2>" + std::string(say(l, "Treffer nach Monaten", "Hits by month")) + "</h2>" +
               histogram(l, bars) + "</div>";
    if (!report.pairs.empty())
        out += "<div class=\"card\"><h2>" + std::string(say(l, "Wer wem schrieb", "Who wrote to whom")) + "</h2>" +
               matrix(l, report.pairs) + "</div>";
    return out;
}

}  // namespace kustos::web
