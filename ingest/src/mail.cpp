// RFC 5322 and MIME: one mail becomes one message.
#include <algorithm>

#include "base/text.h"
#include "ingest/format.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/mail_parts.h"
#include "ingest/src/protection.h"
#include "ingest/src/tnef.h"
#include "ingest/src/unreadable.h"

namespace kustos::ingest {

namespace {

using vault::Attachment;
using vault::Message;
using vault::Role;

bool is_charset_name(std::string_view name) {
    return !name.empty() && name.size() <= 40 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '.' || c == ':';
    });
}

constexpr std::size_t kMaxAddressHeader = 1u << 20;

class MailReader {
public:
    MailReader(ByteView raw, const Limits& limits, Message& message) : raw_(raw), limits_(limits), message_(message) {}

    // false: no mail at all
    bool read() {
        const HeaderBlock block = split_header(as_text(raw_));
        if (block.lines.empty()) return false;
        if (block.malformed) note("defect:header-line");
        keep_headers(block);
        // An mbox From_ line or a byte order mark in front would hide the header from the library.
        MailParts split = split_parts(raw_.subspan(block.begin), limits_, &people_);
        read_fields(block);
        read_parts(block, std::move(split));
        return true;
    }

private:
    void note(std::string_view text) {
        if (std::find(message_.notes.begin(), message_.notes.end(), text) == message_.notes.end())
            message_.notes.emplace_back(text);
    }

    void keep_headers(const HeaderBlock& block) {
        for (const HeaderLine& line : block.lines) {
            if (message_.headers.size() >= limits_.headers) return note("limit:headers");
            if (line.whole.size() > limits_.header_line) {
                note("limit:header-line");
                continue;
            }
            message_.headers.push_back(decode_charset(as_bytes(line.whole), "utf-8").utf8);
        }
    }

    void read_fields(const HeaderBlock& block) {
        keep_lone_people(block);
        bool subject = false, date = false, id = false, references = false, reply = false;
        for (const HeaderLine& line : block.lines) {
            if (iequals(line.name, "Subject") && once(subject)) message_.subject = words(line.value);
            if (iequals(line.name, "Date") && once(date)) read_date(line.value);
            if (iequals(line.name, "Message-ID") && once(id)) message_.native_id = value(first_message_id(line.value));
            if (iequals(line.name, "In-Reply-To") && once(reply))
                message_.reply_to = value(first_message_id(line.value));
            if (iequals(line.name, "References") && once(references))
                message_.thread = value(first_message_id(line.value));
            if (iequals(line.name, "From")) read_sender(line.value);
            if (iequals(line.name, "To")) add_recipients(Role::to, line.value, people_.to);
            if (iequals(line.name, "Cc")) add_recipients(Role::cc, line.value, people_.cc);
            if (iequals(line.name, "Bcc")) add_recipients(Role::bcc, line.value, people_.bcc);
            if (iequals(line.name, "Reply-To")) add_recipients(Role::reply_to, line.value, people_.reply_to);
        }
        if (message_.sender.empty()) read_fallback_sender(block);
        std::stable_sort(message_.recipients.begin(), message_.recipients.end(),
                         [](const auto& a, const auto& b) { return a.role < b.role; });
    }

    bool once(bool& seen) {
        if (seen) note("defect:duplicate-header");
        return !std::exchange(seen, true);
    }

    std::string value(std::string text) {
        bool cut = false;
        std::string kept = cut_utf8(std::move(text), limits_.text_value, cut);
        if (cut) note("limit:text");
        return kept;
    }

    std::string words(std::string_view raw) {
        bool lossy = false;
        bool controls = false;
        std::string text = without_controls(decode_words(raw.substr(0, limits_.text_value * 4), lossy), controls);
        text = value(std::move(text));
        if (lossy) note("defect:charset");
        if (controls) note("defect:control-character");
        return text;
    }

    void read_date(std::string_view raw) {
        message_.sent_at = parse_mail_date(raw.substr(0, 256));
        if (!message_.sent_at) note("defect:date");
    }

    // What the library has read of a name holds where both found the same lines and only one has it. Counted once: a
    // mail may have 100,000 such lines.
    void keep_lone_people(const HeaderBlock& block) {
        const auto check = [&](const char* name, std::optional<std::vector<vault::Person>>& read) {
            const auto lines = std::count_if(block.lines.begin(), block.lines.end(),
                                             [&](const HeaderLine& line) { return iequals(line.name, name); });
            if (block.malformed || lines != 1) read.reset();
        };
        check("From", people_.from);
        check("To", people_.to);
        check("Cc", people_.cc);
        check("Bcc", people_.bcc);
        check("Reply-To", people_.reply_to);
    }

