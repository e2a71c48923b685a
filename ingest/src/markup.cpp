#include "ingest/src/markup.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "ingest/src/mail_header.h"

namespace kustos::ingest {

namespace {

using Kind = MarkupToken::Kind;
constexpr auto npos = std::string_view::npos;

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || (c & 0x80) != 0;
}
bool is_name(char c) {
    return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

void put_utf8(std::uint32_t c, std::string& out) {
    const auto byte = [&out](std::uint32_t v) { out += static_cast<char>(v); };
    if (c < 0x80) {
        byte(c);
    } else if (c < 0x800) {
        byte(0xC0 | c >> 6);
        byte(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        byte(0xE0 | c >> 12);
        byte(0x80 | (c >> 6 & 0x3F));
        byte(0x80 | (c & 0x3F));
    } else {
        byte(0xF0 | c >> 18);
        byte(0x80 | (c >> 12 & 0x3F));
        byte(0x80 | (c >> 6 & 0x3F));
        byte(0x80 | (c & 0x3F));
    }
}

struct Named {
    std::string_view name;
    std::uint32_t c;
    bool xml = false;
};
constexpr Named kNamed[] = {
    {"amp", '&', true}, {"lt", '<', true},  {"gt", '>', true}, {"quot", '"', true}, {"apos", '\'', true},
    {"nbsp", 0xA0},     {"auml", 0xE4},     {"ouml", 0xF6},    {"uuml", 0xFC},      {"Auml", 0xC4},
    {"Ouml", 0xD6},     {"Uuml", 0xDC},     {"szlig", 0xDF},   {"euro", 0x20AC},    {"ndash", 0x2013},
    {"mdash", 0x2014},  {"hellip", 0x2026}, {"bdquo", 0x201E}, {"ldquo", 0x201C},   {"rdquo", 0x201D},
    {"lsquo", 0x2018},  {"rsquo", 0x2019},  {"sbquo", 0x201A}, {"laquo", 0xAB},     {"raquo", 0xBB},
    {"copy", 0xA9},     {"reg", 0xAE},      {"sect", 0xA7},    {"para", 0xB6},      {"deg", 0xB0},
    {"eacute", 0xE9},   {"egrave", 0xE8},   {"agrave", 0xE0},  {"ccedil", 0xE7},    {"times", 0xD7},
    {"middot", 0xB7},   {"bull", 0x2022},   {"shy", 0xAD},     {"zwj", 0x200D},     {"zwnj", 0x200C},
};

// 0: none that may be written so.
std::uint32_t numbered(std::string_view digits) {
    int base = 10;
    if (!digits.empty() && (digits.front() == 'x' || digits.front() == 'X')) {
        base = 16;
        digits.remove_prefix(1);
    }
    std::uint32_t c = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), c, base);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return 0;
    const bool control = c < 0x20 && c != '\t' && c != '\n' && c != '\r';
    if (control || (c >= 0xD800 && c < 0xE000) || c > 0x10FFFF || c == 0xFFFE || c == 0xFFFF) return 0;
    return c;
}

}  // namespace

MarkupToken Markup::make(Kind kind, std::size_t past) const {
    MarkupToken out;
    out.kind = kind;
    out.begin = at_;
    out.past = past;
    return out;
}

MarkupToken Markup::next() {
    if (at_ >= text_.size()) return make(Kind::done, at_);
    MarkupToken out;
    if (text_[at_] == '<') {
        out = tag();
        if (out.kind == Kind::broken && !html_) return out;  // stays here
        if (out.kind == Kind::broken) {
            out = make(Kind::text, at_ + 1);
            out.inside = text_.substr(at_, 1);
        }
    } else {
        const std::size_t open = std::min(text_.find('<', at_), text_.size());
        out = make(Kind::text, open);
        out.inside = text_.substr(at_, open - at_);
    }
    at_ = out.past;
    return out;
}

