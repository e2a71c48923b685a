// What the elements of an Actiance export mean (docs/format/mattermost-actiance.md).
#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "ingest/src/actiance_xml.h"
#include "ingest/src/all_formats.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/mattermost.h"
#include "ingest/src/single_formats.h"
#include "ingest/src/unreadable.h"

namespace kustos::ingest {

namespace {

using vault::Message;
using vault::MessageKind;
using Entry = ActianceEntry;
constexpr std::string_view kName = "mattermost-actiance";
constexpr std::string_view kXml = "actiance_export.xml";
constexpr std::size_t kNone = ~std::size_t{0};

struct Links {
    std::vector<std::size_t> files;  // FileTransferStarted and -Ended of a message
    std::size_t edit_of = kNone;     // the entry with the text before this one
    bool taken = false;              // a file that a message has
};

class Conversation {
public:
    Conversation(ActianceConversation c, std::string_view text, const ExportFiles& files, const ReadContext& context,
                 ItemSink& sink)
        : c_(std::move(c)), text_(text), files_(files), context_(context), sink_(sink), links_(c_.entries.size()) {
        // "<type> - <channel name> - <channel id>"
        const std::size_t first = c_.room.find(" - "), last = c_.room.rfind(" - ");
        where_.id = clip(last == std::string::npos ? c_.room : c_.room.substr(last + 3), context.limits);
        where_.title = clip(c_.title, context.limits);
        where_.type = mattermost_channel_type(std::string_view(c_.room).substr(0, first));
    }

    Status hand_on() {
        find_members();
        link_files();
        link_edits();
        for (std::size_t i = 0; i < c_.entries.size(); ++i)
            if (!links_[i].taken) TRY(hand_on(i));
        return ok_status();
    }

private:
    static bool is_file(const Entry& e) {
        return e.kind == Entry::Kind::file_started || e.kind == Entry::Kind::file_ended;
    }
    static bool is_deletion(const Entry& e) { return e[Entry::kUpdateType] == "Deleted"; }

    // A file stands behind the message it belongs to, with its sender and its time.
    void link_files() {
        std::size_t message = kNone;
        for (std::size_t i = 0; i < c_.entries.size(); ++i) {
            const Entry& e = c_.entries[i];
            if (!is_file(e)) {
                message = e.kind == Entry::Kind::message && !e.ill_formed ? i : kNone;
                continue;
            }
            if (message == kNone || e.ill_formed) continue;
            const Entry& m = c_.entries[message];
            if (m[Entry::kLogin] != e[Entry::kLogin] || m[Entry::kTime] != e[Entry::kTime]) continue;
            links_[message].files.push_back(i);
            links_[i].taken = true;
        }
    }

    // As in the CSV export: an element with EditedNewMsgId X has a new id and an OLD text; X itself has the NEW text.
    void link_edits() {
        std::map<std::string_view, std::size_t> last;
        for (std::size_t i = 0; i < c_.entries.size(); ++i) {
            const std::string_view target = c_.entries[i][Entry::kEditedNewId];
            if (c_.entries[i].kind != Entry::Kind::message || target.empty()) continue;
            const auto [at, fresh] = last.emplace(target, i);
            if (!fresh) links_[i].edit_of = std::exchange(at->second, i);
        }
        for (std::size_t i = 0; i < c_.entries.size(); ++i) {
            const Entry& e = c_.entries[i];
            if (e.kind != Entry::Kind::message || !e[Entry::kEditedNewId].empty() || is_deletion(e)) continue;
            const auto old = last.find(e[Entry::kMessageId]);
            if (old != last.end()) links_[i].edit_of = old->second;
        }
    }

    std::string_view raw_of(const Entry& e) const { return text_.substr(e.begin, e.past - e.begin); }
    Status refuse(const Entry& e, std::string_view reason) {
        return quarantine(to_bytes(raw_of(e)), kName, reason, context_.limits, sink_);
    }

    std::optional<UtcTime> time(const Entry& e, Entry::Field field) const {
        const auto ms = epoch_ms(e[field]);
        return ms ? epoch_any(ms->ms) : ms;
    }

