#include "ingest/src/chat_out.h"

#include "base/crypto.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/mail_header.h"

namespace kustos::ingest {

std::string ChatOut::clipped(std::string_view text) const {
    return clip(text, context_.limits);
}

ParsedItem ChatOut::start(vault::MessageKind kind, std::string_view native_id, const vault::Conversation& where) const {
    ParsedItem item;
    item.message.kind = kind;
    item.message.format = format_;
    item.message.native_id = clipped(native_id);
    item.message.conversation = where;
    return item;
}

void ChatOut::file(const Named& named, std::initializer_list<std::string> paths, vault::Message& message) {
    if (message.attachments.size() >= limits().attachments) return add_note(message, "limit:attachments");
    vault::Attachment file = named_file(named.name, limits());
    if (!named.type.empty()) file.media_type = lower_ascii(clipped(named.type));
    if (named.size && *named.size >= 0) file.declared_size = static_cast<std::uint64_t>(*named.size);
    for (const std::string& path : paths)
        if (file.missing && files_.attach && !path.empty()) files_.attach(path, file);
    if (file.missing) finding("attachment-missing");
    message.attachments.push_back(std::move(file));
}

void ChatOut::time(std::optional<UtcTime> time, vault::Message& message) {
    message.sent_at = time;
    if (time) return;
    add_note(message, "sent-time-missing");
    finding("bad-time");
}

Status ChatOut::give(ParsedItem item, Bytes raw) {
    item.source_bytes = raw.size();
    item.message.raw = std::move(raw);
    if (files_.ready) TRY(files_.ready());
    return sink_.item(std::move(item));
}

Status ChatOut::refuse(std::string_view raw, std::string_view reason) {
    return quarantine(to_bytes(raw), format_, reason, limits(), sink_);
}

void ChatOut::finding(std::string_view what, std::uint64_t count) {
    sink_.finding(std::string(format_) + ":" + std::string(what), count);
}

std::string version_of(std::string_view text) {
    constexpr std::size_t kDigits = 16;
    return sha256(as_bytes(text)).hex().substr(0, kDigits);
}

}  // namespace kustos::ingest
