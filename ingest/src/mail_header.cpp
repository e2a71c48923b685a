#include "ingest/src/mail_header.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "ingest/src/gmime.h"

namespace kustos::ingest {

namespace {

constexpr std::size_t kMaxHeaderLines = 100'000;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool is_blank(char c) {
    return c == ' ' || c == '\t';
}
bool is_space(char c) {
    return is_blank(c) || c == '\r' || c == '\n';
}

// RFC 5322 section 3.6.8: printable US-ASCII but colon; blanks before the colon are an obsolete form.
std::size_t field_name_length(std::string_view line) {
    std::size_t at = 0;
    while (at < line.size() && line[at] > 32 && line[at] < 127 && line[at] != ':') ++at;
    if (at == 0) return 0;
    std::size_t colon = at;
    while (colon < line.size() && is_blank(line[colon])) ++colon;
    return colon < line.size() && line[colon] == ':' ? at : 0;
}

struct Line {
    std::string_view text;  // without its end
    std::size_t next = 0;   // where the next line starts
};

Line line_at(std::string_view raw, std::size_t at) {
    const std::size_t lf = raw.find('\n', at);
    if (lf == std::string_view::npos) return {raw.substr(at), raw.size()};
    std::size_t end = lf;
    if (end > at && raw[end - 1] == '\r') --end;
    return {raw.substr(at, end - at), lf + 1};
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

void decode_q(std::string_view text, Bytes& out) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '_') {
            out.push_back(' ');
        } else if (text[i] == '=' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                   hex_digit(text[i + 2]) >= 0) {
            out.push_back(static_cast<std::uint8_t>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])));
            i += 2;
        } else if (text[i] != '\r' && text[i] != '\n') {
            out.push_back(static_cast<std::uint8_t>(text[i]));
        }
    }
}

int base64_digit(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    if (c == '/') return 63;
    return -1;
}

void decode_b(std::string_view text, Bytes& out) {
    unsigned held = 0;
    int bits = 0;
    for (const char c : text) {
        if (c == '=') break;
        const int digit = base64_digit(c);
        if (digit < 0) continue;
        held = (held << 6) | static_cast<unsigned>(digit);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out.push_back(static_cast<std::uint8_t>(held >> bits));
        }
    }
}

struct EncodedWord {
    std::string_view charset;
    char encoding = 'Q';
    std::string_view text;
    std::size_t end = 0;  // behind "?="
};

std::optional<EncodedWord> encoded_word_at(std::string_view raw, std::size_t at) {
    if (raw.substr(at, 2) != "=?") return std::nullopt;
    const std::size_t charset_end = raw.find('?', at + 2);
    if (charset_end == std::string_view::npos || charset_end == at + 2 || charset_end - at > 80) return std::nullopt;
    EncodedWord word;
    word.charset = raw.substr(at + 2, charset_end - at - 2);
    if (word.charset.find_first_of(" \t\r\n") != std::string_view::npos) return std::nullopt;
    word.charset = word.charset.substr(0, word.charset.find('*'));  // RFC 2231 section 5: language
    if (charset_end + 2 >= raw.size() || raw[charset_end + 2] != '?') return std::nullopt;
    word.encoding = static_cast<char>(lower(raw[charset_end + 1]) - 'a' + 'A');
    if (word.encoding != 'Q' && word.encoding != 'B') return std::nullopt;
    const std::size_t begin = charset_end + 3;
    const std::size_t end = raw.find("?=", begin);
    if (end == std::string_view::npos) return std::nullopt;
    word.text = raw.substr(begin, end - begin);
    word.end = end + 2;
    return word;
}

std::string unfold(std::string_view raw) {
    std::string text;
    text.reserve(raw.size());
    for (const char c : raw)
        if (c != '\r' && c != '\n') text.push_back(c);
    return text;
}

// Runs of encoded words in one charset are decoded together, because senders split characters between words.
class WordDecoder {
public:
    explicit WordDecoder(bool& lossy) : lossy_(lossy) {}
    void literal(std::string_view text) {
        flush();
        add(decode_charset(as_bytes(text), "utf-8"));
    }
    void word(const EncodedWord& word) {
        if (!iequals(word.charset, charset_) || stateful(word.charset)) flush();
        charset_ = std::string(word.charset);
        if (word.encoding == 'B')
            decode_b(word.text, held_);
        else
            decode_q(word.text, held_);
    }
    std::string finish() {
        flush();
        return std::move(out_);
    }

private:
    // Each word starts and ends in ASCII there (RFC 2047 section 3), and decoders refuse empty shifts.
    static bool stateful(std::string_view charset) {
        const std::string name = lower_ascii(charset);
        return name.rfind("iso-2022", 0) == 0 || name.rfind("hz", 0) == 0 || name.rfind("utf-7", 0) == 0;
    }
    void flush() {
        if (!held_.empty()) add(decode_charset(held_, charset_));
        held_.clear();
        charset_.clear();
    }
    void add(const Decoded& decoded) {
        lossy_ |= decoded.lossy;
        out_ += decoded.utf8;
    }
    bool& lossy_;
    std::string charset_, out_;
    Bytes held_;
};

}  // namespace

