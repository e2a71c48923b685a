// The message stream: NDJSON, one event a line (docs/format/message-stream.md).
#include <simdjson.h>
#include <algorithm>

#include "base/crypto.h"
#include "base/text.h"
#include "ingest/format.h"
#include "ingest/src/beneath.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/spooler.h"
#include "ingest/src/unreadable.h"
#include "ingest/src/window.h"

namespace kustos::ingest {

namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;
using vault::Attachment;
using vault::Message;
using vault::Person;

constexpr std::size_t kMaxDepth = 32;

// A line that can't be used: the reason goes into "quarantine:<reason>".
struct Refused {
    std::string reason;
};
using Outcome = std::optional<Refused>;  // empty: fine

struct KindName {
    std::string_view name;
    vault::MessageKind kind;
};
constexpr KindName kKinds[] = {
    {"mail", vault::MessageKind::mail},         {"chat", vault::MessageKind::chat},
    {"file", vault::MessageKind::file},         {"call", vault::MessageKind::call},
    {"voice", vault::MessageKind::voice},       {"status", vault::MessageKind::status},
    {"edit", vault::MessageKind::edit},         {"delete", vault::MessageKind::deletion},
    {"reaction", vault::MessageKind::reaction}, {"join", vault::MessageKind::join},
    {"leave", vault::MessageKind::leave},
};

struct RoleName {
    std::string_view name;
    vault::Role role;
};
constexpr RoleName kRoles[] = {
    {"to", vault::Role::to},         {"cc", vault::Role::cc},
    {"bcc", vault::Role::bcc},       {"reply_to", vault::Role::reply_to},
    {"member", vault::Role::member}, {"envelope", vault::Role::envelope},
};

class EventReader {
public:
    EventReader(ByteView line, const Path& directory, StreamParts* parts, const ReadContext& context,
                Findings* findings, Message& message)
        : line_(line),
          directory_(directory),
          parts_(parts),
          limits_(context.limits),
          findings_(findings),
          message_(message),
          spooler_(context) {}

    Outcome read() {
        simdjson::dom::parser parser;
        if (parser.allocate(line_.size(), kMaxDepth) != simdjson::SUCCESS) return Refused{"too-large"};
        element root;
        const simdjson::error_code error =
            parser.parse(reinterpret_cast<const char*>(line_.data()), line_.size(), true).get(root);
        if (error == simdjson::DEPTH_ERROR) return Refused{"too-deep"};
        if (error != simdjson::SUCCESS) return Refused{"not-json"};
        object event;
        if (root.get(event) != simdjson::SUCCESS) return Refused{"not-an-object"};
        return read_event(event);
    }

private:
    enum Seen : unsigned { kId = 1, kKind = 2, kSentAt = 4, kSender = 8 };

    Outcome read_event(const object& event) {
        if (has_duplicate_keys(event)) return Refused{"duplicate-key"};
        for (const auto field : event)
            if (Outcome refused = read_field(field.key, field.value)) return refused;
        if (!(seen_ & kId)) return Refused{"missing-id"};
        if (!(seen_ & kKind)) return Refused{"missing-kind"};
        if (!(seen_ & kSentAt)) return Refused{"missing-sent-at"};
        if (!(seen_ & kSender)) return Refused{"missing-sender"};
        return std::nullopt;
    }

    // Readers disagree on which of two equal keys counts, so neither is believed.
    static bool has_duplicate_keys(const object& event) {
        std::vector<std::string_view> keys;
        for (const auto field : event) keys.push_back(field.key);
        std::sort(keys.begin(), keys.end());
        return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
    }

