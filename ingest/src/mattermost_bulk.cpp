// Mattermost's bulk export: JSON lines, no ids, nothing deleted, no history (docs/format/mattermost-bulk.md).
#include <algorithm>
#include <map>

#include "base/crypto.h"
#include "base/text.h"
#include "ingest/src/all_formats.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/json_scan.h"
#include "ingest/src/json_value.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/mattermost_bulk.h"
#include "ingest/src/unreadable.h"
#include "ingest/src/window.h"

namespace kustos::ingest {

namespace {

using vault::Message;
using vault::MessageKind;
constexpr std::string_view kName = "mattermost-bulk";
constexpr std::size_t kMaxNames = 1'000'000;  // users and channels that are remembered

std::string part_of_id(std::initializer_list<std::string_view> parts) {
    Sha256 sum;
    for (const std::string_view part : parts) {
        Bytes framed;
        put_u32(framed, static_cast<std::uint32_t>(part.size()));
        put(framed, part);
        sum.update(framed);
    }
    constexpr std::size_t kDigits = 32;
    return "mm-bulk-" + sum.finish().hex().substr(0, kDigits);
}

}  // namespace

struct BulkReader::State {
    const ExportFiles& files;
    const ReadContext& context;
    ItemSink& sink;
    JsonParser parser;
    std::string pending;  // a line that has no end yet
    std::size_t long_pieces = 0;
    bool first = true, versioned = false;
    std::map<std::string, vault::Person, std::less<>> people;
    std::map<std::string, vault::Conversation, std::less<>> channels;  // "team/name"

