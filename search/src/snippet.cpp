#include "search/snippet.h"

#include <algorithm>

#include "base/text.h"
#include "search/analysis.h"
#include "search/src/matcher.h"
#include "search/src/utf8.h"

namespace kustos::search {
namespace {

constexpr std::size_t kMostTextLooked = 2u << 20;  // bytes of one text
constexpr const char* kCut = "\xE2\x80\xA6";       // …

bool is_gap(char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == 0x7F;
}

std::size_t characters_in(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

// `at` moved by so many characters, forward or back.
std::size_t moved(std::string_view text, std::size_t at, std::ptrdiff_t by) {
    for (; by > 0 && at < text.size(); --by) {
        ++at;
        while (at < text.size() && is_continuation(text[at])) ++at;
    }
    for (; by < 0 && at > 0; ++by) {
        --at;
        while (at > 0 && is_continuation(text[at])) --at;
    }
    return at;
}

std::vector<TextRange> merged(const std::vector<Match>& matches) {
    std::vector<TextRange> out;
    for (const Match& match : matches) {
        if (!out.empty() && match.begin < out.back().end) {
            out.back().end = std::max(out.back().end, match.end);
        } else {
            out.push_back({match.begin, match.end});
        }
    }
    return out;
}

std::size_t distinct(std::vector<std::uint32_t> leaves) {
    std::sort(leaves.begin(), leaves.end());
    return static_cast<std::size_t>(std::unique(leaves.begin(), leaves.end()) - leaves.begin());
}

// The match from which on most different words of the query stand within the window; the first such.
std::size_t best_start(std::string_view text, const std::vector<Match>& matches, std::size_t window) {
    std::size_t best = 0, most = 0;
    for (std::size_t i = 0; i < matches.size() && i < 2'000; ++i) {
        const std::size_t end = moved(text, matches[i].begin, static_cast<std::ptrdiff_t>(window * 3 / 4));
        std::vector<std::uint32_t> inside;
        for (std::size_t k = i; k < matches.size() && matches[k].end <= end && inside.size() < 200; ++k)
            inside.push_back(matches[k].leaf);
        if (const std::size_t count = distinct(std::move(inside)); count > most) most = count, best = i;
    }
    return best;
}

struct Cut {
    std::size_t begin = 0, end = 0;
};

// At a word's edge where one is near, at a grapheme's edge in any case.
Cut cut_around(std::string_view text, std::size_t focus, std::size_t window) {
    Cut cut;
    cut.begin = moved(text, focus, -static_cast<std::ptrdiff_t>(window / 4));
    if (cut.begin > 0) {
        std::size_t edge = cut.begin;
        while (edge < focus && !is_gap(text[edge])) ++edge;
        cut.begin = edge < focus ? edge : grapheme_boundary_before(text, cut.begin);
    }
    cut.end = moved(text, cut.begin, static_cast<std::ptrdiff_t>(window));
    if (cut.end < text.size()) {
        std::size_t edge = cut.end;
        const std::size_t least = moved(text, cut.end, -24);
        while (edge > least && edge > focus && !is_gap(text[edge])) --edge;
        cut.end = edge > least && edge > focus && is_gap(text[edge]) ? edge : grapheme_boundary_before(text, cut.end);
        if (cut.end <= cut.begin) cut.end = moved(text, cut.begin, static_cast<std::ptrdiff_t>(window));
    }
    return cut;
}

Snippet build(std::string_view text, const std::vector<TextRange>& ranges, Cut cut) {
    Snippet out;
    while (cut.begin < cut.end && is_gap(text[cut.begin])) ++cut.begin;
    if (std::any_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(cut.begin),
                    [](char c) { return !is_gap(c); }))
        out.text = kCut;
    const std::size_t from = out.text.size();
    auto range = ranges.begin();
    bool inside = false;
    for (std::size_t i = cut.begin; i <= cut.end; ++i) {
        while (range != ranges.end() && range->end <= cut.begin) ++range;
        if (range != ranges.end() && inside && (i == range->end || i == cut.end)) {
            out.highlights.back().end = static_cast<std::uint32_t>(out.text.size());
            inside = false;
            ++range;
        }
        if (i == cut.end) break;
        const bool space = is_gap(text[i]);
        if (space && (out.text.size() == from || out.text.back() == ' ')) continue;
        if (range != ranges.end() && !inside && i >= range->begin && i < range->end) {
            const auto at = static_cast<std::uint32_t>(out.text.size());
            out.highlights.push_back({at, at});
            inside = true;
        }
        out.text += space ? ' ' : text[i];
    }
    while (out.text.size() > from && out.text.back() == ' ') out.text.pop_back();
    for (TextRange& highlight : out.highlights)
        highlight.end = std::min(highlight.end, static_cast<std::uint32_t>(out.text.size()));
    if (std::any_of(text.begin() + static_cast<std::ptrdiff_t>(cut.end), text.end(), [](char c) { return !is_gap(c); }))
        out.text += kCut;
    return out;
}

struct Candidate {
    std::string_view text;
    Field field;
    std::string where;
    std::vector<Match> matches;
};

std::string person_text(const vault::Person& person) {
    std::string out = person.name;
    if (!person.address.empty() && person.address != person.name) out += (out.empty() ? "" : " ") + person.address;
    return out.empty() ? person.id : out;
}

struct People {
    Field field;
    std::string names;
};

// As the index has them: an address for answers is the sender's.
std::vector<People> people_of(const vault::Message& message) {
    std::vector<People> out = {{Field::from, person_text(message.sender)},
                               {Field::to, ""},
                               {Field::cc, ""},
                               {Field::bcc, ""},
                               {Field::from, ""}};
    for (const vault::Recipient& recipient : message.recipients) {
        const std::size_t group = recipient.role == vault::Role::cc         ? 2
                                  : recipient.role == vault::Role::bcc      ? 3
                                  : recipient.role == vault::Role::reply_to ? 4
                                                                            : 1;
        std::string& names = out[group].names;
        if (names.size() < 4'096) names += (names.empty() ? "" : ", ") + person_text(recipient.person);
    }
    return out;
}

}  // namespace

std::uint32_t page_at(std::string_view text, std::size_t byte) {
    if (text.find_first_of("\f\v") == std::string_view::npos) return 0;
    std::string_view before = text.substr(0, byte);
    if (const std::size_t again = before.rfind('\v'); again != std::string_view::npos) before.remove_prefix(again);
    return 1 + static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\f'));
}

std::vector<TextRange> find_highlights(std::string_view utf8, const Query& query, Field where) {
    return merged(Matcher(query).find(utf8, where));
}

Snippet make_snippet(const vault::Message& message, const Query& query, const SnippetOptions& options) {
    Matcher matcher(query);
    const std::string html = message.body.empty() && !message.body_html.empty() ? text_of_html(message.body_html) : "";
    const std::vector<People> people = people_of(message);
    std::vector<Candidate> candidates;
    candidates.push_back({message.body.empty() ? html : message.body, Field::body, "body", {}});
    candidates.push_back({message.previous_body, Field::body, "body", {}});
    for (std::size_t i = 0; i < options.attachment_texts.size(); ++i)
        candidates.push_back({options.attachment_texts[i], Field::attachment, "attachment:" + std::to_string(i), {}});
    for (std::size_t i = 0; i < message.attachments.size(); ++i)
        candidates.push_back({message.attachments[i].name, Field::file, "attachment:" + std::to_string(i), {}});
    candidates.push_back({message.subject, Field::subject, "subject", {}});
    candidates.push_back({message.conversation.title, Field::conversation, "conversation", {}});
    for (const People& group : people)
        candidates.push_back({group.names, group.field, group.field == Field::from ? "sender" : "recipient", {}});

    const Candidate* best = nullptr;
    std::size_t most = 0;
    for (Candidate& candidate : candidates) {
        candidate.text = candidate.text.substr(0, kMostTextLooked);
        if (candidate.text.empty()) continue;
        candidate.matches = matcher.find(candidate.text, candidate.field);
        std::vector<std::uint32_t> leaves;
        for (const Match& match : candidate.matches) leaves.push_back(match.leaf);
        if (const std::size_t count = distinct(std::move(leaves)); count > most) most = count, best = &candidate;
    }
    const std::size_t window = std::max<std::size_t>(options.characters, 16);
    if (best == nullptr) {
        const std::string_view text =
            !candidates[0].text.empty() ? candidates[0].text : std::string_view(message.subject);
        return build(text, {},
                     characters_in(text.substr(0, 4 * window + 4)) <= window && text.size() <= 4 * window
                         ? Cut{0, text.size()}
                         : cut_around(text, 0, window));
    }
    const std::size_t start = best_start(best->text, best->matches, window);
    Snippet out = build(best->text, merged(best->matches), cut_around(best->text, best->matches[start].begin, window));
    out.where = best->where;
    if (best->field == Field::attachment) out.page = page_at(best->text, best->matches[start].begin);
    return out;
}

}  // namespace kustos::search
