// Telegram Desktop's result.json: of an account or of one chat (docs/format/telegram.md).
#include "base/text.h"
#include "ingest/src/all_formats.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/json_nested.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/telegram_message.h"
#include "ingest/src/unreadable.h"

namespace kustos::ingest {

namespace {

constexpr std::string_view kName = "telegram";
constexpr std::string_view kFile = "result.json";

bool is_result(std::string_view text) {
    if (text.empty() || text.front() != '{') return false;
    const auto has = [text](std::string_view word) { return text.find(word) != std::string_view::npos; };
    if (has("\"personal_information\"") && (has("\"chats\"") || has("\"contacts\"") || has("\"profile_pictures\"")))
        return true;
    return has("\"messages\"") && (has("\"date_unixtime\"") || has("\"text_entities\""));
}

// People and groups count apart: their numbers may be the same. from_id has the same words.
vault::Conversation conversation(const JsonValue& head, const ChatOut& out) {
    vault::Conversation where;
    const std::string_view type = head.text("type");
    const bool channel = type.find("channel") != std::string_view::npos;
    const bool supergroup = type.find("supergroup") != std::string_view::npos;
    const bool group = type.find("group") != std::string_view::npos;
    const std::string_view word = channel || supergroup ? "channel" : group ? "chat" : "user";
    if (const auto id = head.integer("id")) where.id = std::string(word) + std::to_string(*id);
    where.title = out.clipped(head.text("name"));
    if (where.title.empty()) where.title = out.clipped(type);
    where.type = channel         ? vault::ConversationType::channel
                 : group         ? vault::ConversationType::group
                 : !type.empty() ? vault::ConversationType::direct
                                 : vault::ConversationType::unknown;
    return where;
}

class TelegramReader {
public:
    TelegramReader(const ExportFiles& files, const ReadContext& context, ItemSink& sink)
        : context_(context), sink_(sink), out_(kName, files, context, sink) {}

    Status read(ByteSource& source) {
        using Is = JsonNestedEvent::Is;
        JsonNested feed(source, "messages", std::min(context_.limits.line, context_.limits.quarantine_piece));
        JsonNestedEvent event;
        std::size_t pieces = 0;
        while (TRY(feed.next(event))) {
            if (event.is != Is::piece) pieces = 0;
            switch (event.is) {
                case Is::opened:
                    open(event.text);
                    break;
                case Is::element:
                    TRY(message(std::move(event.bytes)));
                    break;
                case Is::frame:
                    TRY(frame(std::move(event.bytes)));
                    break;
                case Is::piece:
                case Is::truncated:
                    ParsedItem item =
                        unreadable(std::move(event.bytes), kName, event.is == Is::piece ? "too-large" : "truncated");
                    if (event.is == Is::piece) item.message.notes.push_back("piece:" + std::to_string(++pieces));
                    TRY(sink_.item(std::move(item)));
                    break;
            }
        }
        return ok_status();
    }

private:
    void open(std::string_view head) {
        where_ = {};
        if (parser_.parse(as_bytes(head)).empty()) where_ = conversation(parser_.root(), out_);
        if (where_.id.empty()) out_.finding("unknown-conversation");
    }

    Status message(Bytes json) {
        std::string_view reason = parser_.parse(json);
        const JsonValue root = parser_.root();
        if (reason.empty() && !root.is_object()) reason = "not-an-object";
        if (reason.empty() && !root["id"].there() && !root["date"].there()) reason = "no-message";
        if (!reason.empty()) return out_.refuse(as_text(json), reason);
        return TelegramMessage(as_text(json), root, where_, out_).read();
    }

    // Contacts, sessions, the names of chats.
    Status frame(Bytes bytes) {
        if (trim(as_text(bytes)).empty()) return ok_status();
        return seal_frame(std::move(bytes), kName, context_.limits, sink_);
    }

    const ReadContext& context_;
    ItemSink& sink_;
    ChatOut out_;
    JsonParser parser_;
    vault::Conversation where_;
};

Certainty looks(const Sample& sample) {
    if (sample.is_folder() || sample.is_zip())
        return sample.has(kFile) && is_result(trim(sample.member_starting(kFile))) ? Certainty::sure : Certainty::no;
    return !sample.binary() && is_result(sample.text()) ? Certainty::sure : Certainty::no;
}

Status read_path(const Input& input) {
    const Sample sample = TRY(Sample::of(input.path, input.context));
    if (!sample.is_zip() && !sample.is_folder()) {
        const auto source = TRY(file_source(input.path));
        return read_telegram(*source, {}, input.context, input.sink);
    }
    return read_container(input, kName, [&](ContainerReader& reader) -> Result<bool> {
        if (sample.is_folder()) {
            if (!reader.container().find(kFile)) return false;
            reader.mark_taken(kFile);
            const auto source = TRY(file_source(input.path / kFile));
            TRY(read_telegram(*source, files_of(reader), input.context, input.sink));
            return true;
        }
        const auto json = reader.take(kFile, input.context.limits.csv);
        if (!json) return false;
        const auto source = memory_source(*json);
        TRY(read_telegram(*source, files_of(reader), input.context, input.sink));
        return true;
    });
}

}  // namespace

Status read_telegram(ByteSource& source, const ExportFiles& files, const ReadContext& context, ItemSink& sink) {
    return TelegramReader(files, context, sink).read(source);
}

const Format kTelegramFormat = {{kName,
                                 "Telegram Desktop export (result.json)",
                                 {.level = EvidentialLevel::medium,
                                  .ids = Carries::yes,
                                  .edits = Carries::partly,  // that and when, not the text before
                                  .deletions = Carries::no,
                                  .time_zone = Carries::yes,
                                  .membership = Carries::partly,
                                  .attachments = Carries::partly}},
                                looks,
                                read_path,
                                true};

}  // namespace kustos::ingest
