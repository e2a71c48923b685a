#include "ingest/extractor/text_of_rtf.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/text.h"

namespace kustos::extractor {

namespace {

constexpr std::size_t kDepth = 1'000;
constexpr std::size_t kFonts = 4'096;

// Destinations whose text nobody sees.
constexpr std::string_view kSkipped[] = {"fonttbl",
                                         "colortbl",
                                         "stylesheet",
                                         "info",
                                         "pict",
                                         "fldinst",
                                         "objdata",
                                         "objclass",
                                         "objname",
                                         "listtable",
                                         "revtbl",
                                         "rsidtbl",
                                         "themedata",
                                         "datastore",
                                         "latentstyles",
                                         "xmlnstbl",
                                         "filetbl",
                                         "generator",
                                         "bkmkstart",
                                         "bkmkend",
                                         "nonshppict",
                                         "colorschememapping",
                                         "listoverridetable",
                                         "pgdsctbl",
                                         "pnseclvl",
                                         "wgrffmtfilter",
                                         "sp",
                                         "shprslt",
                                         "private",
                                         "tc",
                                         "xe",
                                         "atnid",
                                         "atnref",
                                         "atndate",
                                         "atntime",
                                         "atnparent",
                                         "mhtmltag",
                                         "htmltag"};
// Destinations marked as "skip if you do not know me" that hold text.
constexpr std::string_view kKnown[] = {"annotation", "atnauthor", "shptxt", "shpinst", "shp", "footnote"};
// Text that stands beside the main text.
constexpr std::string_view kAside[] = {"footnote", "atnauthor", "annotation", "shptxt",  "header",  "footer",
                                       "headerl",  "headerr",   "headerf",    "footerl", "footerr", "footerf"};

template <std::size_t N>
bool is_in(std::string_view word, const std::string_view (&list)[N]) {
    return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

const char* charset_of_page(int page) {
    switch (page) {
        case 437:
            return "ibm437";
        case 850:
            return "ibm850";
        case 852:
            return "ibm852";
        case 866:
            return "ibm866";
        case 874:
            return "windows-874";
        case 932:
            return "shift_jis";
        case 936:
            return "gb18030";
        case 949:
            return "windows-949";
        case 950:
            return "big5";
        case 1250:
            return "windows-1250";
        case 1251:
            return "windows-1251";
        case 1253:
            return "windows-1253";
        case 1254:
            return "windows-1254";
        case 1255:
            return "windows-1255";
        case 1256:
            return "windows-1256";
        case 1257:
            return "windows-1257";
        case 1258:
            return "windows-1258";
        case 10000:
            return "macintosh";
        case 65001:
            return "utf-8";
        default:
            return "windows-1252";
    }
}

// \fcharset (RTF 1.9.1, font table). 0: the document's own.
int page_of_font(int charset) {
    constexpr std::pair<int, int> kPages[] = {
        {77, 10000}, {128, 932},  {129, 949},  {134, 936},  {136, 950}, {161, 1253}, {162, 1254}, {163, 1258},
        {177, 1255}, {178, 1256}, {186, 1257}, {204, 1251}, {222, 874}, {238, 1250}, {254, 437},  {255, 850}};
    for (const auto& [number, page] : kPages)
        if (number == charset) return page;
    return 0;
}

struct Group {
    bool skipped = false;
    bool fonts = false;       // the font table
    bool aside = false;       // opened the side text
    bool starred = false;     // \* was read, the next word decides
    bool hidden_rtf = false;  // \htmlrtf: the RTF rendering of what HTML says already
    int page = 0;             // of the font; 0: the document's
    int fallback = 1;         // \uc
};

class Rtf {
public:
    Rtf(std::string_view text, Reading& reading) : text_(text), reading_(reading), flow_(reading) {}

    void read() {
        groups_.emplace_back();
        std::uint32_t seen = 0;
        while (at_ < text_.size()) {
            if ((++seen & 0xFFF) == 0 && reading_.over()) break;
            const char c = text_[at_++];
            if (c == '{') {
                open();
            } else if (c == '}') {
                if (groups_.size() == 1 && too_deep_ == 0) break;
                close();
                if (groups_.size() == 1 && too_deep_ == 0) break;  // the document ends; what follows is not RTF
            } else if (c == '\\') {
                control();
            } else if (c != '\r' && c != '\n') {
                byte(c);
            }
        }
        flush();
        if (groups_.size() > 1) reading_.partial("damaged");
    }

private:
    Group& top() { return groups_.back(); }

    void open() {
        flush();
        to_skip_ = 0;
        if (groups_.size() > kDepth) {
            ++too_deep_;
            reading_.partial("depth-limit");
            return;
        }
        Group inner = top();
        inner.aside = inner.starred = false;
        groups_.push_back(inner);
    }

    void close() {
        flush();
        to_skip_ = 0;
        if (too_deep_ > 0) {
            --too_deep_;
            return;
        }
        if (top().aside) flow_.leave_side();
        groups_.pop_back();
    }

    void control() {
        if (at_ >= text_.size()) return;
        const char c = text_[at_];
        if (!is_letter(c)) return symbol();
        const std::size_t begin = at_;
        while (at_ < text_.size() && is_letter(text_[at_]) && at_ - begin < 32) ++at_;
        const std::string_view word = text_.substr(begin, at_ - begin);
        bool negative = false, given = false;
        std::int64_t value = 0;
        if (at_ < text_.size() && text_[at_] == '-') {
            negative = true;
            ++at_;
        }
        for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
            given = true;
            value = std::min<std::int64_t>(value * 10 + (text_[at_] - '0'), 1ll << 40);
        }
        if (at_ < text_.size() && text_[at_] == ' ') ++at_;
        apply(word, given ? (negative ? -value : value) : -1, given);
    }

    static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

    void symbol() {
        const char c = text_[at_++];
        if (c == '\'') {
            const int high = hex(at_), low = hex(at_ + 1);
            if (high < 0 || low < 0) return;
            at_ += 2;
            byte(static_cast<char>(high * 16 + low));
        } else if (c == '*') {
            top().starred = true;
        } else if (c == '~') {
            say("\xC2\xA0");
        } else if (c == '_') {
            say("-");
        } else if (c == '\r' || c == '\n') {
            line();
        } else if (c == '\\' || c == '{' || c == '}') {
            byte(c);
        }  // \- (a hyphen that is not shown), \| and \: say nothing
    }

    int hex(std::size_t at) const {
        if (at >= text_.size()) return -1;
        const char c = text_[at];
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return -1;
    }

    void apply(std::string_view word, std::int64_t value, bool given) {
        if (word == "bin") {
            at_ += static_cast<std::size_t>(
                std::clamp<std::int64_t>(value, 0, static_cast<std::int64_t>(text_.size() - at_)));
            return;
        }
        if (word == "u") return unicode(given ? value : 0);
        flush();
        const bool starred = std::exchange(top().starred, false);
        if (word == "fonttbl") top().fonts = true;
        if (is_in(word, kSkipped) || (starred && !is_in(word, kKnown))) top().skipped = true;
        if (font_table(word, value)) return;
        if (word == "uc") top().fallback = static_cast<int>(std::clamp<std::int64_t>(value, 0, 32));
        if (word == "ansicpg") page_ = static_cast<int>(value);
        if (word == "mac") page_ = 10000;
        if (word == "pc") page_ = 437;
        if (word == "pca") page_ = 850;
        if (word == "f" || word == "plain") {
            const auto font = fonts_.find(word == "f" ? value : default_font_);
            top().page = font == fonts_.end() ? 0 : font->second;
        }
        if (word == "deff") default_font_ = value;
        if (word == "htmlrtf") top().hidden_rtf = value != 0;
        if (top().skipped) return;
        if (word == "object") reading_.partial("embedded-object");
        if (is_in(word, kAside) && !top().aside) {
            top().aside = true;
            flow_.enter_side();
        }
        said(word);
    }

    bool font_table(std::string_view word, std::int64_t value) {
        if (!top().fonts) return false;
        if (word == "f") font_ = value;
        const int page = word == "fcharset" ? page_of_font(static_cast<int>(std::min<std::int64_t>(value, 999)))
                         : word == "cpg"    ? static_cast<int>(std::min<std::int64_t>(value, 99'999))
                                            : 0;
        if (page != 0 && fonts_.size() < kFonts) fonts_[font_] = page;
        return true;
    }

    void said(std::string_view word) {
        constexpr std::pair<std::string_view, std::string_view> kText[] = {{"tab", "\t"},
                                                                           {"cell", "\t"},
                                                                           {"nestcell", "\t"},
                                                                           {"emdash", "\xE2\x80\x94"},
                                                                           {"endash", "\xE2\x80\x93"},
                                                                           {"bullet", "\xE2\x80\xA2"},
                                                                           {"lquote", "\xE2\x80\x98"},
                                                                           {"rquote", "\xE2\x80\x99"},
                                                                           {"ldblquote", "\xE2\x80\x9C"},
                                                                           {"rdblquote", "\xE2\x80\x9D"},
                                                                           {"emspace", " "},
                                                                           {"enspace", " "}};
        constexpr std::string_view kLines[] = {"par", "line", "row", "nestrow", "sect", "page", "column"};
        if (is_in(word, kLines)) return line();
        for (const auto& [name, shown] : kText)
            if (name == word) say(shown);
    }

    void unicode(std::int64_t value) {
        flush_bytes();
        if (value < 0) value += 0x10000;
        put_unit(static_cast<std::uint32_t>(std::clamp<std::int64_t>(value, 0, 0x10FFFF)));
        to_skip_ = top().fallback;
    }

    void put_unit(std::uint32_t unit) {
        if (unit >= 0xD800 && unit < 0xDC00) {
            if (high_ != 0) put_char(0xFFFD);
            high_ = unit;
            return;
        }
        if (unit >= 0xDC00 && unit < 0xE000) {
            unit = high_ != 0 ? 0x10000 + ((high_ - 0xD800) << 10) + (unit - 0xDC00) : 0xFFFD;
            high_ = 0;
        } else if (high_ != 0) {
            high_ = 0;
            put_char(0xFFFD);
        }
        put_char(unit);
    }

    void put_char(std::uint32_t c) {
        std::string utf8;
        const auto add = [&utf8](std::uint32_t v) { utf8 += static_cast<char>(v); };
        if (c < 0x20) return;
        if (c < 0x80) {
            add(c);
        } else if (c < 0x800) {
            add(0xC0 | c >> 6);
            add(0x80 | (c & 0x3F));
        } else if (c < 0x10000) {
            add(0xE0 | c >> 12);
            add(0x80 | (c >> 6 & 0x3F));
            add(0x80 | (c & 0x3F));
        } else {
            add(0xF0 | c >> 18);
            add(0x80 | (c >> 12 & 0x3F));
            add(0x80 | (c >> 6 & 0x3F));
            add(0x80 | (c & 0x3F));
        }
        emit(utf8);
    }

    void byte(char c) {
        if (to_skip_ > 0) {
            --to_skip_;
            return;
        }
        bytes_ += c;
        if (bytes_.size() >= 4096 && static_cast<unsigned char>(c) < 0x80) flush_bytes();
    }
    void say(std::string_view text) {
        flush();
        emit(text);
    }
    void line() {
        flush();
        if (visible()) flow_.end_line();
    }
    bool visible() { return too_deep_ == 0 && !top().skipped && !top().hidden_rtf; }
    void emit(std::string_view utf8) {
        if (visible()) flow_.put(utf8);
    }
    void flush_bytes() {
        if (bytes_.empty()) return;
        if (high_ != 0) {
            high_ = 0;
            put_char(0xFFFD);
        }
        if (visible()) {
            const Decoded decoded = decode_charset(as_bytes(bytes_), charset_of_page(top().page ? top().page : page_));
            if (decoded.lossy) reading_.partial("charset");
            flow_.put(decoded.utf8);
        }
        bytes_.clear();
    }
    void flush() {
        flush_bytes();
        to_skip_ = 0;
    }

    std::string_view text_;
    Reading& reading_;
    Flow flow_;
    std::size_t at_ = 0;
    std::vector<Group> groups_;
    std::size_t too_deep_ = 0;
    std::map<std::int64_t, int> fonts_;
    std::int64_t font_ = 0, default_font_ = 0;
    int page_ = 1252;
    int to_skip_ = 0;  // characters that stand for a \u where Unicode is unknown
    std::uint32_t high_ = 0;
    std::string bytes_;  // in the code page
};

}  // namespace

Refusal read_rtf(ByteView content, Reading& reading) {
    const std::string_view text = as_text(content);
    if (text.substr(0, 5) != "{\\rtf") return "damaged";
    Rtf(text, reading).read();
    return "";
}

}  // namespace kustos::extractor