    // A long or folded line is read by itself.
    std::vector<vault::Person> people_of_line(std::string_view raw, std::size_t most,
                                              std::optional<std::vector<vault::Person>>& read) const {
        if (!read || raw.size() > limits_.text_value ||
            raw.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
            return parse_addresses(raw.substr(0, kMaxAddressHeader), most);
        if (read->size() > most) read->resize(most);
        return std::move(*read);
    }

    void read_sender(std::string_view raw) {
        if (has_from_) return note("defect:duplicate-header");
        has_from_ = true;
        const auto people = people_of_line(raw.substr(0, limits_.text_value), 2, people_.from);
        if (!people.empty()) message_.sender = people.front();
        if (people.size() > 1) note("several-authors");  // the header line has them all
    }

    void read_fallback_sender(const HeaderBlock& block) {
        note("no-author");
        for (const HeaderLine& line : block.lines) {
            if (!iequals(line.name, "Sender")) continue;
            const auto people = parse_addresses(line.value.substr(0, limits_.text_value), 1);
            if (!people.empty()) message_.sender = people.front();
            return;
        }
    }

    void add_recipients(Role role, std::string_view raw, std::optional<std::vector<vault::Person>>& read) {
        const std::size_t room = limits_.recipients - message_.recipients.size();
        auto people = people_of_line(raw, room + 1, read);
        if (people.size() > room || raw.size() > kMaxAddressHeader) note("limit:recipients");
        if (people.size() > room) people.resize(room);
        for (auto& person : people) message_.recipients.push_back({role, std::move(person)});
    }

    void read_parts(const HeaderBlock& block, MailParts split) {
        for (const std::string& text : split.notes) note(text);
        if (!split.parsed) note("defect:mime");
        const bool protects = std::any_of(split.parts.begin(), split.parts.end(), may_protect);
        for (MailPart& part : split.parts) {
            if (part.in_raw) part.in_raw->offset += block.begin;
            take(std::move(part));
        }
        if (protects) read_protection(raw_.subspan(block.begin));
        note_inline_pgp(message_.body, message_.notes);
        for (mapi::MapiMessage& tnef : tnefs_) add_tnef(tnef);
    }

    void take(MailPart part) {
        if (add_to_body(part)) return;
        if (is_tnef(part.content))
            if (auto tnef = parse_tnef(part.content)) tnefs_.push_back(std::move(*tnef));
        add_attachment(std::move(part));
    }

    // The walk through the parts' own headers costs time: only where something might come of it.
    static bool may_protect(const MailPart& part) {
        return part.media_type.find("pkcs7") != std::string::npos || part.media_type.find("pgp") != std::string::npos ||
               part.media_type.find("rpmsg") != std::string::npos || part.name.find(".p7") != std::string::npos;
    }

    // What an opaque signature wraps is read like parts of the mail; it stands nowhere in raw as it is.
    void read_protection(ByteView mail) {
        const Protection found = protection_of(mail, limits_);
        for (const std::string& text : found.notes) note(text);
        for (const Bytes& inside : found.inside) {
            MailParts split = split_parts(inside, limits_);
            for (const std::string& text : split.notes) note(text);
            for (MailPart& part : split.parts) {
                part.in_raw.reset();
                take(std::move(part));
            }
        }
    }

    // The mail's own text is kept where it has one: Outlook says the same in both.
    void add_tnef(mapi::MapiMessage& tnef) {
        note(tnef.damaged ? "tnef:damaged" : "tnef:unpacked");
        Message said;
        mapi::describe(tnef, limits_, said);
        if (message_.body.empty()) message_.body = std::move(said.body);
        if (message_.body_html.empty() && said.body_html.size() + message_.body.size() <= limits_.body)
            message_.body_html = std::move(said.body_html);
        mapi::add_attachments(tnef, limits_, true, message_);
    }

    bool add_to_body(const MailPart& part) {
        const bool plain = part.media_type == "text/plain", html = part.media_type == "text/html";
        if (!(plain || html) || part.disposition == Disposition::attachment || !part.name.empty()) return false;
        Decoded text = decode_charset(part.content, part.charset.empty() ? "us-ascii" : part.charset);
        if (text.utf8.size() + message_.body.size() + message_.body_html.size() > limits_.body) {
            note("limit:body");
            return false;
        }
        if (text.lossy) note("defect:charset");
        std::string& body = plain ? message_.body : message_.body_html;
        if (!body.empty() && body.back() != '\n') body += '\n';
        append_without_cr(body, text.utf8);
        return true;
    }

    static void append_without_cr(std::string& out, std::string_view text) {
        out.reserve(out.size() + text.size());
        for (std::size_t from = 0;;) {
            const std::size_t cr = text.find("\r\n", from);
            out.append(text.substr(from, cr == std::string_view::npos ? cr : cr - from));
            if (cr == std::string_view::npos) return;
            from = cr + 1;
        }
    }

    void add_attachment(MailPart part) {
        if (message_.attachments.size() >= limits_.attachments) return note("limit:attachments");
        Attachment attachment;
        attachment.name = std::move(part.name);
        attachment.media_type = std::move(part.media_type);
        // A text's charset belongs to its type; elsewhere it says nothing.
        if (attachment.media_type.rfind("text/", 0) == 0 && is_charset_name(part.charset))
            attachment.media_type += "; charset=" + lower_ascii(part.charset);
        attachment.size = part.content.size();
        attachment.content = std::move(part.content);
        attachment.in_raw = part.in_raw;
        message_.attachments.push_back(std::move(attachment));
    }

    ByteView raw_;
    const Limits& limits_;
    Message& message_;
    MailPeople people_;
    bool has_from_ = false;
    std::vector<mapi::MapiMessage> tnefs_;
};

}  // namespace

ParsedItem parse_mail(Bytes raw, const Limits& limits) {
    ParsedItem item;
    item.source_bytes = raw.size();
    if (raw.size() > limits.mail) return unreadable(std::move(raw), "eml", "too-large");
    item.message.kind = vault::MessageKind::mail;
    item.message.format = "eml";
    const bool blank =
        std::all_of(raw.begin(), raw.end(), [](std::uint8_t c) { return c == '\n' || c == '\r' || c == ' '; });
    if (blank) return unreadable(std::move(raw), "eml", "empty");
    if (!MailReader(raw, limits, item.message).read()) return unreadable(std::move(raw), "eml", "no-header");
    item.message.raw = std::move(raw);
    return item;
}

}  // namespace kustos::ingest
