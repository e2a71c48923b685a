#include "ingest/src/outlook_msg.h"

#include <charconv>

#include "ingest/src/all_formats.h"
#include "ingest/src/compound_file.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/mapi.h"
#include "ingest/src/protection.h"
#include "ingest/src/unreadable.h"

namespace kustos::ingest {

namespace {

using mapi::MapiAttachment;
using mapi::MapiMessage;
using mapi::Properties;

constexpr int kMaxDepth = 8;
constexpr std::string_view kStream = "__substg1.0_", kFixed = "__properties_version1.0",
                           kRecipient = "__recip_version1.0_", kAttachment = "__attach_version1.0_";

bool starts(std::string_view text, std::string_view with) {
    return text.substr(0, with.size()) == with;
}

class Reader {
public:
    explicit Reader(const CompoundFile& file, std::size_t attachments) : file_(file), room_(attachments) {}

    MapiMessage message(const CompoundFile::Entry& storage, bool top, int depth) {
        MapiMessage out;
        // The header of the stream of properties: 32 bytes at the top, 24 in a message inside ([MS-OXMSG] section 2.4).
        out.properties = properties(storage, top ? 32 : 24);
        for (const std::uint32_t child : storage.children) {
            const auto& entry = file_.entry(child);
            if (!entry.storage) continue;
            if (starts(entry.name, kRecipient)) out.recipients.push_back(properties(entry, 8));
            if (starts(entry.name, kAttachment)) add_attachment(entry, depth, out);
        }
        out.damaged = damaged_;
        return out;
    }
    bool limited() const { return limited_; }

private:
    Properties properties(const CompoundFile::Entry& storage, std::size_t header,
                          std::optional<std::uint64_t>* data_at = nullptr) {
        Properties out;
        if (const auto* fixed = file_.find(storage, kFixed)) read_fixed(*fixed, header, out);
        for (const std::uint32_t child : storage.children) {
            const auto& entry = file_.entry(child);
            if (entry.storage || !starts(entry.name, kStream) || entry.name.size() != kStream.size() + 8) continue;
            std::uint32_t tag = 0;
            const char* begin = entry.name.data() + kStream.size();
            if (std::from_chars(begin, begin + 8, tag, 16).ptr != begin + 8) continue;
            const auto id = static_cast<std::uint16_t>(tag >> 16), type = static_cast<std::uint16_t>(tag & 0xFFFF);
            if (id >= 0x8000) continue;  // named ones: categories and the like; raw has them
            auto bytes = file_.read(entry, id == mapi::kAttachData ? data_at : nullptr);
            if (bytes)
                out.set(id, type, std::move(*bytes));
            else
                damaged_ = true;
        }
        return out;
    }

    void read_fixed(const CompoundFile::Entry& entry, std::size_t header, Properties& out) {
        const auto bytes = file_.read(entry);
        if (!bytes) {
            damaged_ = true;
            return;
        }
        for (std::size_t at = header; at + 16 <= bytes->size(); at += 16) {
            const Bytes& b = *bytes;
            const auto type = static_cast<std::uint16_t>(b[at] | b[at + 1] << 8);
            const auto id = static_cast<std::uint16_t>(b[at + 2] | b[at + 3] << 8);
            const bool fixed = type == mapi::kLong || type == mapi::kBoolean || type == mapi::kTime;
            if (fixed) out.set(id, type, to_bytes(ByteView(b).subspan(at + 8, 8)));
        }
    }

    void add_attachment(const CompoundFile::Entry& storage, int depth, MapiMessage& out) {
        if (room_ == 0) {
            limited_ = true;
            return;
        }
        --room_;
        MapiAttachment one;
        std::optional<std::uint64_t> where;
        const std::uint64_t size = data_size(storage);
        one.properties = properties(storage, 8, &where);
        if (where) one.in_raw = vault::RawSpan{*where, size, vault::RawEncoding::identity};
        if (const auto* inner = file_.find(storage, "__substg1.0_3701000D"); inner && inner->storage) {
            if (depth < kMaxDepth)
                one.embedded = std::make_unique<MapiMessage>(message(*inner, false, depth + 1));
            else
                limited_ = true;
        }
        out.attachments.push_back(std::move(one));
    }

