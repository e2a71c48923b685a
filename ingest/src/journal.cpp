#include "ingest/src/journal.h"

#include <algorithm>

#include "base/text.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/mime_entity.h"

namespace kustos::ingest {

namespace {

using vault::Message;
using vault::Role;

constexpr std::size_t kMaxParts = 64;

// Exchange 2007 and later, Google Workspace, Exchange 2003 (which has misspelt its own header).
bool is_report(const HeaderBlock& block) {
    return std::any_of(block.lines.begin(), block.lines.end(), [](const HeaderLine& line) {
        if (iequals(line.name, "X-MS-Journal-Report")) return true;
        if (iequals(line.name, "X-WM-Journal-Report")) return true;
        return (iequals(line.name, "Content-Identifier") || iequals(line.name, "Content-Identifer")) &&
               iequals(trim(line.value), "exjournalreport");
    });
}

void note(Message& message, std::string text) {
    if (std::find(message.notes.begin(), message.notes.end(), text) == message.notes.end())
        message.notes.push_back(std::move(text));
}

struct ReportLine {
    std::string_view key, value;
};

// "Message-Id: <1@x>": letters and hyphens, then a colon.
std::optional<ReportLine> split_line(std::string_view line) {
    std::size_t at = 0;
    while (at < line.size() && at < 32 && (std::isalpha(static_cast<unsigned char>(line[at])) || line[at] == '-')) ++at;
    if (at == 0 || at >= line.size() || line[at] != ':') return std::nullopt;
    return ReportLine{line.substr(0, at), trim(line.substr(at + 1))};
}

class Report {
public:
    Report(const Limits& limits, bool as_envelope, Message& message)
        : limits_(limits), as_envelope_(as_envelope), message_(message) {}

    void read() {
        // The outer To is the journal's own mailbox: who got the mail is what the report says, and nothing else.
        if (as_envelope_) {
            message_.sender = {};
            message_.recipients.clear();
        }
        std::string_view text = message_.body;
        while (!text.empty()) {
            const std::size_t lf = text.find('\n');
            line(trim(text.substr(0, lf)));
            text.remove_prefix(lf == std::string_view::npos ? text.size() : lf + 1);
        }
        if (!any_) note(message_, "journal:no-report-text");
        if (!sender_) note(message_, "journal:no-sender");
        std::stable_sort(message_.recipients.begin(), message_.recipients.end(),
                         [](const auto& a, const auto& b) { return a.role < b.role; });
    }
    const std::string& message_id() const { return message_id_; }

private:
    void line(std::string_view text) {
        if (text.empty()) return;
        const auto split = split_line(text);
        // Exchange 2003 writes "Recipients:" and then one on each line.
        if (!split)
            return listing_ && text.find('@') != std::string_view::npos ? recipient(Role::envelope, text) : other();
        any_ = true;
        listing_ = false;
        const auto [key, value] = *split;
        if (iequals(key, "Sender")) {
            sender(value);
        } else if (iequals(key, "Subject")) {
            subject(value);
        } else if (iequals(key, "Message-ID")) {
            message_id_ = first_message_id(value);
        } else if (iequals(key, "To")) {
            recipient(Role::to, value);
        } else if (iequals(key, "Cc")) {
            recipient(Role::cc, value);
        } else if (iequals(key, "Bcc")) {
            recipient(Role::bcc, value);
        } else if (iequals(key, "Recipient") || iequals(key, "Recipients")) {
            listing_ = true;
            if (!value.empty()) recipient(Role::envelope, value);
        } else if (iequals(key, "On-Behalf-Of")) {
            noted("on-behalf-of:", address(value));
        } else if (iequals(key, "Label")) {
            noted("journal-label:", std::string(value));
        } else if (iequals(key, "SentUtc")) {
            noted("journal-sent-utc:", std::string(value));
        } else {
            other();
        }
    }

    void other() { note(message_, "journal:unknown-line"); }

    void noted(std::string_view word, std::string text) {
        bool cut = false;
        if (!text.empty()) note(message_, std::string(word) + cut_utf8(std::move(text), 1024, cut));
    }

