// What signal-cli writes as it receives: JSON lines (docs/format/signal.md).
#include "base/text.h"
#include "ingest/src/all_formats.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/chat_out.h"
#include "ingest/src/json_feed.h"

namespace kustos::ingest {

namespace {

using vault::Message;
using vault::MessageKind;
constexpr std::string_view kName = "signal-cli";

class SignalReader {
public:
    explicit SignalReader(ChatOut& out) : out_(out) {}

    Status read(std::string_view json) {
        std::string_view reason = parser_.parse(as_bytes(json));
        JsonValue root = parser_.root();
        if (root["params"].is_object()) root = root["params"];  // JSON-RPC
        const JsonValue envelope = root["envelope"];
        if (reason.empty() && !envelope.is_object()) reason = "no-message";
        if (!reason.empty()) return out_.refuse(json, reason);
        account_ = root.text("account");
        return read_envelope(envelope, json);
    }

private:
    // signal-cli names a person by number, and by service id where it knows none: so do its targets.
    static std::string_view author_of(const JsonValue& envelope) {
        for (const std::string_view key : {"source", "sourceNumber", "sourceUuid"})
            if (const std::string_view id = envelope.text(key); !id.empty()) return id;
        return {};
    }

    vault::Person sender_of(const JsonValue& envelope) const {
        vault::Person out;
        const std::string_view uuid = envelope.text("sourceUuid");
        out.id = out_.clipped(uuid.empty() ? author_of(envelope) : uuid);
        out.name = out_.clipped(envelope.text("sourceName"));
        out.address = out_.clipped(envelope.text("sourceNumber"));
        return out;
    }

    static std::string id_of(std::string_view author, const std::optional<std::int64_t>& timestamp) {
        return author.empty() || !timestamp ? std::string() : std::string(author) + "/" + std::to_string(*timestamp);
    }

    vault::Conversation place_of(const JsonValue& data, std::string_view other) const {
        vault::Conversation where;
        const JsonValue group = data["groupInfo"].is_object() ? data["groupInfo"] : data["groupV2"];
        where.id = out_.clipped(group.text("groupId").empty() ? group.text("id") : group.text("groupId"));
        where.title = out_.clipped(group.text("groupName"));
        where.type = vault::ConversationType::group;
        if (!where.id.empty()) return where;
        where.id = out_.clipped(other);
        where.type = vault::ConversationType::direct;
        return where;
    }

    Status read_envelope(const JsonValue& envelope, std::string_view json) {
        const std::string_view author = author_of(envelope);
        const JsonValue sync = envelope["syncMessage"], sent = sync["sentMessage"];
        if (sent.is_object()) {
            // What this account has sent from another device.
            std::string_view to = sent.text("destination");
            if (to.empty()) to = sent.text("destinationUuid");
            return read_content(sent, sent, envelope, to, json);
        }
        if (envelope["dataMessage"].is_object() || envelope["editMessage"].is_object())
            return read_content(envelope["dataMessage"], envelope, envelope, author, json);
        return read_other(envelope, author, json);
    }

    // edits: what may hold an editMessage.
    Status read_content(const JsonValue& plain, const JsonValue& edits, const JsonValue& envelope,
                        std::string_view other, std::string_view json) {
        const JsonValue edit = edits["editMessage"];
        const JsonValue data = edit.is_object() ? edit["dataMessage"] : plain;
        const std::string_view author = author_of(envelope);
        auto timestamp = data.integer("timestamp");
        if (!timestamp) timestamp = envelope.integer("timestamp");
        ParsedItem item = out_.start(MessageKind::chat, id_of(author, timestamp), place_of(data, other));
        Message& m = item.message;
        if (m.native_id.empty()) item.update_type = version_of(json);
        out_.time(timestamp ? epoch_ms(*timestamp) : std::nullopt, m);
        m.sender = sender_of(envelope);
        if (m.conversation.type == vault::ConversationType::direct) {
            vault::Person to;
            to.id = to.address = out_.clipped(other == author ? account_ : other);
            if (!to.empty()) m.recipients.push_back({vault::Role::to, to});
        }
        const JsonValue reaction = data["reaction"], gone = data["remoteDelete"];
        if (edit.is_object()) {
            m.kind = MessageKind::edit;
            m.target = out_.clipped(id_of(author, edit.integer("targetSentTimestamp")));
        } else if (gone.is_object()) {
            m.kind = MessageKind::deletion;
            m.target = out_.clipped(id_of(author, gone.integer("timestamp")));
        } else if (reaction.is_object()) {
            put_reaction(reaction, m);
        }
        if (!reaction.is_object()) put_body(data.text("message"), out_.limits(), m);
        put_rest(data, m);
        return out_.give(std::move(item), to_bytes(json));
    }

