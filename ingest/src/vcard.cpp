// vCard: RFC 6350 (4.0), RFC 2426 (3.0) and, as telephones still write it, 2.1 with quoted-printable. Read leniently: a
// line that is not understood is passed over, and stands in raw.
#include <array>
#include <vector>

#include "ingest/src/address_formats.h"

namespace kustos::ingest {

namespace {

using access::add_address;
using access::add_value;
using access::PersonCard;
using access::trimmed;

constexpr std::size_t kMaxLines = 10'000;  // of one card
constexpr int kMaxNested = 8;

struct Line {
    std::string name;  // upper case, without group
    std::string charset;
    bool quoted_printable = false, fax = false;
    std::string value;  // still escaped
};

char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
std::string uppered(std::string_view text) {
    std::string out(trimmed(text));
    std::transform(out.begin(), out.end(), out.begin(), upper);
    return out;
}
bool is(std::string_view line, std::string_view what) {
    return uppered(line) == what;
}

// name *(";" param) ":" value; a colon inside quotation marks belongs to a parameter.
bool split(std::string_view text, Line& line) {
    bool quoted = false;
    std::size_t colon = 0;
    for (; colon < text.size(); ++colon) {
        if (text[colon] == '"') quoted = !quoted;
        if (text[colon] == ':' && !quoted) break;
    }
    if (colon >= text.size()) return false;
    std::string_view head = text.substr(0, colon);
    line = Line();
    line.value = std::string(text.substr(colon + 1));
    bool first = true;
    while (!head.empty() || first) {
        std::size_t end = 0;
        for (quoted = false; end < head.size() && (quoted || head[end] != ';'); ++end)
            if (head[end] == '"') quoted = !quoted;
        const std::string part = uppered(head.substr(0, end));
        head.remove_prefix(std::min(end + 1, head.size()));
        if (first) {
            line.name = part.substr(part.rfind('.') + 1);  // npos + 1 is 0
            first = false;
        } else if (part.rfind("CHARSET=", 0) == 0) {
            line.charset = part.substr(8);
        } else if (part.find("QUOTED-PRINTABLE") != std::string::npos) {
            line.quoted_printable = true;
        } else if (part.find("FAX") != std::string::npos) {
            line.fax = true;
        }
    }
    return !line.name.empty();
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// RFC 2045 6.7, after soft line breaks are gone.
std::string from_quoted_printable(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '=' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (low < 0) {
            out += text[i];
            continue;
        }
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

// Components at unescaped `sign`, each with its escapes taken off (RFC 6350 3.4).
std::vector<std::string> components(std::string_view value, char sign) {
    std::vector<std::string> out(1);
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value[i] == '\\' && i + 1 < value.size()) {
            const char c = value[++i];
            out.back() += c == 'n' || c == 'N' ? '\n' : c;
        } else if (value[i] == sign && sign != 0 && out.size() < 64) {
            out.emplace_back();
        } else {
            out.back() += value[i];
        }
    }
    return out;
}

struct Scheme {
    std::string_view name;    // of the property
    std::string_view scheme;  // empty: as it stands
};
constexpr std::array kSchemes = {Scheme{"IMPP", ""},
                                 Scheme{"X-JABBER", "xmpp:"},
                                 Scheme{"X-XMPP", "xmpp:"},
                                 Scheme{"X-MATRIX", "matrix:"},
                                 Scheme{"X-SIP", "sip:"},
                                 Scheme{"X-SKYPE", "skype:"},
                                 Scheme{"X-SKYPE-USERNAME", "skype:"},
                                 Scheme{"X-SIGNAL", "signal:"},
                                 Scheme{"X-THREEMA", "threema:"},
                                 Scheme{"X-TELEGRAM", "telegram:"},
                                 Scheme{"X-WIRE", "wire:"},
                                 Scheme{"X-MATTERMOST", "mattermost:"},
                                 Scheme{"X-MS-IMADDRESS", "im:"}};

std::string without(std::string_view value, std::string_view scheme) {
    const std::string head = fold(value.substr(0, scheme.size()));
    return std::string(head == scheme ? value.substr(scheme.size()) : value);
}

void add_id(PersonCard& card, std::string_view scheme, std::string_view value) {
    value = trimmed(value);
    if (value.empty()) return;
    std::string id = scheme.empty() ? std::string(value) : std::string(scheme) + without(value, scheme);
    // The URI of the Matrix specification: matrix:u/anna:example.org
    if (id.rfind("matrix:u/", 0) == 0) id = "matrix:@" + id.substr(9);
    add_value(card.ids, id);
}

bool is_number(std::string_view name) {
    constexpr std::array<std::string_view, 6> kNumbers = {"X-EMPLOYEE-NUMBER", "X-EMPLOYEENUMBER", "X-EMPLOYEE-ID",
                                                          "X-EMPLOYEEID",      "X-PERSONALNUMMER", "X-PERSONAL-NUMMER"};
    return std::find(kNumbers.begin(), kNumbers.end(), name) != kNumbers.end();
}
bool is_login(std::string_view name) {
    return name == "X-LOGIN" || name == "X-USERNAME" || name == "X-ACCOUNT" || name == "X-SAMACCOUNTNAME";
}

void take(PersonCard& card, const Line& line, bool& group) {
    std::string value = line.quoted_printable ? from_quoted_printable(line.value) : line.value;
    value = BookText::value(value, line.charset);
    const auto plain = [&] { return components(value, 0).front(); };
    const auto set = [](std::string& into, std::string_view text) {
        if (into.empty()) into = std::string(trimmed(text));
    };
    if (line.name == "FN") add_value(card.names, plain());
    if (line.name == "N") {
        const auto parts = components(value, ';');
        set(card.family, parts[0]);
        if (parts.size() > 1) set(card.given, parts[1]);
    }
    if (line.name == "EMAIL") add_address(card, plain());
    if (line.name == "TEL" && !line.fax) add_value(card.phones, without(plain(), "tel:"));
    if (line.name == "UID") set(card.uid, plain());
    if (line.name == "TITLE") set(card.title, plain());
    if (line.name == "ORG") {
        const auto parts = components(value, ';');
        set(card.organisation, parts[0]);
        if (parts.size() > 1) set(card.unit, parts[1]);
    }
    if (line.name == "KIND" || line.name == "X-ADDRESSBOOKSERVER-KIND") group = fold(trimmed(plain())) == "group";
    for (const Scheme& s : kSchemes)
        if (line.name == s.name) add_id(card, s.scheme, plain());
    if (is_number(line.name)) set(card.number, plain());
    if (is_login(line.name)) add_value(card.logins, plain());
}

class Cards {
public:
    Cards(BookText& text, BookSink& sink) : text_(text), all_(text_.utf8()), sink_(sink) {}