    Status hand_on(std::size_t index) {
        const Entry& e = c_.entries[index];
        if (e.ill_formed) return refuse(e, "not-xml");
        if (!time(e, Entry::kTime)) return refuse(e, "bad-time");
        ParsedItem item;
        Message& m = item.message;
        m.format = kName;
        m.conversation = where_;
        m.sent_at = time(e, Entry::kTime);
        m.sender.id = clip(e[Entry::kLogin], context_.limits);
        m.sender.address = m.sender.id;
        m.sender.guest = e[Entry::kUserType] == "guest";
        if (e[Entry::kUserType] == "bot") m.notes.push_back("bot");
        put(m.raw, raw_of(e));
        if (e.kind == Entry::Kind::message) {
            take_message(index, item);
        } else if (is_file(e)) {
            m.kind = MessageKind::file;
            add_file(e, m);
        } else {
            take_participant(e, m);
        }
        // Without an id two rooms may have the very same element.
        if (m.native_id.empty()) item.update_type = where_.id + item.update_type;
        add_members(m);
        item.source_bytes = m.raw.size();
        for (const auto& attachment : m.attachments) item.source_bytes += attachment.content_size();
        if (files_.ready) TRY(files_.ready());
        return sink_.item(std::move(item));
    }

    // Who is still there when the period ends is written as having left at its end.
    void take_participant(const Entry& e, Message& m) {
        const bool entered = e.kind == Entry::Kind::entered;
        m.kind = entered ? MessageKind::join : MessageKind::leave;
        if (entered && e[Entry::kTime] == c_.started) m.notes.push_back("previously-joined");
        if (!entered && e[Entry::kTime] == c_.ended) {
            m.kind = MessageKind::status;
            m.notes.push_back("present-at-end");
        }
    }

    void take_message(std::size_t index, ParsedItem& item) {
        const Entry& e = c_.entries[index];
        Message& m = item.message;
        const std::string& update = e[Entry::kUpdateType];
        m.kind = MessageKind::chat;
        m.native_id = clip(e[Entry::kMessageId], context_.limits);
        std::string_view text = e[Entry::kContent];
        if (!update.empty()) {
            m.notes.push_back("update:" + word_of(update));
            item.update_type = update + "@" + e[Entry::kUpdated];
        }
        if (is_deletion(e) || update == "FileDeleted") {
            m.kind = MessageKind::deletion;
            m.target = m.native_id;
            m.sent_at = time(e, Entry::kUpdated);
            if (!is_deletion(e)) m.notes.push_back("deleted-attachment");
            if (text.substr(0, 7) == "delete ") text.remove_prefix(7);
        } else if (!e[Entry::kEditedNewId].empty() || links_[index].edit_of != kNone || update == "EditedNewMsg") {
            take_version(index, m);
        }
        put_body(text, context_.limits, m);
        for (const std::size_t at : links_[index].files) {
            put(m.raw, raw_of(c_.entries[at]));
            if (c_.entries[at].kind == Entry::Kind::file_started) add_file(c_.entries[at], m);
            if (c_.entries[at][Entry::kStatus] == "Failed") add_note(m, "transfer-failed");
        }
    }

    // The first version known is a chat message, each later one an edit of it, made when its predecessor was replaced.
    void take_version(std::size_t index, Message& m) {
        const Entry& e = c_.entries[index];
        const std::size_t before = links_[index].edit_of;
        m.target = e[Entry::kEditedNewId].empty() ? m.native_id : clip(e[Entry::kEditedNewId], context_.limits);
        if (!e[Entry::kEditedNewId].empty() && before == kNone) return m.notes.push_back("earlier-version");
        m.kind = MessageKind::edit;
        m.sent_at = time(e, Entry::kUpdated);
        if (before != kNone) {
            bool cut = false;
            m.previous_body = cut_utf8(repair_utf8(c_.entries[before][Entry::kContent]), context_.limits.body, cut);
            m.sent_at = time(c_.entries[before], Entry::kUpdated);
        }
        if (!m.sent_at) m.notes.push_back("edit-time-unknown");
    }

    void add_file(const Entry& e, Message& m) {
        if (m.attachments.size() >= context_.limits.attachments) return add_note(m, "limit:attachments");
        vault::Attachment file = named_file(
            e[Entry::kUserFileName].empty() ? e[Entry::kFileName] : e[Entry::kUserFileName], context_.limits);
        if (files_.attach) files_.attach(e[Entry::kFileName], file);
        if (file.missing) sink_.finding("mattermost:attachment-missing");
        m.attachments.push_back(std::move(file));
    }

