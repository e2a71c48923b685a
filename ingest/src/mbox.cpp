// mbox in its four dialects (RFC 4155 knows only one): mboxo and mboxrd quote "From " in bodies, mboxcl too and adds
// Content-Length, mboxcl2 has only Content-Length. A length is believed where a From_ line or the end follows it.
#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/text.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/mail_pool.h"
#include "ingest/src/mbox.h"
#include "ingest/src/unreadable.h"
#include "ingest/src/window.h"

namespace kustos::ingest {

namespace {

constexpr std::size_t kMaxLine = 8u << 20;  // a longer line is no From_ line; it is passed over piece by piece

bool digit(char c) {
    return c >= '0' && c <= '9';
}

std::string_view first_line(std::string_view text) {
    std::string_view line = text.substr(0, text.find('\n'));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    return line;
}

// Positions of the '>' that quoting put before "From ".
std::vector<std::size_t> quotes(std::string_view mail) {
    std::vector<std::size_t> found;
    for (std::size_t at = mail.find("\n>"); at != std::string_view::npos; at = mail.find("\n>", at + 1)) {
        std::size_t end = at + 1;
        while (end < mail.size() && mail[end] == '>') ++end;
        if (mail.substr(end, 5) == "From ") found.push_back(at + 1);
    }
    return found;
}

Bytes without(std::string_view mail, const std::vector<std::size_t>& positions) {
    Bytes out;
    out.reserve(mail.size());
    std::size_t from = 0;
    for (const std::size_t at : positions) {
        put(out, mail.substr(from, at - from));
        from = at + 1;
    }
    put(out, mail.substr(from));
    return out;
}

// Spans of the unquoted text, moved to the quoted one; a span with a quote inside does not hold.
void move_spans(vault::Message& message, const std::vector<std::size_t>& positions) {
    for (vault::Attachment& attachment : message.attachments) {
        if (!attachment.in_raw) continue;
        std::uint64_t begin = attachment.in_raw->offset, end = begin + attachment.in_raw->length;
        for (const std::size_t at : positions) {
            if (at <= begin) ++begin;
            if (at < end + (at <= begin ? 1 : 0)) ++end;
        }
        if (end - begin == attachment.in_raw->length)
            attachment.in_raw->offset = begin;
        else
            attachment.in_raw.reset();
    }
}

struct Length {
    std::size_t body = 0;    // where it starts
    std::size_t length = 0;  // as Content-Length says
};

// Only as far as this header goes, and never into the next mail: small mails without an end must not cost a window
// each.
std::optional<Length> content_length(std::string_view text) {
    std::optional<std::size_t> length;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t lf = text.find('\n', at);
        if (lf == std::string_view::npos) return std::nullopt;
        const std::string_view line = trim(text.substr(at, lf - at));
        at = lf + 1;
        if (line.empty()) return length ? std::optional<Length>({at, *length}) : std::nullopt;
        if (line.substr(0, 5) == "From ") return std::nullopt;
        if (!iequals(line.substr(0, 15), "Content-Length:")) continue;
        const std::string_view value = trim(line.substr(15));
        std::size_t number = 0;
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
        if (error == std::errc() && end == value.data() + value.size()) length = number;
    }
    return std::nullopt;
}

class MboxReader {
public:
    MboxReader(ByteSource& source, const ReadContext& context, ItemSink& sink)
        : window_(source), limits_(context.limits), sink_(sink, limits_) {}

    Status read() {
        TRY(window_.want(4096));
        if (!is_from_line(window_.text())) TRY(preamble());
        while (window_.size() > 0) TRY(mail());
        return sink_.finish();
    }

private:
    Status preamble() {
        const std::size_t end = TRY(next_from(0, true));
        Bytes garbage = window_.take(end);
        const bool blank = trim(as_text(garbage)).empty();
        if (blank) return ok_status();
        sink_.finding("mbox:preamble");
        return quarantine(std::move(garbage), "mbox", "before-first-mail", limits_, sink_);
    }

    // The window starts with a From_ line.
    Status mail() {
        const FoundLine from = TRY(find_line(window_, 0, kMaxLine));
        const std::uint64_t offset = window_.offset();
        const std::string from_line(window_.text().substr(0, std::min<std::size_t>(from.length, 1024)));
        window_.consume(from.consumed);
        TRY(window_.want(64u << 10));
        std::size_t end = 0, framing = 0;
        bool by_length = false;
        if (const auto length = TRY(believed_length())) {
            end = *length;
            by_length = true;
        } else {
            end = TRY(next_from(0, false));
        }
        if (end > limits_.mail) return oversize();
        if (!by_length) framing = final_blank_line(window_.text().substr(0, end));
        Bytes raw = window_.take(end - framing);
        window_.consume(framing);
        if (by_length) TRY(skip_blank_lines());
        return hand_on(std::move(raw), from_line, offset, by_length, from.consumed + framing);
    }