MarkupToken Markup::tag() {
    const std::string_view rest = text_.substr(at_);
    const auto closed = [&](Kind kind, std::size_t from, std::string_view by, bool& never) {
        const std::size_t end = never ? npos : rest.find(by, from);
        never |= end == npos;
        if (end == npos) return make(Kind::broken, text_.size());
        MarkupToken out = make(kind, at_ + end + by.size());
        out.inside = rest.substr(from, end - from);
        return out;
    };
    if (rest.substr(0, 4) == "<!--") return closed(Kind::comment, 4, "-->", no_comment_);
    if (rest.substr(0, 9) == "<![CDATA[") return closed(Kind::cdata, 9, "]]>", no_cdata_);
    if (rest.substr(0, 2) == "<?") return closed(Kind::instruction, 2, html_ ? ">" : "?>", no_angle_);
    if (rest.substr(0, 2) == "<!") return closed(Kind::doctype, 2, ">", no_angle_);
    const bool end_tag = rest.size() > 1 && rest[1] == '/';
    const std::size_t name_at = end_tag ? 2 : 1;
    if (rest.size() <= name_at || !is_name_start(rest[name_at])) return make(Kind::broken, text_.size());
    std::size_t name_end = name_at;
    while (name_end < rest.size() && is_name(rest[name_end])) ++name_end;
    char quote = 0;
    std::size_t end = name_end;
    // Quotes that never close would make every '<' a walk to the end: after some of those only short tags are tags.
    constexpr std::size_t kShort = 1024;
    const bool careful = wasted_ > 8 * text_.size();
    const std::size_t most = careful ? std::min(rest.size(), name_end + kShort) : rest.size();
    for (; end < most; ++end) {
        const char c = rest[end];
        if (quote != 0) {
            if (c == quote) quote = 0;
            if (c == '<' && !html_) return make(Kind::broken, text_.size());
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '>') {
            break;
        } else if (c == '<') {
            wasted_ += end;
            return make(Kind::broken, text_.size());
        }
    }
    if (end >= most) {
        wasted_ += end;
        return make(Kind::broken, text_.size());
    }
    const bool empty = !end_tag && end > name_end && rest[end - 1] == '/';
    MarkupToken out = make(end_tag ? Kind::end : empty ? Kind::empty : Kind::start, at_ + end + 1);
    out.name = rest.substr(name_at, name_end - name_at);
    out.inside = rest.substr(name_end, end - name_end - (empty ? 1 : 0));
    return out;
}

namespace {

// The attribute that stands first in `rest`, which moves on behind it. False: there is none.
bool next_attribute(std::string_view& rest, std::string_view& key, std::string_view& value) {
    for (;;) {
        while (!rest.empty() && (is_space(rest.front()) || rest.front() == '/')) rest.remove_prefix(1);
        if (rest.empty()) return false;
        std::size_t end = 0;
        while (end < rest.size() && !is_space(rest[end]) && rest[end] != '=' && rest[end] != '/') ++end;
        key = rest.substr(0, end);
        rest.remove_prefix(end == 0 ? 1 : end);
        while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
        if (!rest.empty() && rest.front() == '=') break;
    }
    rest.remove_prefix(1);
    while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
    if (!rest.empty() && (rest.front() == '"' || rest.front() == '\'')) {
        const std::size_t close = std::min(rest.find(rest.front(), 1), rest.size());
        value = rest.substr(1, close - 1);
        rest.remove_prefix(std::min(close + 1, rest.size()));
    } else {
        std::size_t stop = 0;
        while (stop < rest.size() && !is_space(rest[stop])) ++stop;
        value = rest.substr(0, stop);
        rest.remove_prefix(stop);
    }
    return true;
}

}  // namespace

std::string markup_attribute(const MarkupToken& tag, std::string_view name) {
    std::string_view rest = tag.inside, key, value;
    while (next_attribute(rest, key, value))
        if (iequals(key, name)) return markup_text(value);
    return {};
}