    Outcome read_field(std::string_view key, const element& value) {
        if (key == "id") return mark(kId, read_name(value, key, message_.native_id, true));
        if (key == "kind") return mark(kKind, read_kind(value));
        if (key == "sent_at") return mark(kSentAt, read_time(value));
        if (key == "sender") return mark(kSender, read_person(value, message_.sender, true));
        if (key == "conversation") return read_conversation(value);
        if (key == "recipients") return read_recipients(value);
        if (key == "subject") return read_name(value, key, message_.subject);
        if (key == "body") return read_body(value, message_.body, "text/plain");
        if (key == "body_html") return read_body(value, message_.body_html, "text/html");
        if (key == "previous_body") return read_body(value, message_.previous_body, "text/plain");
        if (key == "reply_to") return read_name(value, key, message_.reply_to);
        if (key == "thread") return read_name(value, key, message_.thread);
        if (key == "target") return read_name(value, key, message_.target);
        if (key == "attachments") return read_attachments(value);
        if (key == "feed") return read_feed(value);
        if (key == "source_original") return read_original(value);
        count("stream:unknown-key");
        return std::nullopt;
    }

    Outcome mark(Seen bit, Outcome outcome) {
        seen_ |= bit;
        return outcome;
    }

    void count(std::string_view code) {
        if (findings_) ++(*findings_)[std::string(code)];
    }
    void note(std::string_view text) {
        if (std::find(message_.notes.begin(), message_.notes.end(), text) == message_.notes.end())
            message_.notes.emplace_back(text);
    }
    static Refused wrong_type(std::string_view key) { return Refused{"bad-" + std::string(key)}; }

    // null counts as absent
    Outcome read_text(const element& value, std::string_view key, std::string_view& out) {
        if (value.is_null()) return std::nullopt;
        if (value.get(out) != simdjson::SUCCESS) return wrong_type(key);
        return std::nullopt;
    }

    Outcome read_name(const element& value, std::string_view key, std::string& out, bool required = false) {
        std::string_view text;
        if (Outcome refused = read_text(value, key, text)) return refused;
        if (required && text.empty()) return wrong_type(key);
        if (text.size() > limits_.text_value) return Refused{"limit-" + std::string(key)};
        out = std::string(text);
        return std::nullopt;
    }

    Outcome read_kind(const element& value) {
        std::string_view name;
        if (Outcome refused = read_text(value, "kind", name)) return refused;
        for (const KindName& known : kKinds)
            if (known.name == name) {
                message_.kind = known.kind;
                return std::nullopt;
            }
        return Refused{"unknown-kind"};
    }

    Outcome read_time(const element& value) {
        std::string_view text;
        if (Outcome refused = read_text(value, "sent_at", text)) return refused;
        const auto time = parse_rfc3339(text);
        if (!time) return Refused{"bad-sent-at"};
        message_.sent_at = *time;
        return std::nullopt;
    }

    Outcome read_person(const element& value, Person& person, bool id_required, vault::Role* role = nullptr) {
        object fields;
        if (value.get(fields) != simdjson::SUCCESS) return wrong_type("person");
        for (const auto field : fields) {
            Outcome refused;
            if (field.key == "id") {
                refused = read_name(field.value, "person-id", person.id);
            } else if (field.key == "name") {
                refused = read_name(field.value, "person-name", person.name);
            } else if (field.key == "address") {
                refused = read_name(field.value, "person-address", person.address);
            } else if (field.key == "home") {
                refused = read_name(field.value, "person-home", person.home);
            } else if (field.key == "guest") {
                if (field.value.get(person.guest) != simdjson::SUCCESS) refused = wrong_type("guest");
            } else if (field.key == "role" && role) {
                refused = read_role(field.value, *role);
            } else {
                count("stream:unknown-key");
            }
            if (refused) return refused;
        }
        if (id_required && person.id.empty()) return Refused{"missing-sender-id"};
        return std::nullopt;
    }

    Outcome read_role(const element& value, vault::Role& role) {
        std::string_view name;
        if (Outcome refused = read_text(value, "role", name)) return refused;
        for (const RoleName& known : kRoles)
            if (known.name == name) {
                role = known.role;
                return std::nullopt;
            }
        return wrong_type("role");
    }