    void sender(std::string_view value) {
        const auto people = parse_addresses(value.substr(0, limits_.text_value), 1);
        if (people.empty()) return;
        sender_ = true;
        if (as_envelope_) {
            message_.sender = people.front();
        } else {
            noted("envelope-sender:", people.front().address);
        }
    }

    void subject(std::string_view value) {
        bool found = false, lossy = false;
        if (as_envelope_)
            message_.subject = without_controls(decode_words(value.substr(0, limits_.text_value), lossy), found);
    }

    static std::string address(std::string_view value) {
        const auto people = parse_addresses(value.substr(0, 4096), 1);
        return people.empty() ? std::string() : people.front().address;
    }

    // "a@x.example, Expanded: list@x.example" or ", Forwarded: first@x.example"
    void recipient(Role role, std::string_view value) {
        if (message_.recipients.size() >= limits_.recipients) return note(message_, "limit:recipients");
        const std::size_t comma = value.find(',');
        const auto people = parse_addresses(value.substr(0, std::min(comma, limits_.text_value)), 1);
        if (people.empty()) return note(message_, "journal:unreadable-recipient");
        message_.recipients.push_back({as_envelope_ ? role : Role::envelope, people.front()});
        while (comma != std::string_view::npos && !value.empty()) {
            const std::size_t at = value.find(',');
            if (at == std::string_view::npos) break;
            value.remove_prefix(at + 1);
            const auto more = split_line(trim(value.substr(0, value.find(','))));
            if (!more) continue;
            const bool expanded = iequals(more->key, "Expanded"), forwarded = iequals(more->key, "Forwarded");
            if (expanded || forwarded)
                noted(expanded ? "expanded:" : "forwarded:", address(more->value) + " to " + people.front().address);
        }
    }

    const Limits& limits_;
    const bool as_envelope_;
    Message& message_;
    std::string message_id_;
    bool any_ = false, sender_ = false, listing_ = false;
};

}  // namespace

Enclosed find_enclosed(ByteView mail) {
    if (!is_report(split_header(as_text(mail)))) return {};
    const MimeEntity outer = entity_at(mail, 0, mail.size());
    Enclosed out{Enclosure::missing, 0, 0, true};
    for (const MimeEntity& part : parts_directly_in(mail, outer, kMaxParts)) {
        if (part.media_type != "message/rfc822" && part.media_type != "message/global") continue;
        if (!part.is_identity()) {
            out.state = Enclosure::encoded;
            continue;
        }
        if (part.end == part.body) continue;
        return {Enclosure::found, part.body, part.end - part.body, part.ended};
    }
    return out;
}

std::string message_id_of(ByteView mail) {
    for (const HeaderLine& line : split_header(as_text(mail)).lines)
        if (iequals(line.name, "Message-ID")) return first_message_id(line.value);
    return {};
}

void note_kept_whole(Enclosure state, const Limits& limits, Message& message, ItemSink& sink) {
    const char* word = state == Enclosure::missing   ? "journal:inner-missing"
                       : state == Enclosure::encoded ? "journal:inner-encoded"
                                                     : "journal:inner-not-split";
    note(message, word);
    sink.finding(word);
    Report(limits, false, message).read();
}

void make_envelope(const vault::ReportLayout& layout, const InnerMail& inner, const Limits& limits, ParsedItem& item) {
    Message& message = item.message;
    message.kind = vault::MessageKind::envelope;
    message.reply_to.clear();
    // The part that the mail was in is empty now.
    auto& list = message.attachments;
    list.erase(
        std::remove_if(list.begin(), list.end(),
                       [](const auto& a) { return a.content.empty() && a.media_type.rfind("message/", 0) == 0; }),
        list.end());
    message.notes.erase(std::remove(message.notes.begin(), message.notes.end(), "no-author"), message.notes.end());
    Report report(limits, true, message);
    report.read();
    message.target = inner.message_id.empty() ? report.message_id() : inner.message_id;
    message.thread = inner.sha256.hex();
    if (!inner.message_id.empty() && !report.message_id().empty() && inner.message_id != report.message_id())
        note(message, "journal:message-id-differs");
    if (!inner.readable) note(message, "journal:inner-unreadable");
    vault::note_layout(layout, message);
    item.update_type = layout.whole_sha256.hex();
}

}  // namespace kustos::ingest