std::vector<MarkupAttribute> markup_attributes(const MarkupToken& tag) {
    std::vector<MarkupAttribute> out;
    std::string_view rest = tag.inside, key, value;
    while (next_attribute(rest, key, value)) out.push_back({std::string(key), markup_text(value)});
    return out;
}

std::string markup_text(std::string_view raw, bool* bad) {
    std::string out;
    out.reserve(raw.size());
    while (!raw.empty()) {
        const std::size_t amp = std::min(raw.find('&'), raw.size());
        out += raw.substr(0, amp);
        raw.remove_prefix(amp);
        if (raw.empty()) break;
        constexpr std::size_t kLongest = 12;
        const std::size_t end = raw.substr(0, kLongest).find(';');
        const std::string_view name = end == npos ? std::string_view() : raw.substr(1, end - 1);
        std::uint32_t c = 0;
        bool known = false;
        if (!name.empty() && name.front() == '#') {
            c = numbered(name.substr(1));
            known = c != 0;
        } else {
            const auto at =
                std::find_if(std::begin(kNamed), std::end(kNamed), [&](const Named& n) { return n.name == name; });
            if (at != std::end(kNamed)) {
                c = at->c;
                known = at->xml;
            }
        }
        if (!known && bad) *bad = true;
        if (c == 0) {
            out += '&';
            raw.remove_prefix(1);
        } else {
            put_utf8(c, out);
            raw.remove_prefix(end + 1);
        }
    }
    return out;
}

std::string xml_line_ends(std::string_view raw) {
    std::string out;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] != '\r') {
            out += raw[i];
        } else if (i + 1 >= raw.size() || raw[i + 1] != '\n') {
            out += '\n';
        }
    }
    return out;
}

std::string html_to_text(std::string_view html) {
    constexpr std::string_view kBlocks[] = {"p",  "div", "br", "li", "tr", "ul", "ol", "blockquote", "pre",
                                            "h1", "h2",  "h3", "h4", "h5", "h6", "hr", "table"};
    std::string out;
    std::string silent;  // inside <script> or <style>
    bool preformatted = false;
    Markup markup(html, Markup::Dialect::html);
    const auto line_end = [&out] {
        while (!out.empty() && out.back() == ' ') out.pop_back();
        if (!out.empty() && out.back() != '\n') out += '\n';
    };
    for (MarkupToken token = markup.next(); token.kind != Kind::done; token = markup.next()) {
        const bool tag = token.kind == Kind::start || token.kind == Kind::end || token.kind == Kind::empty;
        if (!silent.empty()) {
            if (token.kind == Kind::end && iequals(token.name, silent)) silent.clear();
            continue;
        }
        if (token.kind == Kind::text || token.kind == Kind::cdata) {
            for (const char c : markup_text(token.inside)) {
                const bool space = is_space(c) && !preformatted;
                if (!space) {
                    out += c;
                } else if (!out.empty() && out.back() != ' ' && out.back() != '\n') {
                    out += ' ';
                }
            }
        } else if (tag) {
            const std::string name = lower_ascii(token.name);
            if (token.kind == Kind::start && (name == "script" || name == "style")) {
                silent = name;
            } else if (name == "br") {
                while (!out.empty() && out.back() == ' ') out.pop_back();
                out += '\n';
            } else if (std::find(std::begin(kBlocks), std::end(kBlocks), name) != std::end(kBlocks)) {
                line_end();
                if (name == "pre") preformatted = token.kind == Kind::start;
            } else if ((name == "td" || name == "th") && token.kind == Kind::end) {
                out += '\t';
            } else if ((name == "img" || name == "emoji") && token.kind != Kind::end) {
                out += markup_attribute(token, "alt");
            }
        }
    }
    while (!out.empty() && is_space(out.back())) out.pop_back();
    return out;
}

}  // namespace kustos::ingest
