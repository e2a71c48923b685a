#include "ingest/src/xml_pieces.h"

#include <algorithm>

#include "base/result.h"

namespace kustos::ingest {

namespace {

constexpr auto npos = std::string_view::npos;

struct Bracket {
    std::string_view open, close;
};
constexpr Bracket kBrackets[] = {{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}};

}  // namespace

std::size_t XmlPieces::end_of_token(std::string_view text) {
    if (at_ >= text.size()) return npos;
    if (text[at_] != '<') return std::min(text.find('<', at_), text.size());
    const std::string_view rest = text.substr(at_);
    for (const Bracket& bracket : kBrackets) {
        const std::size_t there = std::min(rest.size(), bracket.open.size());
        if (rest.substr(0, there) != bracket.open.substr(0, there)) continue;
        if (there < bracket.open.size()) return npos;
        const std::size_t overlap = bracket.close.size() - 1;
        const std::size_t from = std::max(at_ + bracket.open.size(), scanned_ - std::min(scanned_, overlap));
        const std::size_t close = text.find(bracket.close, from);
        scanned_ = text.size();
        return close == npos ? npos : close + bracket.close.size();
    }
    for (std::size_t i = std::max(scanned_, at_ + 1); i < text.size(); ++i) {
        const char c = text[i];
        if (c == '<') return i;  // inside a tag, or a quote of one: no XML
        if (quote_ != 0) {
            if (c == quote_) quote_ = 0;
        } else if (c == '"' || c == '\'') {
            quote_ = c;
        } else if (c == '>') {
            return i + 1;
        }
    }
    scanned_ = text.size();
    return npos;
}

MarkupToken XmlPieces::next(std::string_view text) {
    const std::size_t end = end_of_token(text);
    MarkupToken out;
    if (end == npos) {
        out.begin = out.past = at_;
        return out;
    }
    Markup markup(text.substr(at_, end - at_), Markup::Dialect::xml);
    out = markup.next();
    if (out.kind != MarkupToken::Kind::broken && out.past != end - at_) out.kind = MarkupToken::Kind::broken;
    out.begin += at_;
    out.past = end;
    if (out.kind == MarkupToken::Kind::broken) {
        scanned_ = at_;
        quote_ = 0;
        return out;
    }
    at_ = scanned_ = end;
    quote_ = 0;
    return out;
}

void XmlPieces::drop(std::size_t size) {
    CHECK(size <= at_);
    at_ -= size;
    scanned_ -= size;
}

}  // namespace kustos::ingest