    void put_reaction(const JsonValue& reaction, Message& m) const {
        std::string_view whose = reaction.text("targetAuthor");
        if (whose.empty()) whose = reaction.text("targetAuthorUuid");
        m.target = out_.clipped(id_of(whose, reaction.integer("targetSentTimestamp")));
        put_body(reaction.text("emoji"), out_.limits(), m);
        // One that was taken back.
        m.kind = reaction.truth("isRemove") ? MessageKind::deletion : MessageKind::reaction;
        if (m.kind == MessageKind::deletion) m.notes.push_back("reaction-removed");
    }

    void put_rest(const JsonValue& data, Message& m) {
        if (const JsonValue quote = data["quote"]; quote.is_object()) {
            std::string_view whose = quote.text("author");
            if (whose.empty()) whose = quote.text("authorUuid");
            m.reply_to = out_.clipped(id_of(whose, quote.integer("id")));
        }
        for (const JsonValue& file : data["attachments"].items()) {
            const std::string_view id = file.text("id"), name = file.text("filename");
            if (file.text("contentType").substr(0, 6) == "audio/" && name.empty()) m.kind = MessageKind::voice;
            out_.file({name.empty() ? id : name, file.text("contentType"), file.integer("size")},
                      {"attachments/" + std::string(id)}, m);
        }
        if (data["sticker"].is_object()) add_note(m, "sticker");
        if (data.truth("viewOnce")) add_note(m, "view-once");
        if (const auto expires = data.integer("expiresInSeconds"); expires && *expires > 0) add_note(m, "expires");
    }

    // Calls, receipts, typing, and what later versions have.
    Status read_other(const JsonValue& envelope, std::string_view author, std::string_view json) {
        const auto timestamp = envelope.integer("timestamp");
        ParsedItem item = out_.start(MessageKind::status, id_of(author, timestamp), place_of(envelope, author));
        Message& m = item.message;
        // A receipt has the time of what it is about: many events may share it.
        item.update_type = version_of(json);
        out_.time(timestamp ? epoch_ms(*timestamp) : std::nullopt, m);
        m.sender = sender_of(envelope);
        if (envelope["receiptMessage"].is_object()) {
            m.notes.push_back("event:read-receipt");
        } else if (envelope["typingMessage"].is_object()) {
            m.notes.push_back("event:typing");
        } else if (const JsonValue call = envelope["callMessage"]; call.is_object()) {
            m.kind = MessageKind::call;
            for (const std::string_view step : {"offerMessage", "answerMessage", "busyMessage", "hangupMessage"})
                if (call[step].is_object()) m.notes.push_back("call:" + std::string(step));
        } else {
            m.notes.push_back("event:other");
        }
        return out_.give(std::move(item), to_bytes(json));
    }

    ChatOut& out_;
    JsonParser parser_;
    std::string account_;
};

Certainty looks(const Sample& sample) {
    if (sample.is_folder() || sample.is_zip() || sample.binary()) return Certainty::no;
    const std::string_view text = sample.text();
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.empty() || line.front() != '{') return Certainty::no;
    for (const std::string_view word : {"\"envelope\"", "\"timestamp\"", "\"source"})
        if (line.find(word) == std::string_view::npos) return Certainty::no;
    return Certainty::sure;
}

Status read_path(const Input& input) {
    const auto source = TRY(file_source(input.path));
    return read_signal_cli(*source, input.context, input.sink);
}

}  // namespace

Status read_signal_cli(ByteSource& source, const ReadContext& context, ItemSink& sink) {
    const ExportFiles files;
    ChatOut out(kName, files, context, sink);
    SignalReader reader(out);
    return read_json_feed(source, {}, kName, context, sink, [&](Bytes json) { return reader.read(as_text(json)); });
}

const Format kSignalCliFormat = {{kName,
                                  "signal-cli (JSON lines)",
                                  {.level = EvidentialLevel::high,
                                   .ids = Carries::yes,
                                   .edits = Carries::yes,
                                   .deletions = Carries::yes,
                                   .time_zone = Carries::yes,
                                   .membership = Carries::no,
                                   .attachments = Carries::no}},
                                 looks,
                                 read_path};

}  // namespace kustos::ingest