    Outcome read_conversation(const element& value) {
        if (value.is_null()) return std::nullopt;
        object fields;
        if (value.get(fields) != simdjson::SUCCESS) return wrong_type("conversation");
        for (const auto field : fields) {
            Outcome refused;
            if (field.key == "id") {
                refused = read_name(field.value, "conversation-id", message_.conversation.id);
            } else if (field.key == "title") {
                refused = read_name(field.value, "conversation-title", message_.conversation.title);
            } else if (field.key == "type") {
                refused = read_conversation_type(field.value);
            } else {
                count("stream:unknown-key");
            }
            if (refused) return refused;
        }
        return std::nullopt;
    }

    Outcome read_conversation_type(const element& value) {
        std::string_view name;
        if (Outcome refused = read_text(value, "conversation-type", name)) return refused;
        auto& type = message_.conversation.type;
        if (name == "direct")
            type = vault::ConversationType::direct;
        else if (name == "group")
            type = vault::ConversationType::group;
        else if (name == "channel")
            type = vault::ConversationType::channel;
        else if (!name.empty())
            note("unknown-conversation-type");
        return std::nullopt;
    }

    Outcome read_recipients(const element& value) {
        if (value.is_null()) return std::nullopt;
        array people;
        if (value.get(people) != simdjson::SUCCESS) return wrong_type("recipients");
        for (const element& one : people) {
            if (message_.recipients.size() >= limits_.recipients) {
                note("limit:recipients");
                count("stream:limit-recipients");
                return std::nullopt;
            }
            vault::Recipient recipient;
            if (Outcome refused = read_person(one, recipient.person, false, &recipient.role)) return refused;
            message_.recipients.push_back(std::move(recipient));
        }
        return std::nullopt;
    }

    // A text above the limit becomes an attachment, so that it stays searchable.
    Outcome read_body(const element& value, std::string& out, std::string_view media_type) {
        std::string_view text;
        if (Outcome refused = read_text(value, "body", text)) return refused;
        body_bytes_ += text.size();
        if (body_bytes_ <= limits_.body) {
            out = std::string(text);
            return std::nullopt;
        }
        body_bytes_ -= text.size();
        note("limit:body");
        Attachment attachment;
        attachment.media_type = std::string(media_type);
        attachment.content = to_bytes(text);
        attachment.size = attachment.content.size();
        message_.attachments.push_back(std::move(attachment));
        return std::nullopt;
    }

    Outcome read_attachments(const element& value) {
        if (value.is_null()) return std::nullopt;
        array all;
        if (value.get(all) != simdjson::SUCCESS) return wrong_type("attachments");
        for (const element& one : all) {
            if (message_.attachments.size() >= limits_.attachments) return Refused{"limit-attachments"};
            Attachment attachment;
            if (Outcome refused = read_attachment(one, attachment)) return refused;
            message_.attachments.push_back(std::move(attachment));
        }
        return std::nullopt;
    }

    Outcome read_attachment(const element& value, Attachment& out) {
        object fields;
        if (value.get(fields) != simdjson::SUCCESS) return wrong_type("attachment");
        std::string_view inline_content, path, part;
        bool has_content = false, has_path = false, has_part = false;
        for (const auto field : fields) {
            Outcome refused;
            std::string_view text;
            if (field.key == "name") {
                refused = read_name(field.value, "attachment-name", out.name);
            } else if (field.key == "type") {
                refused = read_name(field.value, "attachment-type", out.media_type);
            } else if (field.key == "size") {
                std::uint64_t size = 0;
                if (field.value.get(size) != simdjson::SUCCESS) refused = wrong_type("attachment-size");
                out.declared_size = size;
            } else if (field.key == "sha256") {
                refused = read_text(field.value, "attachment-sha256", text);
                const auto hash = Hash::parse(text);
                if (!refused && !hash) refused = wrong_type("attachment-sha256");
                if (hash) out.declared_sha256 = *hash;
            } else if (field.key == "content_base64") {
                refused = read_text(field.value, "attachment-content", inline_content);
                has_content = !field.value.is_null();
            } else if (field.key == "path") {
                refused = read_text(field.value, "attachment-path", path);
                has_path = !field.value.is_null();
            } else if (field.key == "part") {
                refused = read_text(field.value, "attachment-part", part);
                has_part = !field.value.is_null();
            } else {
                count("stream:unknown-key");
            }
            if (refused) return refused;
        }
        if (has_content + has_path + has_part > 1) return Refused{"attachment-twice"};
        tidy_name(out);
        out.media_type = out.media_type.empty() ? "application/octet-stream" : lower_ascii(out.media_type);
        if (has_content) {
            if (Outcome refused = take_inline(inline_content, out)) return refused;
        } else if (has_part) {
            take_part(part, out);
        } else {
            take_file(path, has_path, out);
        }
        check_declared(out);
        return std::nullopt;
    }

