#include "ingest/src/imap_client.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/text.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/smtp_command.h"

namespace kustos::ingest {

namespace {

constexpr std::int64_t kSlice = 200;  // ms between two looks at whether to stop
constexpr std::size_t kPiece = 64u << 10;

Error no_imap(const char* what) {
    return Error(Code::bad_input, std::string("the mail server's answer ") + what);
}

std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

std::optional<std::uint64_t> code_number(const ImapResponse& response, std::string_view word) {
    const std::string_view code = response.code;
    const std::size_t blank = code.find(' ');
    if (blank == std::string_view::npos || !same_word(code.substr(0, blank), word)) return std::nullopt;
    return read_decimal(code.substr(blank + 1));
}

bool is_count(const ImapResponse& response, std::string_view word) {
    return response.tokens.size() == 2 && response.tokens[1].is(word) && response.tokens[0].number();
}

// The UID that a FETCH answer names at its own level.
std::optional<ImapUid> uid_of(const ImapResponse& response) {
    int depth = 0;
    for (std::size_t i = 2; i + 1 < response.tokens.size(); ++i) {
        if (response.tokens[i].kind == ImapToken::Kind::open) ++depth;
        if (response.tokens[i].kind == ImapToken::Kind::close) --depth;
        if (depth != 1 || !response.tokens[i].is("UID")) continue;
        const auto number = response.tokens[i + 1].number();
        if (!number || *number == 0 || *number > 0xFFFF'FFFFu) return std::nullopt;
        return static_cast<ImapUid>(*number);
    }
    return std::nullopt;
}

bool has_mail(const ImapResponse& response) {
    return std::any_of(response.tokens.begin(), response.tokens.end(),
                       [](const ImapToken& token) { return token.kind == ImapToken::Kind::mail; });
}

// A short mail may come as a quoted string; nullptr: it did not.
const std::string* quoted_mail(const ImapResponse& response) {
    for (std::size_t i = 3; i < response.tokens.size(); ++i)
        if (response.tokens[i].kind == ImapToken::Kind::text && response.tokens[i - 1].is("BODY[]"))
            return &response.tokens[i].value;
    return nullptr;
}

bool is_fetch(const ImapResponse& response) {
    return response.tokens.size() > 2 && response.tokens[1].is("FETCH") &&
           response.tokens[2].kind == ImapToken::Kind::open;
}

}  // namespace

Status ImapClient::fill() {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ = 0;
    const std::size_t before = buffer_.size();
    std::int64_t silent = 0;
    for (;;) {
        if (stopping_()) return Error(Code::interrupted, "the server ends");
        buffer_.resize(before + kPiece);
        const std::int64_t began = now_ms();
        const auto got = link_.receive(std::span(buffer_).subspan(before), kSlice);
        const std::int64_t took = now_ms() - began;
        waited_ms_ += took;
        buffer_.resize(before + (got.ok() ? *got : 0));
        if (!got.ok()) return got.error();
        received_ += *got;
        const auto granted = static_cast<std::int64_t>(received_ >> 10) * 1000;
        if (waited_ms_ > 2 * limits_.silence_ms + granted)
            return Error(Code::environment, "the mail server is too slow");
        if (*got > 0) return {};
        silent += took;
        if (silent > limits_.silence_ms) return Error(Code::environment, "the mail server did not answer in time");
    }
}

Result<std::string> ImapClient::line(std::size_t most) {
    std::size_t looked = 0;
    for (;;) {
        const auto begin = buffer_.begin() + static_cast<std::ptrdiff_t>(at_);
        const auto end = std::find(begin + static_cast<std::ptrdiff_t>(looked), buffer_.end(), std::uint8_t{'\n'});
        const auto size = static_cast<std::size_t>(end - begin);
        if (size > most) return Error(Code::limit, "the mail server's answer has a line without an end");
        if (end == buffer_.end()) {
            looked = size;
            TRY(fill());
            continue;
        }
        std::string out(begin, end);
        at_ += size + 1;
        if (out.empty() || out.back() != '\r') return no_imap("has a line that does not end as it must");
        out.pop_back();
        return out;
    }
}

// into: where a mail goes; held: where anything else goes.
Status ImapClient::literal(std::uint64_t size, ImapMails* into, std::string* held) {
    if (held != nullptr && size > limits_.line) return Error(Code::limit, "the mail server's answer is too large");
    if (held == nullptr) TRY(into->begin(size));
    while (size > 0) {
        if (at_ == buffer_.size()) TRY(fill());
        const auto there = static_cast<std::size_t>(std::min<std::uint64_t>(size, buffer_.size() - at_));
        const ByteView piece = ByteView(buffer_).subspan(at_, there);
        if (held != nullptr)
            *held += as_text(piece);
        else
            TRY(into->bytes(piece));
        at_ += there;
        size -= there;
    }
    return {};
}

Result<ImapResponse> ImapClient::response(std::size_t most, ImapMails* into) {
    ImapParser parser;
    std::string text = TRY(line(most));
    std::size_t all = text.size();
    if (!parser.first(text)) return no_imap("can't be read");
    while (parser.data()) {
        const auto size = imap_literal_size(text);
        if (!size) break;
        ImapToken token;
        if (into != nullptr && parser.expects_mail()) {
            token.kind = ImapToken::Kind::mail;
            TRY(literal(*size, into, nullptr));
        } else {
            token.kind = ImapToken::Kind::text;
            TRY(literal(*size, nullptr, &token.value));
        }
        all += token.value.size();
        parser.add(std::move(token));
        text = TRY(line(limits_.line));
        all += text.size();
        if (all > std::max(most, limits_.line)) return Error(Code::limit, "the mail server's answer is too large");
        if (!parser.more(text)) return no_imap("can't be read");
    }
    return parser.take();
}

Result<ImapClient::Done> ImapClient::command(const std::string& text, std::size_t mails, const Untagged& untagged,
                                             ImapMails* into) {
    const std::string tag = "K" + std::to_string(++tag_);
    waited_ms_ = 0;
    received_ = 0;
    TRY(link_.send(tag + " " + text + "\r\n", limits_.silence_ms));
    const std::size_t most = limits_.answers_to_command + 10 * mails;
    const bool searching = text.rfind("UID SEARCH", 0) == 0;
    for (std::size_t answers = 0; answers < most; ++answers) {
        const ImapResponse one = TRY(response(searching ? limits_.search_line : limits_.line, into));
        if (one.goes_on) return no_imap("asks for more where there is none");
        if (one.tagged) {
            if (one.tag != tag) return no_imap("is to a question that nobody asked");
            if (one.status == "OK") return Done::ok;
            if (one.status == "NO") return Done::no;
            return Error(Code::bad_input, "the mail server does not understand what is asked");
        }
        if (one.status == "BYE") return Error(Code::environment, "the mail server ended the connection");
        changed_ = changed_ || is_count(one, "EXISTS") || is_count(one, "EXPUNGE");
        TRY(untagged(one));
    }
    return Error(Code::limit, "the mail server answers without end");
}

Status ImapClient::ask_capabilities() {
    const Done done = TRY(command("CAPABILITY", 0, [this](const ImapResponse& one) -> Status {
        if (one.tokens.empty() || !one.tokens[0].is("CAPABILITY")) return {};
        for (const ImapToken& token : one.tokens) {
            std::string word = lower_ascii(token.value);
            std::transform(word.begin(), word.end(), word.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
            capabilities_.insert(std::move(word));
        }
        return {};
    }));
    if (done != Done::ok || !can("IMAP4REV1")) return Error(Code::bad_input, "the mail server speaks no IMAP4rev1");
    return {};
}

Result<ImapBox> ImapClient::open(std::string_view name, bool to_change) {
    ImapBox box;
    const Done done = TRY(command(
        (to_change ? "SELECT " : "EXAMINE ") + imap_mailbox(name), 0, [&box](const ImapResponse& one) -> Status {
            if (const auto number = code_number(one, "UIDVALIDITY"); number && *number <= 0xFFFF'FFFFu)
                box.validity = static_cast<std::uint32_t>(*number);
            if (const auto number = code_number(one, "UIDNEXT"); number && *number <= 0x1'0000'0000u)
                box.next = *number;
            if (is_count(one, "EXISTS")) box.exists = *one.tokens[0].number();
            return {};
        }));
    changed_ = false;
    if (done != Done::ok) return Error(Code::environment, "the mail server does not open a mailbox");
    if (box.validity == 0) return Error(Code::bad_input, "the mail server keeps no UIDVALIDITY for a mailbox");
    return box;
}

Result<std::vector<ImapUid>> ImapClient::search(std::uint64_t first, std::uint64_t last) {
    std::vector<ImapUid> out;
    const std::string range = std::to_string(first) + ":" + std::to_string(last);
    const Done done = TRY(command("UID SEARCH UID " + range, 0, [&out](const ImapResponse& one) -> Status {
        if (one.found) out.insert(out.end(), one.found->begin(), one.found->end());
        return {};
    }));
    if (done != Done::ok) return Error(Code::environment, "the mail server does not search a mailbox");
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    if (!out.empty() && (out.front() < first || out.back() > last)) return no_imap("names mails that nobody asked for");
    return out;
}

Result<std::set<ImapUid>> ImapClient::fetch(const std::vector<ImapUid>& uids, ImapMails& mails) {
    std::set<ImapUid> given;
    const auto take = [&](const ImapResponse& one) -> Status {
        if (!is_fetch(one)) return {};
        const std::string* quoted = has_mail(one) ? nullptr : quoted_mail(one);
        if (quoted == nullptr && !has_mail(one)) return {};
        const auto uid = uid_of(one);
        if (!uid || !std::binary_search(uids.begin(), uids.end(), *uid))
            return no_imap("brings a mail that nobody asked for");
        if (!given.insert(*uid).second) return no_imap("brings a mail twice");
        if (quoted != nullptr) {
            TRY(mails.begin(quoted->size()));
            if (!quoted->empty()) TRY(mails.bytes(as_bytes(*quoted)));
        }
        return mails.end(*uid);
    };
    TRY(command("UID FETCH " + imap_set(uids) + " (UID BODY.PEEK[])", uids.size(), take, &mails));
    return given;
}

Status ImapClient::remove(const std::vector<ImapUid>& uids) {
    const auto ignore = [](const ImapResponse&) { return ok_status(); };
    const std::string set = imap_set(uids);
    if (TRY(command("UID STORE " + set + " +FLAGS.SILENT (\\Deleted)", uids.size(), ignore)) != Done::ok ||
        TRY(command("UID EXPUNGE " + set, uids.size(), ignore)) != Done::ok)
        return Error(Code::environment, "the mail server does not let mails be deleted");
    return {};
}

Status ImapClient::move(const std::vector<ImapUid>& uids, std::string_view into) {
    const Done done = TRY(command("UID MOVE " + imap_set(uids) + " " + imap_mailbox(into), uids.size(),
                                  [](const ImapResponse&) { return ok_status(); }));
    if (done != Done::ok) return Error(Code::environment, "the mail server does not let mails be moved");
    return {};
}

void ImapClient::log_out() {
    (void)link_.send("K" + std::to_string(++tag_) + " LOGOUT\r\n", 1000);
}

std::string imap_set(const std::vector<ImapUid>& uids) {
    std::string out;
    for (std::size_t i = 0; i < uids.size();) {
        std::size_t last = i;
        while (last + 1 < uids.size() && uids[last + 1] == uids[last] + 1) ++last;
        if (!out.empty()) out += ',';
        out += std::to_string(uids[i]);
        if (last > i) out += ":" + std::to_string(uids[last]);
        i = last + 1;
    }
    return out;
}

std::string imap_mailbox(std::string_view utf8) {
    const std::string name = repair_utf8(utf8);
    std::string out = "\"";
    Bytes wide;  // UTF-16BE of a run of characters that are not printable ASCII
    const auto shift = [&] {
        if (wide.empty()) return;
        std::string coded = base64(wide);
        while (!coded.empty() && coded.back() == '=') coded.pop_back();
        std::replace(coded.begin(), coded.end(), '/', ',');
        out += "&" + coded + "-";
        wide.clear();
    };
    for (std::size_t i = 0; i < name.size();) {
        const auto lead = static_cast<unsigned char>(name[i]);
        const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        std::uint32_t code = size == 1 ? lead : lead & (0x7Fu >> size);
        for (std::size_t k = 1; k < size; ++k) code = code << 6 | (static_cast<unsigned char>(name[i + k]) & 0x3Fu);
        i += size;
        if (code >= 0x20 && code < 0x7F) {
            shift();
            if (code == '&') {
                out += "&-";
            } else {
                if (code == '"' || code == '\\') out += '\\';
                out += static_cast<char>(code);
            }
        } else if (code < 0x10000) {
            put_u16(wide, static_cast<std::uint16_t>(code));
        } else {
            put_u16(wide, static_cast<std::uint16_t>(0xD800 + ((code - 0x10000) >> 10)));
            put_u16(wide, static_cast<std::uint16_t>(0xDC00 + ((code - 0x10000) & 0x3FF)));
        }
    }
    shift();
    return out + "\"";
}

}  // namespace kustos::ingest