bool iequals(std::string_view a, std::string_view b) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string lower_ascii(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), lower);
    return out;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

std::string cut_utf8(std::string text, std::size_t most, bool& cut) {
    if (text.size() <= most) return text;
    cut = true;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
    text.resize(most);
    return text;
}

std::string without_controls(std::string text, bool& found) {
    for (char& c : text) {
        if (static_cast<unsigned char>(c) >= 32 && c != 127) continue;
        found |= c != '\t';
        c = ' ';
    }
    return text;
}

HeaderBlock split_header(std::string_view raw) {
    HeaderBlock block;
    if (raw.substr(0, 3) == "\xEF\xBB\xBF") block.begin = 3;
    if (raw.substr(block.begin, 5) == "From " || raw.substr(block.begin, 6) == ">From ")
        block.begin = line_at(raw, block.begin).next;
    std::size_t at = block.begin;
    while (at < raw.size() && block.lines.size() < kMaxHeaderLines) {
        const Line line = line_at(raw, at);
        if (line.text.empty()) {
            at = line.next;
            break;
        }
        if (is_blank(line.text.front()) && !block.lines.empty()) {
            HeaderLine& last = block.lines.back();
            const auto extend = [&](std::string_view& view) {
                view = {view.data(), static_cast<std::size_t>(line.text.data() + line.text.size() - view.data())};
            };
            extend(last.value);
            extend(last.whole);
        } else if (const std::size_t length = field_name_length(line.text)) {
            const std::size_t colon = line.text.find(':', length);
            block.lines.push_back({line.text.substr(0, length), line.text.substr(colon + 1), line.text});
        } else {
            block.malformed = true;
            if (block.lines.empty()) break;
        }
        at = line.next;
    }
    block.end = at;
    return block;
}

std::string decode_words(std::string_view raw, bool& lossy) {
    const std::string text = unfold(trim(raw));
    const std::string_view view = text;
    WordDecoder decoder(lossy);
    std::size_t literal_begin = 0, at = 0;
    bool after_word = false;
    while (at < view.size()) {
        const auto word = view[at] == '=' ? encoded_word_at(view, at) : std::nullopt;
        if (!word) {
            ++at;
            continue;
        }
        const std::string_view between = view.substr(literal_begin, at - literal_begin);
        if (!(after_word && trim(between).empty())) {
            if (!between.empty()) decoder.literal(between);
        }
        decoder.word(*word);
        at = literal_begin = word->end;
        after_word = true;
    }
    if (literal_begin < view.size()) decoder.literal(view.substr(literal_begin));
    return decoder.finish();
}

std::vector<vault::Person> parse_addresses(std::string_view raw, std::size_t most) {
    std::string text = unfold(raw);
    std::replace(text.begin(), text.end(), '\0', ' ');
    const Owned<InternetAddressList> list(internet_address_list_parse(gmime_options(), text.c_str()));
    return people_of(list.get(), most);
}

std::optional<UtcTime> parse_mail_date(std::string_view raw) {
    std::string text = unfold(trim(raw));
    std::replace(text.begin(), text.end(), '\0', ' ');
    GDateTime* parsed = g_mime_utils_header_decode_date(text.c_str());
    if (!parsed) return std::nullopt;
    const std::int64_t seconds = g_date_time_to_unix(parsed);
    g_date_time_unref(parsed);
    constexpr std::int64_t kYear1 = -62'135'596'800, kYear10000 = 253'402'300'800;
    if (seconds < kYear1 || seconds >= kYear10000) return std::nullopt;
    return UtcTime{seconds * 1000};
}

std::string first_message_id(std::string_view raw) {
    const std::string text = unfold(trim(raw));
    const std::size_t begin = text.find('<');
    if (begin != std::string::npos) {
        const std::size_t end = text.find('>', begin);
        if (end != std::string::npos)
            return repair_utf8(trim(std::string_view(text).substr(begin + 1, end - begin - 1)));
    }
    const std::string_view bare = trim(text);
    return repair_utf8(bare.substr(0, bare.find_first_of(" \t")));
}

}  // namespace kustos::ingest