    void tidy_name(Attachment& out) {
        const std::size_t slash = out.name.find_last_of("/\\");
        if (slash == std::string::npos) return;
        note("suspicious:path-name");
        out.name.erase(0, slash + 1);
    }

    Outcome take_inline(std::string_view encoded, Attachment& out) {
        if (encoded.size() / 4 * 3 > limits_.attachment + 3) return Refused{"limit-attachment"};
        auto content = parse_base64(encoded);
        if (!content) return Refused{"bad-base64"};
        out.content = std::move(*content);
        out.size = out.content.size();
        const std::size_t at = encoded.empty() ? std::string_view::npos : as_text(line_).find(encoded, search_from_);
        if (at != std::string_view::npos) {
            out.in_raw = vault::RawSpan{at, encoded.size(), vault::RawEncoding::base64};
            search_from_ = at + encoded.size();
        }
        return std::nullopt;
    }

    void take_file(std::string_view path, bool named, Attachment& out) {
        out.missing = true;
        if (!named) return count("stream:attachment-missing");
        if (directory_.empty()) return miss(out, "attachment-path-not-allowed");
        const Status taken = take_named(path, out);
        if (taken.ok()) {
            out.missing = false;
            return;
        }
        const Code code = taken.error().code();
        miss(out, code == Code::limit       ? "attachment-too-large"
                  : code == Code::bad_input ? "attachment-path-refused"
                                            : "attachment-missing");
    }

    void miss(Attachment& out, const char* reason) {
        out.missing = true;
        note(reason);
        count("stream:" + std::string(reason));
    }

    void take_part(std::string_view name, Attachment& out) {
        if (parts_ == nullptr) return miss(out, "attachment-part-not-allowed");
        const auto found = parts_->contents.find(name);
        if (found == parts_->contents.end()) return miss(out, "attachment-missing");
        parts_->named.emplace(name);
        out.content = found->second;
        out.size = out.content.size();
    }

    Status take_named(std::string_view path, Attachment& out) {
        const NamedFile file = TRY(open_beneath(directory_, path));
        if (file.size() > spooler_.most()) return Error(Code::limit, "named file is too large");
        return spooler_.take(out, file.size(), [&file](const ByteSink& sink) { return file.read_all(sink); });
    }

    void check_declared(const Attachment& attachment) {
        if (attachment.missing) return;
        if (attachment.declared_size && *attachment.declared_size != attachment.content_size()) mismatch("size");
        if (!attachment.declared_sha256) return;
        const Hash sum = attachment.spool ? attachment.spool.sha256 : sha256(attachment.content);
        if (*attachment.declared_sha256 != sum) mismatch("sha256");
    }

    void mismatch(std::string_view what) {
        note("attachment-mismatch:" + std::string(what));
        count("stream:attachment-mismatch");
    }

    Outcome read_feed(const element& value) {
        if (value.is_null()) return std::nullopt;
        object fields;
        if (value.get(fields) != simdjson::SUCCESS) return wrong_type("feed");
        std::optional<std::uint64_t> sequence;
        for (const auto field : fields) {
            if (field.key == "position") {
                if (Outcome refused = read_name(field.value, "feed-position", message_.feed_position)) return refused;
            } else if (field.key == "sequence") {
                std::uint64_t number = 0;
                if (field.value.get(number) != simdjson::SUCCESS) return wrong_type("feed-sequence");
                sequence = number;
            } else {
                count("stream:unknown-key");
            }
        }
        if (message_.feed_position.empty() && sequence) message_.feed_position = std::to_string(*sequence);
        return std::nullopt;
    }