    Status run() {
        while (at_ < all_.size()) {
            const std::size_t begin = at_;
            TRY(is(raw_line(), "BEGIN:VCARD") ? card(begin) : ok_status());
        }
        return rest(all_.size());
    }

private:
    // Up to the line's end, which is taken.
    std::string_view raw_line() {
        const std::size_t begin = at_;
        at_ = std::min(all_.find('\n', at_), all_.size());
        std::string_view line = all_.substr(begin, at_ - begin);
        if (at_ < all_.size()) ++at_;
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        return line;
    }
    // Unfolded (RFC 6350 3.2); quoted-printable goes on behind a "=" at the end.
    std::string line() {
        std::string out(raw_line());
        const std::size_t colon = std::min(out.find(':'), out.size());
        const bool soft = uppered(std::string_view(out).substr(0, colon)).find("QUOTED-PRINTABLE") != std::string::npos;
        for (;;) {
            if (soft && !out.empty() && out.back() == '=' && at_ < all_.size()) {
                out.pop_back();
                out += raw_line();
            } else if (at_ < all_.size() && (all_[at_] == ' ' || all_[at_] == '\t')) {
                out += raw_line().substr(1);
            } else {
                return out;
            }
        }
    }

    Status card(std::size_t begin) {
        TRY(rest(begin));
        PersonCard card;
        bool group = false, agent = false;
        int depth = 1;
        std::size_t lines = 0;
        while (at_ < all_.size() && depth > 0) {
            const std::size_t before = at_;
            Line parsed;
            const std::string text = line();
            if (is(text, "BEGIN:VCARD")) {
                if (!agent || depth == kMaxNested) {  // the card before lacks its end
                    at_ = before;
                    break;
                }
                ++depth;
            } else if (is(text, "END:VCARD")) {
                --depth;
            } else if (depth == 1 && ++lines <= kMaxLines && split(text, parsed)) {
                take(card, parsed, group);
            }
            agent = is(std::string_view(text).substr(0, 5), "AGENT");  // of 2.1: a card inside
            if (at_ - begin > kMaxVcard) return give(card, "vcard-too-large", false);
        }
        if (depth > 0) return give(card, "vcard-cut", false);
        for (std::size_t before = at_; at_ < all_.size(); before = at_) {  // blank lines behind it
            if (trimmed(raw_line()).empty()) continue;
            at_ = before;
            break;
        }
        if (card.names.empty() && !(card.given + card.family).empty())
            add_value(card.names, card.given + (card.given.empty() || card.family.empty() ? "" : " ") + card.family);
        if (group) return give({}, "", true);
        return give(card, card.empty() ? "no-person" : "", false);
    }

    // What stands between cards: blank lines belong to the next item, anything else is nobody's.
    Status rest(std::size_t end) {
        const bool blank = trimmed(all_.substr(given_, end - given_)).empty();
        if (given_ >= end || (blank && end < all_.size())) return ok_status();
        BookItem item;
        item.raw = text_.raw(given_, end);
        item.format = "vcard";
        item.quarantine = "not-a-vcard";
        given_ = end;
        return sink_.item(std::move(item));
    }
    Status give(PersonCard card, std::string_view quarantine, bool nobody) {
        BookItem item;
        if (quarantine.empty() && !nobody) item.card = std::move(card);
        item.raw = text_.raw(given_, at_);
        item.format = "vcard";
        item.quarantine = std::string(quarantine);
        item.nobody = nobody;
        given_ = at_;
        return sink_.item(std::move(item));
    }

    BookText& text_;
    std::string_view all_;
    BookSink& sink_;
    std::size_t at_ = 0, given_ = 0;
};

}  // namespace

bool looks_like_vcard(std::string_view text) {
    const std::string_view begin = trimmed(text.substr(0, 4'096));
    return is(begin.substr(0, 11), "BEGIN:VCARD") ||
           text.substr(0, 64u << 10).find("\nBEGIN:VCARD") != std::string_view::npos;
}

Status read_vcards(BookText& text, BookSink& sink) {
    if (text.utf8().empty()) {  // nothing, or a byte order mark alone
        BookItem item;
        item.raw = text.raw(0, 0);
        item.format = "vcard";
        item.quarantine = "not-a-vcard";
        return item.raw.empty() ? ok_status() : sink.item(std::move(item));
    }
    return Cards(text, sink).run();
}

}  // namespace kustos::ingest
