#include "search/src/query_values.h"

#include "base/text.h"
#include "search/index.h"
#include "search/src/file_types.h"
#include "search/src/query_dates.h"

namespace kustos::search {
namespace {

using What = QueryProblem::What;

constexpr std::uint64_t kMaxBytes = 1ull << 62;

std::optional<std::uint64_t> scale_of(std::string_view unit) {
    if (unit.empty() || unit == "b" || unit == "byte" || unit == "bytes") return 1;
    const std::size_t power = std::string_view("kmgt").find(unit[0]);
    if (power == std::string_view::npos) return std::nullopt;
    const std::string_view rest = unit.substr(1);
    const bool binary = rest == "i" || rest == "ib";
    if (!rest.empty() && rest != "b" && !binary) return std::nullopt;
    std::uint64_t scale = 1;
    for (std::size_t i = 0; i <= power; ++i) scale *= binary ? 1'024 : 1'000;
    return scale;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Digits, perhaps one or two behind a point or comma (three could be thousands), a unit. Folded.
std::optional<std::uint64_t> parse_size(std::string_view text) {
    std::uint64_t whole = 0, tenths = 0, part = 1;
    std::size_t i = 0;
    for (; i < text.size() && is_digit(text[i]); ++i) {
        if (i == 15) return std::nullopt;
        whole = whole * 10 + static_cast<std::uint64_t>(text[i] - '0');
    }
    if (i == 0) return std::nullopt;
    const bool point = i < text.size() && (text[i] == '.' || text[i] == ',');
    if (point) {
        for (++i; i < text.size() && is_digit(text[i]); ++i) {
            tenths = tenths * 10 + static_cast<std::uint64_t>(text[i] - '0');
            part *= 10;
            if (part > 100) return std::nullopt;
        }
        if (part == 1) return std::nullopt;
    }
    const auto scale = scale_of(text.substr(i));
    if (!scale || (point && *scale == 1) || whole > kMaxBytes / *scale) return std::nullopt;
    return whole * *scale + *scale * tenths / part;
}

SizeVerdict parse_compared(std::string_view sign, std::string_view text, SizeRange& out) {
    const auto size = parse_size(text);
    if (!size) return SizeVerdict::bad_size;
    if (sign == "<" && *size == 0) return SizeVerdict::bad_size;
    if (sign == ">=" || sign == "=") out.least = *size;
    if (sign == "<=" || sign == "=") out.most = *size;
    if (sign == ">") out.least = *size + 1;
    if (sign == "<") out.most = *size - 1;
    return SizeVerdict::good;
}

std::optional<ValueProblem> set_date(Node& out, Name name, const std::string& value) {
    out.kind = name == Name::sealed ? Node::Kind::sealed : Node::Kind::date;
    const std::string with_sign = (name == Name::since ? ">=" : name == Name::until ? "<=" : "") + value;
    switch (parse_dates(with_sign, out.range)) {
        case DateVerdict::good:
            return std::nullopt;
        case DateVerdict::bad_order:
            return ValueProblem{What::date_order, {}};
        case DateVerdict::bad_date:
            break;
    }
    return ValueProblem{What::bad_date, {}};
}

// The sum of one attachment, or @NAME and liste:NAME for a list of such.
std::optional<ValueProblem> set_content(Node& out, const std::string& value, const std::string& folded) {
    for (const std::string_view sign : {"@", "liste:", "list:"}) {
        if (folded.compare(0, sign.size(), sign) != 0) continue;
        out.kind = Node::Kind::content_list;
        out.text = value.substr(value[0] == '@' ? 1 : value.find(':') + 1);
        if (out.text.empty()) return ValueProblem{What::empty_value, {}};
        return std::nullopt;
    }
    if (folded.size() != 64 || folded.find_first_not_of("0123456789abcdef") != std::string::npos)
        return ValueProblem{What::bad_sha256, {}};
    out.kind = Node::Kind::content;
    out.text = folded;
    return std::nullopt;
}

std::optional<ValueProblem> set_yes(Node& out, Node::Kind kind, const std::string& folded) {
    const auto yes = yes_or_no(folded);
    if (!yes) return ValueProblem{What::bad_yes, {}};
    Node node;
    node.kind = kind;
    if (*yes) {
        out = std::move(node);
        return std::nullopt;
    }
    out.kind = Node::Kind::none_of;
    out.children.push_back(std::move(node));
    return std::nullopt;
}

std::optional<ValueProblem> set_text(Node& out, Node::Kind kind, std::string text) {
    if (text.empty()) return ValueProblem{What::empty_value, {}};
    out.kind = kind;
    out.text = std::move(text);
    return std::nullopt;
}

std::optional<ValueProblem> set_one_of(Node& out, Node::Kind kind, std::optional<std::string> text, What what,
                                       std::string_view suggestion) {
    if (!text) return ValueProblem{what, suggestion};
    return set_text(out, kind, std::move(*text));
}

std::optional<ValueProblem> set_coverage(Node& out, const std::string& folded) {
    if (folded.size() > kMaxReasonWord ||
        folded.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos)
        return ValueProblem{What::bad_coverage, {}};
    return set_text(out, Node::Kind::coverage, folded);
}

// A message's id is kept without its angle brackets.
std::string thread_of(std::string value) {
    if (value.size() > 2 && value.front() == '<' && value.back() == '>') return value.substr(1, value.size() - 2);
    return value;
}

}  // namespace

SizeVerdict parse_sizes(std::string_view text, SizeRange& out) {
    out = {};
    const std::string folded = fold(text);
    text = folded;
    for (const std::string_view sign : {">=", "<=", "=", ">", "<"}) {
        if (text.substr(0, sign.size()) == sign) return parse_compared(sign, text.substr(sign.size()), out);
    }
    const std::size_t dots = text.find("..");
    if (dots == std::string_view::npos) return parse_compared("=", text, out);
    const std::string_view a = text.substr(0, dots), b = text.substr(dots + 2);
    if (a.empty() && b.empty()) return SizeVerdict::bad_size;
    if (!a.empty() && !(out.least = parse_size(a))) return SizeVerdict::bad_size;
    if (!b.empty() && !(out.most = parse_size(b))) return SizeVerdict::bad_size;
    return out.least && out.most && *out.most < *out.least ? SizeVerdict::bad_order : SizeVerdict::good;
}

std::optional<ValueProblem> set_condition(Node& out, Name name, const std::string& value) {
    const std::string folded = fold(value);
    switch (name) {
        case Name::person:
            return set_text(out, Node::Kind::person, value);
        case Name::source:
            return set_text(out, Node::Kind::source, value);
        case Name::retention_class:
            return set_text(out, Node::Kind::retention_class, value);
        case Name::tag:
            return set_text(out, Node::Kind::tag, value);
        case Name::code:
            return set_text(out, Node::Kind::code, value);
        case Name::thread:
            return set_text(out, Node::Kind::thread, thread_of(value));
        case Name::content:
            return set_content(out, value, folded);
        case Name::coverage:
            return set_coverage(out, folded);
        case Name::edited:
            return set_yes(out, Node::Kind::edited, folded);
        case Name::deleted:
            return set_yes(out, Node::Kind::deleted, folded);
        case Name::has:
            if (!means_attachment(folded)) return ValueProblem{What::bad_has, {}};
            out.kind = Node::Kind::has_attachment;
            return std::nullopt;
        case Name::kind: {
            const auto kind = kind_of(folded);
            return set_one_of(out, Node::Kind::message_kind, kind ? std::optional(std::string(*kind)) : std::nullopt,
                              What::bad_kind, nearest_kind(folded));
        }
        case Name::filetype:
            return set_one_of(out, Node::Kind::filetype, parse_file_type(folded), What::bad_filetype,
                              nearest_file_type(folded));
        case Name::language:
            return set_one_of(out, Node::Kind::language, parse_language(folded), What::bad_language,
                              nearest_language(folded));
        case Name::size:
            out.kind = Node::Kind::size;
            switch (parse_sizes(value, out.sizes)) {
                case SizeVerdict::good:
                    return std::nullopt;
                case SizeVerdict::bad_order:
                    return ValueProblem{What::size_order, {}};
                case SizeVerdict::bad_size:
                    break;
            }
            return ValueProblem{What::bad_size, {}};
        default:
            return set_date(out, name, value);
    }
}

}  // namespace kustos::search