    std::uint64_t data_size(const CompoundFile::Entry& storage) const {
        const auto* data = file_.find(storage, "__substg1.0_37010102");
        return data ? data->size : 0;
    }

    const CompoundFile& file_;
    std::size_t room_;
    bool damaged_ = false, limited_ = false;
};

Certainty looks(const Sample& sample) {
    const std::string_view start = sample.start();
    if (!is_compound_file(as_bytes(start))) return Certainty::no;
    // Other programs' files have the same container; the name of the properties' stream stands in its directory.
    static const std::string name = [] {
        std::string wide;
        for (const char c : kFixed) wide += {c, '\0'};
        return wide;
    }();
    if (start.find(name) != std::string_view::npos) return Certainty::sure;
    return sample.has_ending(".msg") ? Certainty::likely : Certainty::no;
}

Status read_msg(const Input& input) {
    auto raw = TRY(whole_or_quarantine(input.path, input.context.limits.mail, "msg", input.context, input.sink));
    if (!raw) return ok_status();
    return input.sink.item(parse_outlook_msg(std::move(*raw), input.context.limits));
}

}  // namespace

void note_outlook_protection(const std::string& message_class, vault::Message& message) {
    // What Outlook keeps of signed and encrypted mails: the MIME entity as its only attachment.
    const std::string name = lower_ascii(message_class);
    if (name.find("ipm.note.smime.multipartsigned") == 0)
        message.notes.emplace_back("smime:signature-not-checked");
    else if (name.find("ipm.note.smime") == 0)
        message.notes.emplace_back(message.body.empty() ? "smime:encrypted" : "smime:signature-not-checked");
    note_inline_pgp(message.body, message.notes);
}

// Damaged directories name one attachment's data twice.
void keep_true_spans(ByteView raw, vault::Message& message) {
    for (vault::Attachment& attachment : message.attachments) {
        if (!attachment.in_raw) continue;
        const vault::RawSpan at = *attachment.in_raw;
        const bool inside = at.offset <= raw.size() && at.length <= raw.size() - at.offset;
        if (!inside || !equal(raw.subspan(at.offset, at.length), attachment.content)) attachment.in_raw.reset();
    }
}

ParsedItem parse_outlook_msg(Bytes raw, const Limits& limits) {
    if (raw.size() > limits.mail) return unreadable(std::move(raw), "msg", "too-large");
    const auto file = CompoundFile::open(raw);
    if (!file || !file->find(file->root(), kFixed)) return unreadable(std::move(raw), "msg", "no-msg");
    ParsedItem item;
    item.source_bytes = raw.size();
    vault::Message& message = item.message;
    message.kind = vault::MessageKind::mail;
    message.format = "msg";
    Reader reader(*file, limits.attachments);
    MapiMessage read = reader.message(file->root(), true, 0);
    mapi::describe(read, limits, message);
    note_outlook_protection(read.properties.text(mapi::kMessageClass, read.charset()), message);
    mapi::add_attachments(read, limits, message.body.empty() && message.body_html.empty(), message);
    if (message.sender.empty()) message.notes.emplace_back("no-author");
    if (read.damaged) message.notes.emplace_back("defect:msg");
    if (reader.limited()) message.notes.emplace_back("limit:attachments");
    keep_true_spans(raw, message);
    message.raw = std::move(raw);
    return item;
}

// An export of a mailbox's program, not the mail that went over the wire.
const Format kMsgFormat = {{"msg",
                            "Outlook message (.msg)",
                            {.level = EvidentialLevel::medium,
                             .ids = Carries::partly,
                             .edits = Carries::no,
                             .deletions = Carries::no,
                             .time_zone = Carries::yes,
                             .membership = Carries::no,
                             .attachments = Carries::yes}},
                           looks,
                           read_msg};

}  // namespace kustos::ingest
