#include "ingest/src/pst_item.h"

#include "ingest/src/extract_wire.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/mapi.h"
#include "ingest/src/outlook_msg.h"
#include "ingest/src/unreadable.h"

namespace kustos::ingest {

namespace {

using mapi::MapiAttachment;
using mapi::MapiMessage;
using mapi::Properties;

constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxRows = 2'000'000;

class DumpReader {
public:
    DumpReader(ByteView dump, const Limits& limits) : dump_(dump), in_(dump), limits_(limits) {}

    std::optional<MapiMessage> run() {
        const auto magic = in_.take(wire::kPstMagic.size());
        if (!magic || as_text(*magic) != wire::kPstMagic) return std::nullopt;
        MapiMessage out;
        if (!level(&out, out.properties, nullptr, 0) || !in_.at_end()) return std::nullopt;
        return out;
    }
    bool left_out() const { return left_out_; }
    bool limited() const { return limited_; }

private:
    // Rows up to the level's end: 'e', or the dump's at the top. message: the level is one; attachment: likewise.
    bool level(MapiMessage* message, Properties& properties, MapiAttachment* attachment, int depth) {
        if (depth > kMaxDepth) return false;
        while (!in_.at_end()) {
            if (++rows_ > kMaxRows) return false;
            switch (*in_.u8()) {
                case 'P':
                    if (!property(properties, attachment)) return false;
                    break;
                case 'N':
                    if (!name()) return false;
                    break;
                case 'L':
                    if (!in_.u16() || !in_.u16() || !in_.u64()) return false;
                    left_out_ = true;
                    break;
                case 'R':
                    if (message == nullptr || !recipient(*message, depth)) return false;
                    break;
                case 'A':
                    if (message == nullptr || !attach(*message, depth)) return false;
                    break;
                case 'M':
                    if (attachment == nullptr || attachment->embedded) return false;
                    attachment->embedded = std::make_unique<MapiMessage>();
                    if (!level(attachment->embedded.get(), attachment->embedded->properties, nullptr, depth + 1))
                        return false;
                    break;
                case 'e':
                    return depth > 0;
                default:
                    return false;
            }
        }
        return depth == 0;
    }

    // What a property of this file's own number is called: for whoever opens the dump.
    bool name() {
        if (!in_.u16() || !in_.take(16) || !in_.u32()) return false;
        const auto size = in_.u16();
        return size && in_.take(*size);
    }

    bool property(Properties& into, MapiAttachment* attachment) {
        const auto id = in_.u16(), type = in_.u16();
        const auto size = in_.u64();
        if (!id || !type || !size || *size > in_.remaining()) return false;
        const std::uint64_t at = dump_.size() - in_.remaining();
        ByteView value = *in_.take(static_cast<std::size_t>(*size));
        if (*id == mapi::kAttachData && attachment != nullptr)
            attachment->in_raw = vault::RawSpan{at, *size, vault::RawEncoding::identity};
        if (*id == mapi::kSubject) value = without_prefix(value, *type);
        if (*id < 0x8000) into.set(*id, *type, to_bytes(value));
        return true;
    }

    // Outlook puts 01 and the length of "RE: " before it ([MS-PST] section 2.5.3.1.1.1).
    static ByteView without_prefix(ByteView value, std::uint16_t type) {
        const std::size_t unit = type == mapi::kUnicode ? 2 : 1;
        const bool marked = value.size() >= 2 * unit && value[0] == 1 && (unit == 1 || value[1] == 0);
        return marked ? value.subspan(2 * unit) : value;
    }

    bool recipient(MapiMessage& message, int depth) {
        Properties one;
        if (!level(nullptr, one, nullptr, depth + 1)) return false;
        if (message.recipients.size() > limits_.recipients) return true;  // describe() says so
        message.recipients.push_back(std::move(one));
        return true;
    }

    bool attach(MapiMessage& message, int depth) {
        MapiAttachment one;
        if (!level(nullptr, one.properties, &one, depth + 1)) return false;
        if (message.attachments.size() >= limits_.attachments) {
            limited_ = true;
            return true;
        }
        message.attachments.push_back(std::move(one));
        return true;
    }

    ByteView dump_;
    ByteReader in_;
    const Limits& limits_;
    std::size_t rows_ = 0;
    bool left_out_ = false, limited_ = false;
};

// What a mail is, and what an appointment, a contact, a task is.
bool is_mail(const std::string& message_class) {
    const std::string name = lower_ascii(message_class);
    for (const std::string_view known : {"ipm.note", "report.", "ipm.schedule", "ipm.post", "ipm.recall"})
        if (name.rfind(known, 0) == 0) return true;
    return name.empty();
}

}  // namespace

ParsedItem parse_pst_item(Bytes dump, const Limits& limits) {
    DumpReader reader(dump, limits);
    auto read = reader.run();
    if (!read) return unreadable(std::move(dump), "pst", "no-pst-item");
    ParsedItem item;
    item.source_bytes = dump.size();
    vault::Message& message = item.message;
    message.format = "pst";
    bool controls = false, cut = false;
    const std::string charset = read->charset();
    const std::string message_class =
        cut_utf8(without_controls(read->properties.text(mapi::kMessageClass, charset), controls), 100, cut);
    message.kind = is_mail(message_class) ? vault::MessageKind::mail : vault::MessageKind::file;
    mapi::describe(*read, limits, message);
    note_outlook_protection(message_class, message);
    mapi::add_attachments(*read, limits, message.body.empty() && message.body_html.empty(), message);
    message.notes.emplace_back("pst:reconstructed");
    if (!message_class.empty()) message.notes.push_back("class:" + message_class);
    if (message.kind == vault::MessageKind::mail && message.sender.empty()) message.notes.emplace_back("no-author");
    if (reader.left_out()) message.notes.emplace_back("limit:left-out");
    if (reader.limited()) message.notes.emplace_back("limit:attachments");
    keep_true_spans(dump, message);
    message.raw = std::move(dump);
    return item;
}

}  // namespace kustos::ingest
