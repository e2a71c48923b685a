#include <algorithm>

#include "vault/payload.h"

namespace kustos::vault {

std::string_view kind_name(MessageKind kind) {
    switch (kind) {
        case MessageKind::mail:
            return "mail";
        case MessageKind::chat:
            return "chat";
        case MessageKind::file:
            return "file";
        case MessageKind::call:
            return "call";
        case MessageKind::voice:
            return "voice";
        case MessageKind::status:
            return "status";
        case MessageKind::edit:
            return "edit";
        case MessageKind::deletion:
            return "delete";
        case MessageKind::reaction:
            return "reaction";
        case MessageKind::join:
            return "join";
        case MessageKind::leave:
            return "leave";
        case MessageKind::unreadable:
            return "unreadable";
        case MessageKind::notice:
            return "notice";
        case MessageKind::envelope:
            return "envelope";
        case MessageKind::person:
            return "person";
    }
    return "unknown";
}

std::optional<MessageKind> parse_kind(std::string_view name) {
    for (int k = 1; k <= 15; ++k) {
        if (kind_name(static_cast<MessageKind>(k)) == name) return static_cast<MessageKind>(k);
    }
    return std::nullopt;
}

namespace {

Result<std::string> take_string(ByteReader& in) {
    const std::uint32_t n = TRY(in.u32());
    return to_text(TRY(in.take(n)));
}

Result<Recipient> take_person(ByteReader& in) {
    Recipient r;
    r.role = static_cast<Role>(TRY(in.u8()));
    r.person.id = TRY(take_string(in));
    r.person.name = TRY(take_string(in));
    r.person.address = TRY(take_string(in));
    r.person.home = TRY(take_string(in));
    r.person.guest = TRY(in.u8()) != 0;
    return r;
}

Result<std::uint64_t> number_of(ByteView v) {
    if (v.size() != 8) return Error(Code::corrupt, "payload: a number has not 8 bytes");
    return load_u64(v.data());
}

void split_nul(std::string_view joined, std::vector<std::string>& out) {
    std::size_t begin = 0;
    while (true) {
        const std::size_t end = joined.find('\0', begin);
        out.emplace_back(joined.substr(begin, end == std::string_view::npos ? joined.npos : end - begin));
        if (end == std::string_view::npos) return;
        begin = end + 1;
    }
}

Attachment& attachment_at(Message& m, std::size_t number) {
    if (m.attachments.size() <= number) m.attachments.resize(number + 1);
    return m.attachments[number];
}

Status take_overflow(Message& m, ByteView packed) {
    ByteReader in(packed);
    while (!in.at_end()) {
        Attachment a;
        a.name = TRY(take_string(in));
        a.media_type = TRY(take_string(in));
        a.missing = TRY(in.u8()) != 0;
        a.size = TRY(in.u64());
        a.sha256 = TRY(Hash::from(TRY(in.take(32))));
        m.attachments.push_back(std::move(a));
    }
    return {};
}

}  // namespace

Result<Message> decompose(const OpenedPayload& opened) {
    const Payload& p = opened.payload;
    Message m;
    for (const FieldRow& r : p.rows) {
        const ByteView v = p.field(r);
        switch (r.path) {
            case PathCode::type:
                m.kind = static_cast<MessageKind>(TRY(number_of(v)));
                break;
            case PathCode::message_id:
                m.native_id = to_text(v);
                break;
            case PathCode::sent_time:
                m.sent_at = UtcTime{static_cast<std::int64_t>(TRY(number_of(v)))};
                break;
            case PathCode::received_time:
                m.received_at = UtcTime{static_cast<std::int64_t>(TRY(number_of(v)))};
                break;
            case PathCode::sender: {
                ByteReader in(v);
                m.sender = TRY(take_person(in)).person;
                break;
            }
            case PathCode::recipient: {
                ByteReader in(v);
                while (!in.at_end()) m.recipients.push_back(TRY(take_person(in)));
                break;
            }
            case PathCode::subject:
                m.subject = to_text(v);
                break;
            case PathCode::header:
                split_nul(as_text(v), m.headers);
                break;
            case PathCode::body_span:
                m.body += as_text(v);
                break;
            case PathCode::html_span:
                m.body_html += as_text(v);
                break;
            case PathCode::previous_span:
                m.previous_body += as_text(v);
                break;
            case PathCode::attachment_name:
                if (r.ordinal == 0xFFFF) {
                    TRY(take_overflow(m, v));
                } else {
                    attachment_at(m, r.ordinal).name = to_text(v);
                }
                break;
            case PathCode::media_type:
                attachment_at(m, r.ordinal).media_type = to_text(v);
                break;
            case PathCode::size:
                attachment_at(m, r.ordinal).size = TRY(number_of(v));
                break;
            case PathCode::content_hash:
                attachment_at(m, r.ordinal).sha256 = TRY(Hash::from(v));
                break;
            case PathCode::attachment_missing:
                attachment_at(m, r.ordinal).missing = true;
                break;
            case PathCode::attachment_content:
                attachment_at(m, r.ordinal).content = to_bytes(v);
                break;
            case PathCode::conversation: {
                ByteReader in(v);
                m.conversation.type = static_cast<ConversationType>(TRY(in.u8()));
                m.conversation.id = TRY(take_string(in));
                m.conversation.title = TRY(take_string(in));
                break;
            }
            case PathCode::relation:
                (r.ordinal == 1 ? m.reply_to : r.ordinal == 2 ? m.thread : m.target) = to_text(v);
                break;
            case PathCode::note:
                split_nul(as_text(v), m.notes);
                break;
            case PathCode::feed_position:
                m.feed_position = to_text(v);
                break;
            case PathCode::duration:
                m.duration_ms = TRY(number_of(v));
                break;
            case PathCode::format:
                m.format = to_text(v);
                break;
            case PathCode::raw:
                if (v.size() != 40) return Error(Code::corrupt, "payload: the raw field has not 40 bytes");
                m.raw_size = load_u64(v.data());
                m.raw_sha256 = TRY(Hash::from(v.subspan(8)));
                break;
            default:
                break;  // decoys, and what a later version knows
        }
    }
    for (Attachment& a : m.attachments) {
        if (!a.missing) continue;
        if (a.size != 0) a.declared_size = a.size;
        if (!a.sha256.is_zero()) a.declared_sha256 = a.sha256;
    }
    for (const BlobRef& b : p.blobs) {
        if (b.attachment != kNoAttachment) attachment_at(m, b.attachment).blob = b.entry;
    }
    return m;
}

}  // namespace kustos::vault