    Status line(std::string_view text);
    Status other(std::string_view text, std::string_view type, const JsonValue& body);
    Status post(std::string_view line, std::string_view slice, const JsonValue& body, bool direct);
    Status entry(Bytes raw, std::string_view slice, const JsonValue& body, const vault::Conversation& where,
                 const std::vector<vault::Person>& members, const std::string& root);
    Status reactions(std::string_view slice, const JsonValue& body, const Message& of);
    vault::Person person(std::string_view name) const;
    Status refuse(std::string_view text, std::string_view reason) {
        return quarantine(to_bytes(text), kName, reason, context.limits, sink);
    }
};

BulkReader::BulkReader(const ExportFiles& files, const ReadContext& context, ItemSink& sink)
    : state_(new State{files, context, sink, {}, {}, 0, true, false, {}, {}}) {}
BulkReader::~BulkReader() = default;

Status BulkReader::feed(ByteView bytes) {
    std::string_view rest = as_text(bytes);
    while (!rest.empty()) {
        const std::size_t lf = rest.find('\n');
        const std::size_t size = lf == std::string_view::npos ? rest.size() : lf + 1;
        state_->pending += rest.substr(0, size);
        rest.remove_prefix(size);
        const bool too_long = state_->pending.size() > state_->context.limits.line;
        if (too_long || (state_->long_pieces > 0 && lf != std::string_view::npos)) {
            ParsedItem item = unreadable(to_bytes(state_->pending), kName, "line-too-long");
            item.message.notes.push_back("piece:" + std::to_string(++state_->long_pieces));
            state_->pending.clear();
            TRY(state_->sink.item(std::move(item)));
            if (lf != std::string_view::npos) state_->long_pieces = 0;
        } else if (lf != std::string_view::npos) {
            TRY(state_->line(state_->pending));
            state_->pending.clear();
        }
    }
    return ok_status();
}

Status BulkReader::end() {
    if (state_->long_pieces > 0 && !state_->pending.empty()) return state_->refuse(state_->pending, "line-too-long");
    TRY(state_->line(state_->pending));
    if (!state_->versioned) state_->sink.finding("mattermost:no-version-line");
    return ok_status();
}

Status BulkReader::State::line(std::string_view text) {
    if (first && text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    first = false;
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
    if (trim(text).empty()) return ok_status();
    if (const std::string_view reason = parser.parse(as_bytes(text)); !reason.empty()) return refuse(text, reason);
    const JsonValue root = parser.root();
    const std::string_view type = root.text("type");
    if (type.empty()) return refuse(text, "no-type");
    const JsonValue body = root[type];
    if (type != "post" && type != "direct_post") return other(text, type, body);
    if (!body.is_object()) return refuse(text, "no-post");
    return post(text, json_member(text, type), body, type == "direct_post");
}

// What names teams, channels and persons is sealed as it is, and remembered.
Status BulkReader::State::other(std::string_view text, std::string_view type, const JsonValue& body) {
    if (type == "version") versioned = true;
    if (type == "user" && people.size() < kMaxNames) {
        vault::Person& known = people[std::string(body.text("username"))];
        known.id = clip(body.text("username"), context.limits);
        known.address = clip(body.text("email"), context.limits);
        const std::string name = std::string(body.text("first_name")) + " " + std::string(body.text("last_name"));
        known.name = clip(trim(name), context.limits);
    }
    if (type == "channel" && channels.size() < kMaxNames) {
        vault::Conversation& known = channels[std::string(body.text("team")) + "/" + std::string(body.text("name"))];
        known.title = clip(body.text("display_name"), context.limits);
        known.type = mattermost_channel_type(body.text("type"));
    }
    ParsedItem item;
    item.message.kind = MessageKind::status;
    item.message.format = kName;
    item.message.notes = {"bulk:" + word_of(type)};
    item.message.raw = to_bytes(text);
    item.source_bytes = text.size();
    return sink.item(std::move(item));
}

vault::Person BulkReader::State::person(std::string_view name) const {
    const auto known = people.find(name);
    if (known != people.end()) return known->second;
    vault::Person out;
    out.id = out.name = clip(name, context.limits);
    return out;
}

namespace {

// "replies" and "reactions" are events of their own: what is forgotten of one must not stay in another.
Bytes without_parts(std::string_view text, std::string_view slice) {
    std::vector<std::string_view> parts;
    for (const std::string_view key : {"replies", "reactions"})
        for (const std::string_view part : json_elements(json_member(slice, key))) parts.push_back(part);
    return without_slices(text, std::move(parts));
}

}  // namespace

Status BulkReader::State::post(std::string_view text, std::string_view slice, const JsonValue& body, bool direct) {
    vault::Conversation where;
    std::vector<vault::Person> members;
    if (direct) {
        std::vector<std::string_view> names;
        for (const JsonValue& member : body["channel_members"].items()) names.push_back(member.text());
        std::sort(names.begin(), names.end());
        for (const std::string_view name : names) {
            where.id += (where.id.empty() ? "" : "__") + std::string(name);
            if (members.size() <= kMostMembers) members.push_back(person(name));
        }
        where.type = names.size() > 2 ? vault::ConversationType::group : vault::ConversationType::direct;
        where.id = clip(where.id, context.limits);
    } else {
        const std::string key = std::string(body.text("team")) + "/" + std::string(body.text("channel"));
        const auto known = channels.find(key);
        if (known != channels.end()) where = known->second;
        where.id = clip(key, context.limits);
        if (where.type == vault::ConversationType::unknown) where.type = vault::ConversationType::channel;
    }
    const auto created = body.integer("create_at");
    if (!created || !epoch_ms(*created)) return refuse(text, "bad-time");
    const std::string root = part_of_id({where.id, body.text("user"), std::to_string(*created)});
    TRY(entry(without_parts(text, slice), slice, body, where, members, ""));
    const std::vector<JsonValue> replies = body["replies"].items();
    const auto slices = json_elements(json_member(slice, "replies"));
    for (std::size_t i = 0; i < replies.size() && i < slices.size(); ++i)
        TRY(entry(without_parts(slices[i], slices[i]), slices[i], replies[i], where, members, root));
    return ok_status();
}

Status BulkReader::State::entry(Bytes raw, std::string_view slice, const JsonValue& body,
                                const vault::Conversation& where, const std::vector<vault::Person>& members,
                                const std::string& root) {
    const auto created = body.integer("create_at");
    if (!created || !epoch_ms(*created)) return refuse(slice, "bad-time");
    ParsedItem item;
    Message& m = item.message;
    const std::string_view user = body.text("user"), text = body.text("message"), type = body.text("type");
    m.kind = MessageKind::chat;
    m.format = kName;
    m.native_id = part_of_id({where.id, user, std::to_string(*created)});
    m.thread = m.reply_to = root;
    m.sent_at = epoch_ms(*created);
    m.sender = person(user);
    m.conversation = where;
    m.notes = {"id-synthesised"};
    if (members.size() > kMostMembers) m.notes.push_back("limit:recipients");
    for (const vault::Person& member : members)
        if (member.id != m.sender.id && members.size() <= kMostMembers)
            m.recipients.push_back({vault::Role::member, member});
    if (type == "system_join_channel" || type == "system_add_to_channel") m.kind = MessageKind::join;
    if (type == "system_leave_channel" || type == "system_remove_from_channel") m.kind = MessageKind::leave;
    if (!type.empty()) m.notes.push_back("post-type:" + word_of(type));
    if (!type.empty() && m.kind == MessageKind::chat) m.kind = MessageKind::status;
    // The text before an edit is not exported: what is seen is the newest one.
    if (const auto edited = body.integer("edit_at"); edited && *edited > 0) {
        m.notes.push_back("edited-before-export");
        m.target = m.native_id;
        m.kind = MessageKind::edit;
        m.sent_at = epoch_ms(*edited);
        if (!m.sent_at) m.notes.push_back("edit-time-unknown");
    }
    // Two messages of one person in one millisecond have one id: the text tells them apart.
    item.update_type = sha256(as_bytes(text)).hex();
    put_body(text, context.limits, m);
    for (const JsonValue& attachment : body["attachments"].items()) {
        if (m.attachments.size() >= context.limits.attachments) {
            add_note(m, "limit:attachments");
            break;
        }
        vault::Attachment file = named_file(attachment.text("path"), context.limits);
        if (files.attach) files.attach(attachment.text("path"), file);
        if (file.missing) sink.finding("mattermost:attachment-missing");
        m.attachments.push_back(std::move(file));
    }
    m.raw = std::move(raw);
    item.source_bytes = m.raw.size();
    Message of;
    of.native_id = m.native_id;
    of.conversation = where;
    of.thread = root;
    if (files.ready) TRY(files.ready());
    TRY(sink.item(std::move(item)));
    return reactions(slice, body, of);
}

Status BulkReader::State::reactions(std::string_view slice, const JsonValue& body, const Message& of) {
    const std::vector<JsonValue> all = body["reactions"].items();
    const auto slices = json_elements(json_member(slice, "reactions"));
    for (std::size_t i = 0; i < all.size() && i < slices.size(); ++i) {
        ParsedItem item;
        Message& m = item.message;
        m.kind = MessageKind::reaction;
        m.format = kName;
        const std::string_view user = all[i].text("user"), emoji = all[i].text("emoji_name");
        const auto created = all[i].integer("create_at");
        m.native_id = part_of_id({of.native_id, user, emoji, std::to_string(created.value_or(0))});
        m.target = of.native_id;
        m.thread = of.thread;
        m.conversation = of.conversation;
        m.sender = person(user);
        if (created) m.sent_at = epoch_ms(*created);
        m.notes = {"id-synthesised"};
        if (!m.sent_at) m.notes.push_back("bad-time");
        put_body(emoji, context.limits, m);
        m.raw = to_bytes(slices[i]);
        item.source_bytes = m.raw.size();
        TRY(sink.item(std::move(item)));
    }
    return ok_status();
}

Status read_mattermost_bulk(ByteSource& source, const ExportFiles& files, const ReadContext& context, ItemSink& sink) {
    BulkReader reader(files, context, sink);
    constexpr std::size_t kPiece = 256u << 10;
    Bytes piece(kPiece);
    for (;;) {
        const std::size_t got = TRY(source.read(piece));
        if (got == 0) break;
        TRY(reader.feed(ByteView(piece).first(got)));
    }
    return reader.end();
}

namespace {

bool first_line_is_version(std::string_view text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    return json_member(line, "type") == "\"version\"" && !json_member(line, "version").empty();
}

// The only .jsonl of an export, wherever it stands; empty: none, or several.
std::string lines_of(const Container& container) {
    std::string found;
    for (const auto& [path, member] : container.members()) {
        if (path.size() < 6 || !iequals(std::string_view(path).substr(path.size() - 6), ".jsonl")) continue;
        if (!found.empty()) return {};
        found = path;
    }
    return found;
}

Certainty looks(const Sample& sample) {
    if (sample.is_folder()) return Certainty::no;
    if (!sample.is_zip()) {
        if (first_line_is_version(sample.text())) return Certainty::sure;
        const std::string_view line = sample.text().substr(0, sample.text().find('\n'));
        const bool post = json_member(line, "type") == "\"post\"" && !json_member(line, "post").empty();
        return post ? Certainty::likely : Certainty::no;
    }
    const std::string name = sample.has_member_ending(".jsonl") ? lines_of(*sample.container()) : "";
    return !name.empty() && first_line_is_version(sample.member_starting(name)) ? Certainty::sure : Certainty::no;
}

// Paths are relative to the zip, or to the folder "data" that the exporter makes in it.
ExportFiles bulk_files(ContainerReader& reader) {
    ExportFiles out = files_of(reader);
    out.attach = [&reader](std::string_view path, vault::Attachment& into) {
        const std::string in_data = "data/" + std::string(path);
        reader.attach(reader.container().find(in_data) ? std::string_view(in_data) : path, into);
    };
    return out;
}

Status read_path(const Input& input) {
    const Sample sample = TRY(Sample::of(input.path, input.context));
    if (!sample.is_zip()) {
        const auto source = TRY(file_source(input.path));
        return read_mattermost_bulk(*source, {}, input.context, input.sink);
    }
    return read_container(input, kName, [&](ContainerReader& reader) -> Result<bool> {
        const std::string name = lines_of(reader.container());
        if (name.empty()) return false;
        // A worker of its own: files are fetched while the lines come.
        const auto lines = TRY(open_zip(input.path, input.context));
        const ArchiveMember* member = lines->find(name);
        if (!member) return false;
        const ExportFiles files = bulk_files(reader);
        BulkReader bulk(files, input.context, input.sink);
        Status failed;
        const Status read = lines->read(*member, UINT64_MAX, [&](ByteView piece) {
            failed = bulk.feed(piece);
            return failed;
        });
        TRY(std::move(failed));
        TRY(bulk.end());
        // A member that breaks off stays in the rest, whole.
        if (read.ok()) reader.mark_taken(name);
        if (!read.ok()) input.sink.finding("mattermost:lines-damaged");
        return true;
    });
}

}  // namespace

const Format kMattermostBulkFormat = {{kName,
                                       "Mattermost bulk export (JSON lines)",
                                       {.level = EvidentialLevel::low,
                                        .ids = Carries::no,
                                        .edits = Carries::partly,  // that and when, not the text before
                                        .deletions = Carries::no,
                                        .time_zone = Carries::yes,
                                        .membership = Carries::partly,
                                        .attachments = Carries::yes}},
                                      looks,
                                      read_path};

}  // namespace kustos::ingest