    Status hand_on(Bytes raw, const std::string& from_line, std::uint64_t offset, bool by_length, std::size_t extra) {
        const std::string_view text = as_text(raw);
        if (by_length && text.find("\nFrom ") != std::string_view::npos) unquoted_dialect_ = true;
        const std::string note = "mbox-from:" + decode_charset(as_bytes(from_line), "utf-8").utf8.substr(5);
        return sink_.mail(std::move(raw),
                          [&limits = limits_, bare = unquoted_dialect_, note, offset, extra](Bytes bytes) mutable {
                              ParsedItem item = unquoted(std::move(bytes), bare, limits);
                              item.source_bytes = item.message.raw.size() + std::exchange(extra, 0);
                              if (item.message.kind == vault::MessageKind::mail) item.message.format = "mbox";
                              item.message.feed_position = "offset:" + std::to_string(offset);
                              item.message.notes.push_back(note);
                              return item;
                          });
    }

    // The fields of the text as it was before mbox quoted it; raw as it stands in the file.
    static ParsedItem unquoted(Bytes raw, bool bare, const Limits& limits) {
        std::vector<std::size_t> positions;
        if (!bare) positions = quotes(as_text(raw));
        if (positions.empty()) return parse_mail(std::move(raw), limits);
        ParsedItem item = parse_mail(without(as_text(raw), positions), limits);
        move_spans(item.message, positions);
        item.message.raw = std::move(raw);
        return item;
    }

    // A mail above the limit: everything up to the next From_ line, in pieces.
    Status oversize() {
        sink_.finding("mbox:too-large");
        for (;;) {
            const std::size_t end = TRY(next_from(0, false));
            const bool last = end <= limits_.mail;
            Bytes piece = window_.take(std::min<std::size_t>(end, limits_.mail));
            TRY(quarantine(std::move(piece), "mbox", "too-large", limits_, sink_));
            if (last) return ok_status();
        }
    }

    // Where the next From_ line starts, the window's end at the end of input, or something above limits.mail.
    Result<std::size_t> next_from(std::size_t from, bool after_blank) {
        std::size_t at = from;
        bool blank = after_blank;
        while (at <= limits_.mail) {
            const FoundLine line = TRY(find_line(window_, at, kMaxLine));
            if (!line.found && !line.too_long) return window_.size();
            if (blank && line.found && window_.text().substr(at, 5) == "From ") {
                TRY(window_.want(at + line.consumed + 2048));
                if (is_from_line(window_.text().substr(at))) return at;
            }
            blank = line.found && line.length == 0;
            at += line.found ? line.consumed : kMaxLine;
        }
        return at;
    }

    // "From someone Fri Mar  1 10:15:00 2024", and behind it a header line.
    static bool is_from_line(std::string_view text) {
        if (text.substr(0, 5) != "From ") return false;
        const std::string_view line = first_line(text);
        bool time = false;
        for (std::size_t i = 5; i + 4 < line.size() && !time; ++i)
            time =
                digit(line[i]) && digit(line[i + 1]) && line[i + 2] == ':' && digit(line[i + 3]) && digit(line[i + 4]);
        if (!time) return false;
        const std::size_t lf = text.find('\n');
        if (lf == std::string_view::npos) return true;
        const std::string_view next = first_line(text.substr(lf + 1));
        if (next.empty() || next.substr(0, 6) == ">From ") return true;
        const std::size_t colon = next.find(':');
        return colon != std::string_view::npos && colon > 0 &&
               next.substr(0, colon).find(' ') == std::string_view::npos;
    }

    Result<std::optional<std::size_t>> believed_length() {
        const auto said = content_length(window_.text());
        if (!said || said->length > limits_.mail) return std::optional<std::size_t>();
        const std::size_t end = said->body + said->length;
        TRY(window_.want(end + 4096));
        if (window_.size() < end) return std::optional<std::size_t>();
        std::string_view rest = window_.text().substr(end);
        while (!rest.empty() && (rest.front() == '\n' || rest.front() == '\r')) rest.remove_prefix(1);
        if (rest.empty() ? window_.ended() : is_from_line(rest)) return std::optional<std::size_t>(end);
        sink_.finding("mbox:wrong-content-length");
        return std::optional<std::size_t>();
    }

    Status skip_blank_lines() {
        for (;;) {
            TRY(window_.want(2));
            const std::string_view text = window_.text();
            if (text.empty() || (text[0] != '\n' && text[0] != '\r')) return ok_status();
            window_.consume(1);
        }
    }

    // The separator's blank line is mbox's, not the mail's.
    static std::size_t final_blank_line(std::string_view mail) {
        if (mail.size() >= 4 && mail.substr(mail.size() - 4) == "\r\n\r\n") return 2;
        if (mail.size() >= 2 && mail.substr(mail.size() - 2) == "\n\n") return 1;
        return 0;
    }

    Window window_;
    const Limits& limits_;
    MailPool sink_;
    bool unquoted_dialect_ = false;  // mboxcl2: seen a bare From line inside a mail
};

}  // namespace

bool looks_like_mbox(std::string_view start, std::size_t mails) {
    for (std::size_t at = 0; at != std::string_view::npos && at < start.size();) {
        if (start.substr(at, 5) == "From " && split_header(start.substr(at)).lines.size() >= (at == 0 ? 1 : 2) &&
            --mails == 0)
            return true;
        at = start.find("\nFrom ", at);
        if (at != std::string_view::npos) ++at;
    }
    return false;
}

Status read_mbox(ByteSource& source, const ReadContext& context, ItemSink& sink) {
    return MboxReader(source, context, sink).read();
}

}  // namespace kustos::ingest