    // In a direct or group conversation everybody reads everything: the others are recipients.
    void find_members() {
        if (where_.type != vault::ConversationType::direct && where_.type != vault::ConversationType::group) return;
        for (const Entry& e : c_.entries)
            if (e.kind == Entry::Kind::entered && !e.ill_formed && members_.size() <= kMostMembers)
                members_.insert(clip(e[Entry::kLogin], context_.limits));
    }
    void add_members(Message& m) const {
        if (members_.size() > kMostMembers) return add_note(m, "limit:recipients");
        for (const std::string& login : members_) {
            if (login == m.sender.id) continue;
            vault::Person person;
            person.id = person.address = login;
            m.recipients.push_back({vault::Role::member, std::move(person)});
        }
    }

    ActianceConversation c_;
    std::string_view text_;
    const ExportFiles& files_;
    const ReadContext& context_;
    ItemSink& sink_;
    vault::Conversation where_;
    std::vector<Links> links_;
    std::set<std::string> members_;
};

// UTF-16 is told by its byte order mark; empty: UTF-8.
std::string_view wide_charset(ByteView bytes) {
    if (bytes.size() < 2) return {};
    if (bytes[0] == 0xFF && bytes[1] == 0xFE) return "utf-16le";
    if (bytes[0] == 0xFE && bytes[1] == 0xFF) return "utf-16be";
    return {};
}

// Of UTF-16 every second byte is zero here.
bool has_file_dump(const Sample& sample) {
    std::string text(sample.text().substr(0, 1024));
    if (!wide_charset(as_bytes(sample.start())).empty()) {
        text = decode_charset(as_bytes(sample.start().substr(0, 1024)), wide_charset(as_bytes(sample.start()))).utf8;
        if (text.substr(0, 3) == "\xEF\xBB\xBF") text.erase(0, 3);
    }
    return text.substr(0, 2) == "<?" && text.find("<FileDump") != std::string::npos;
}

Certainty looks(const Sample& sample) {
    if (sample.is_zip()) return sample.has(kXml) ? Certainty::sure : Certainty::no;
    if (sample.is_folder()) return sample.has(kXml) ? Certainty::sure : Certainty::no;
    return has_file_dump(sample) ? Certainty::sure : Certainty::no;
}

Status read_actiance_path(const Input& input) {
    const Sample sample = TRY(Sample::of(input.path, input.context));
    if (!sample.is_zip() && !sample.is_folder()) {
        auto xml = TRY(whole_or_quarantine(input.path, input.context.limits.csv, kName, input.context, input.sink));
        return xml ? read_actiance(std::move(*xml), {}, input.context, input.sink) : ok_status();
    }
    return read_container(input, kName, [&](ContainerReader& reader) -> Result<bool> {
        auto xml = reader.take(kXml, input.context.limits.csv);
        if (!xml) return false;
        TRY(read_actiance(std::move(*xml), files_of(reader), input.context, input.sink));
        count_mattermost_warnings(reader, input.sink);
        return true;
    });
}

}  // namespace

Status read_actiance(Bytes xml, const ExportFiles& files, const ReadContext& context, ItemSink& sink) {
    if (xml.empty()) return sink.finding("file:empty"), ok_status();
    std::string wide;
    std::string_view text = as_text(xml);
    if (const std::string_view charset = wide_charset(xml); !charset.empty()) {
        wide = decode_charset(xml, charset).utf8;
        text = wide;
        sink.finding("mattermost:transcoded");
    }
    Bytes frame;
    std::size_t framed = 0;
    const auto give = [&](ActianceConversation conversation) {
        for (const Entry& e : conversation.entries) {
            put(frame, text.substr(framed, e.begin - framed));
            framed = e.past;
        }
        return Conversation(std::move(conversation), text, files, context, sink).hand_on();
    };
    const std::string_view stopped = TRY(read_actiance_xml(text, give));
    // What was complete has been read; the file is sealed whole beside it.
    if (!stopped.empty()) return quarantine(std::move(xml), kName, stopped, context.limits, sink);
    if (!wide.empty()) return seal_frame(std::move(xml), kName, context.limits, sink);
    put(frame, text.substr(framed));
    return seal_frame(std::move(frame), kName, context.limits, sink);
}

const Format kMattermostActianceFormat = {{kName,
                                           "Mattermost compliance export (Actiance XML)",
                                           {.level = EvidentialLevel::high,
                                            .ids = Carries::yes,
                                            .edits = Carries::yes,
                                            .deletions = Carries::yes,
                                            .time_zone = Carries::yes,
                                            .membership = Carries::yes,
                                            .attachments = Carries::yes}},
                                          looks,
                                          read_actiance_path,
                                          true};

}  // namespace kustos::ingest