    Outcome read_original(const element& value) {
        std::string_view text;
        if (Outcome refused = read_text(value, "source-original", text)) return refused;
        if (value.is_null()) return std::nullopt;
        auto original = parse_base64(text);
        if (!original) return Refused{"bad-source-original"};
        message_.raw = std::move(*original);
        for (Attachment& attachment : message_.attachments) attachment.in_raw.reset();
        has_original_ = true;
        return std::nullopt;
    }

public:
    bool has_original() const { return has_original_; }
    Status finish() { return spooler_.finish(); }

private:
    ByteView line_;
    const Path& directory_;
    StreamParts* parts_;
    const Limits& limits_;
    Findings* findings_;
    Message& message_;
    unsigned seen_ = 0;
    std::size_t search_from_ = 0;
    std::size_t body_bytes_ = 0;
    bool has_original_ = false;
    Spooler spooler_;
};

// The rest of a line that is longer than the limit, in pieces.
Status quarantine_long_line(Window& window, const ReadContext& context, ItemSink& sink) {
    for (std::size_t number = 1;; ++number) {
        TRY(window.want(context.limits.quarantine_piece));
        const std::string_view text = window.text().substr(0, context.limits.quarantine_piece);
        const std::size_t lf = text.find('\n');
        const std::size_t size = lf == std::string_view::npos ? text.size() : lf + 1;
        if (size == 0) return ok_status();
        ParsedItem item = unreadable(window.take(size), "stream", "line-too-long");
        item.message.notes.push_back("piece:" + std::to_string(number));
        TRY(sink.item(std::move(item)));
        if (lf != std::string_view::npos) return ok_status();
    }
}

// Errors: of the spool's disk.
Result<ParsedItem> parse_line(ByteView line, const Path& directory, const ReadContext& context, Findings* findings,
                              StreamParts* parts = nullptr) {
    if (line.size() > context.limits.line) return unreadable(to_bytes(line), "stream", "line-too-long");
    ParsedItem item;
    item.source_bytes = line.size();
    item.message.format = "stream";
    EventReader reader(line, directory, parts, context, findings, item.message);
    const Outcome refused = reader.read();
    TRY(reader.finish());
    if (refused) return unreadable(to_bytes(line), "stream", refused->reason);
    if (reader.has_original()) {
        for (auto& attachment : item.message.attachments) attachment.in_raw.reset();
    } else {
        item.message.raw = to_bytes(line);
    }
    return item;
}

}  // namespace

ParsedItem parse_stream_line(ByteView line, const Path& directory, const Limits& limits, Findings* findings,
                             StreamParts* parts) {
    ReadContext context;
    context.limits = limits;
    auto item = parse_line(line, directory, context, findings, parts);
    CHECK(item.ok());  // nothing is spooled
    return std::move(*item);
}

Status read_stream(ByteSource& source, const Path& directory, const ReadContext& context, ItemSink& sink) {
    Window window(source);
    TRY(window.want(3));
    if (window.text().substr(0, 3) == "\xEF\xBB\xBF") window.consume(3);
    Findings findings;
    const auto report = [&] {
        for (const auto& [code, count] : findings) sink.finding(code, count);
        findings.clear();
    };
    for (;;) {
        const FoundLine line = TRY(find_line(window, 0, context.limits.line));
        if (line.too_long) {
            TRY(quarantine_long_line(window, context, sink));
            continue;
        }
        if (!line.found) break;
        if (!trim(window.text().substr(0, line.length)).empty()) {
            ParsedItem item =
                TRY(parse_line(as_bytes(window.text().substr(0, line.length)), directory, context, &findings));
            item.source_bytes = line.consumed;
            report();
            TRY(sink.item(std::move(item)));
        }
        window.consume(line.consumed);
    }
    return ok_status();
}

}  // namespace kustos::ingest
