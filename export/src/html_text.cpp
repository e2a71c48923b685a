#include "export/src/html_text.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include "export/src/text_safety.h"

namespace kustos::exporting {
namespace {

struct Entity {
    std::string_view name;
    const char* text;
};
constexpr Entity kEntities[] = {
    {"amp", "&"},   {"lt", "<"},     {"gt", ">"},     {"quot", "\""},  {"apos", "'"},   {"nbsp", " "},  {"auml", "ä"},
    {"ouml", "ö"},  {"uuml", "ü"},   {"Auml", "Ä"},   {"Ouml", "Ö"},   {"Uuml", "Ü"},   {"szlig", "ß"}, {"euro", "€"},
    {"ndash", "–"}, {"mdash", "—"},  {"hellip", "…"}, {"copy", "©"},   {"reg", "®"},    {"bdquo", "„"}, {"ldquo", "“"},
    {"rdquo", "”"}, {"lsquo", "‘"},  {"rsquo", "’"},  {"sbquo", "‚"},  {"laquo", "«"},  {"raquo", "»"}, {"sect", "§"},
    {"bull", "•"},  {"middot", "·"}, {"eacute", "é"}, {"egrave", "è"}, {"agrave", "à"}, {"shy", ""}};

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

class Reader {
public:
    Reader(std::string_view html, std::size_t max) : html_(html), max_(max) {}

    std::string run() {
        while (at_ < html_.size() && out_.size() < max_) {
            const char c = html_[at_];
            if (c == '<') {
                tag();
            } else if (c == '&') {
                entity();
            } else {
                text(c);
                ++at_;
            }
        }
        while (!out_.empty() && (out_.back() == '\n' || out_.back() == ' ')) out_.pop_back();
        return std::move(out_);
    }

private:
    void text(char c) {
        const bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
        if (!space) {
            out_ += c;
        } else if (!out_.empty() && out_.back() != ' ' && out_.back() != '\n') {
            out_ += ' ';
        }
    }
    void line_break(unsigned most) {
        while (!out_.empty() && out_.back() == ' ') out_.pop_back();
        unsigned have = 0;
        for (std::size_t i = out_.size(); i > 0 && out_[i - 1] == '\n'; --i) ++have;
        if (!out_.empty() && have < most) out_ += '\n';
    }
    void tag() {
        if (html_.compare(at_, 4, "<!--") == 0) return skip_past("-->", at_ + 4);
        std::size_t name_begin = at_ + 1;
        const bool closing = name_begin < html_.size() && html_[name_begin] == '/';
        if (closing) ++name_begin;
        std::size_t name_end = name_begin;
        while (name_end < html_.size() && name_end - name_begin < 16 &&
               std::isalnum(static_cast<unsigned char>(html_[name_end])))
            ++name_end;
        const std::string name = lower(html_.substr(name_begin, name_end - name_begin));
        if (name.empty() && html_.compare(at_, 2, "<!") != 0 && html_.compare(at_, 2, "<?") != 0) {  // a plain '<'
            out_ += '<';
            ++at_;
            return;
        }
        skip_past(">", at_);
        if (!closing && (name == "script" || name == "style" || name == "head" || name == "title")) skip_element(name);
        if (name == "br") out_ += '\n';
        if (name == "p" || name == "table" || name == "h1" || name == "h2" || name == "h3" || name == "blockquote")
            line_break(2), line_break(2);
        if (name == "div" || name == "tr" || name == "li" || name == "ul" || name == "ol" || name == "hr")
            line_break(1);
        if (name == "li" && !closing) out_ += "• ";
        if (name == "td" || name == "th") text(' ');
    }
    void skip_past(std::string_view end, std::size_t from) {
        const std::size_t found = html_.find(end, from);
        at_ = found == std::string_view::npos ? html_.size() : found + end.size();
    }
    void skip_element(const std::string& name) {
        for (std::size_t open = html_.find("</", at_); open != std::string_view::npos;
             open = html_.find("</", open + 2)) {
            if (lower(html_.substr(open + 2, name.size())) == name) return skip_past(">", open);
        }
        at_ = html_.size();
    }
    void entity() {
        const std::size_t length = html_.substr(at_, 12).find(';');  // no farther: many '&' must not cost a scan each
        const std::size_t end = at_ + length;
        if (length == std::string_view::npos || length < 2) {
            out_ += '&';
            ++at_;
            return;
        }
        const std::string_view name = html_.substr(at_ + 1, end - at_ - 1);
        if (name[0] == '#') {
            numeric(name.substr(1));
        } else {
            const auto* found = std::find_if(std::begin(kEntities), std::end(kEntities),
                                             [&](const Entity& e) { return e.name == name; });
            out_ += found == std::end(kEntities) ? std::string(html_.substr(at_, end - at_ + 1)) : found->text;
        }
        at_ = end + 1;
    }
    void numeric(std::string_view digits) {
        const bool hex = !digits.empty() && (digits[0] == 'x' || digits[0] == 'X');
        std::uint32_t value = 0;
        for (const char c : digits.substr(hex ? 1 : 0)) {
            const int digit = std::isdigit(static_cast<unsigned char>(c)) ? c - '0'
                              : hex && std::isxdigit(static_cast<unsigned char>(c))
                                  ? std::tolower(static_cast<unsigned char>(c)) - 'a' + 10
                                  : -1;
            if (digit < 0 || value > 0x10FFFF) return append_utf8(out_, 0xFFFD);
            value = value * (hex ? 16U : 10U) + static_cast<std::uint32_t>(digit);
        }
        const bool valid = value >= 0x20 && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
        append_utf8(out_, valid || value == '\n' ? value : 0xFFFD);
    }

    std::string_view html_;
    std::size_t max_, at_ = 0;
    std::string out_;
};

}  // namespace

std::string html_text(std::string_view html, std::size_t max_bytes) {
    return Reader(html, max_bytes).run();
}

}  // namespace kustos::exporting
