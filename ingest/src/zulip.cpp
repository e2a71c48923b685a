// Zulip's export of an organisation: tables as JSON, and the files beside them (docs/format/zulip.md).
#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "base/text.h"
#include "ingest/src/all_formats.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/chat_out.h"
#include "ingest/src/json_feed.h"
#include "ingest/src/json_scan.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/single_formats.h"

namespace kustos::ingest {

namespace {

using vault::Message;
using vault::MessageKind;
constexpr std::string_view kName = "zulip";
constexpr std::string_view kRealm = "realm.json", kAttachments = "attachment.json";

bool is_messages(std::string_view path) {  // "messages-000001.json"
    constexpr std::string_view kStart = "messages-", kEnd = ".json";
    return path.size() > kStart.size() + kEnd.size() && path.substr(0, kStart.size()) == kStart &&
           path.substr(path.size() - kEnd.size()) == kEnd;
}

// Seconds since 1970 with a fraction; a database's time.
std::optional<UtcTime> time_of(const JsonValue& value) {
    const auto seconds = value.real();
    constexpr double kMost = 2.5e11;
    if (!seconds || !(*seconds > 0) || *seconds > kMost) return std::nullopt;
    return epoch_ms(static_cast<std::int64_t>(*seconds * 1000 + 0.5));
}

class ZulipExport {
public:
    ZulipExport(ContainerReader& reader, const Input& input)
        : reader_(reader), input_(input), files_(files_of(reader)), out_(kName, files_, input.context, input.sink) {}

    Result<bool> run() {
        const auto realm = reader_.take(kRealm, input_.context.limits.csv);
        if (!realm) return false;
        reader_.give_back(kRealm);  // sealed with the rest
        read_realm(as_text(*realm));
        read_attachments();
        for (const auto& [path, member] : reader_.container().members()) {
            if (!is_messages(path)) continue;
            const auto page = reader_.take(path, input_.context.limits.csv);
            if (!page) continue;
            const auto source = memory_source(*page);
            TRY(read_json_feed(*source, {"zerver_message"}, kName, input_.context, input_.sink,
                               [&](Bytes json) { return message(as_text(json)); }));
        }
        TRY(reactions(as_text(*realm)));
        return true;
    }

private:
    struct Place {
        vault::Conversation where;
        std::vector<std::int64_t> members;
        std::int64_t to = 0;  // of messages to one person: who
    };
    struct File {
        std::string name, path, type;
        std::optional<std::int64_t> size;
    };

    template <typename Give>
    void rows(std::string_view tables, std::string_view table, const Give& give) {
        JsonParser parser;
        for (const std::string_view row : json_elements(json_member(tables, table)))
            if (parser.parse(as_bytes(row)).empty())
                give(parser.root());
            else
                out_.finding("row-unreadable");
    }

    void read_realm(std::string_view realm) {
        for (const std::string_view table :
             {"zerver_userprofile", "zerver_userprofile_crossrealm", "zerver_userprofile_mirrordummy"})
            rows(realm, table, [this](const JsonValue& row) { add_person(row); });
        std::map<std::int64_t, std::string> streams;
        rows(realm, "zerver_stream", [&](const JsonValue& row) {
            if (const auto id = row.integer("id")) streams[*id] = out_.clipped(row.text("name"));
        });
        rows(realm, "zerver_recipient", [&](const JsonValue& row) {
            const auto id = row.integer("id"), type = row.integer("type"), of = row.integer("type_id");
            if (!id || !type || !of) return;
            constexpr std::int64_t kPerson = 1, kStream = 2;
            Place& place = places_[*id];
            const char* word = *type == kPerson ? "person/" : *type == kStream ? "stream/" : "group/";
            place.where.id = word + std::to_string(*of);
            if (*type == kStream) place.where.title = streams[*of];
            place.where.type = *type == kPerson   ? vault::ConversationType::direct
                               : *type == kStream ? vault::ConversationType::channel
                                                  : vault::ConversationType::group;
            if (*type == kPerson) place.to = *of;
        });
        rows(realm, "zerver_subscription", [&](const JsonValue& row) {
            const auto who = row.integer("user_profile"), in = row.integer("recipient");
            const auto place = who && in ? places_.find(*in) : places_.end();
            if (place != places_.end() && place->second.where.type == vault::ConversationType::group &&
                place->second.members.size() <= kMostMembers)
                place->second.members.push_back(*who);
        });
        rows(realm, "zerver_reaction", [&](const JsonValue& row) {
            if (const auto of = row.integer("message")) reacted_.emplace(*of, 0);
        });
    }

    void add_person(const JsonValue& row) {
        constexpr std::int64_t kGuest = 600;
        const auto id = row.integer("id");
        if (!id) return;
        vault::Person& known = people_[*id];
        known.id = std::to_string(*id);
        known.name = out_.clipped(row.text("full_name"));
        known.address =
            out_.clipped(row.text("delivery_email").empty() ? row.text("email") : row.text("delivery_email"));
        known.guest = row.integer("role") == kGuest;
    }

    void read_attachments() {
        const auto tables = reader_.take(kAttachments, input_.context.limits.csv);
        reader_.give_back(kAttachments);
        if (!tables) return;
        rows(as_text(*tables), "zerver_attachment", [this](const JsonValue& row) {
            for (const JsonValue& of : row["messages"].items())
                if (const auto id = of.integer())
                    files_by_message_[*id].push_back({std::string(row.text("file_name")),
                                                      std::string(row.text("path_id")),
                                                      std::string(row.text("content_type")), row.integer("size")});
        });
    }

    vault::Person person(std::int64_t id) const {
        const auto known = people_.find(id);
        if (known != people_.end()) return known->second;
        vault::Person out;
        out.id = std::to_string(id);
        return out;
    }

    // One person's messages to another and back are one conversation.
    Place place_of(std::int64_t recipient, std::int64_t sender) {
        const auto known = places_.find(recipient);
        if (known == places_.end()) {
            out_.finding("unknown-conversation");
            Place made;
            made.where.id = "recipient/" + std::to_string(recipient);
            return made;
        }
        Place out = known->second;
        if (out.where.type == vault::ConversationType::direct) {
            out.where.id =
                "direct/" + std::to_string(std::min(sender, out.to)) + "-" + std::to_string(std::max(sender, out.to));
            out.members = {out.to};
        }
        return out;
    }

    Status message(std::string_view json) {
        std::string_view reason = parser_.parse(as_bytes(json));
        const JsonValue root = parser_.root();
        const auto id = root.integer("id");
        if (reason.empty() && (!root.is_object() || !id)) reason = "no-message";
        if (!reason.empty()) return out_.refuse(json, reason);
        const std::int64_t sender = root.integer("sender").value_or(0),
                           recipient = root.integer("recipient").value_or(0);
        const Place place = place_of(recipient, sender);
        if (const auto of = reacted_.find(*id); of != reacted_.end()) of->second = recipient;
        ParsedItem item = out_.start(MessageKind::chat, std::to_string(*id), place.where);
        Message& m = item.message;
        out_.time(time_of(root["date_sent"]), m);
        m.sender = person(sender);
        m.subject = out_.clipped(root.text("subject"));
        for (const std::int64_t member : place.members)
            if (member != sender && place.members.size() <= kMostMembers)
                m.recipients.push_back({vault::Role::member, person(member)});
        if (place.members.size() > kMostMembers) add_note(m, "limit:recipients");
        const Message base = m;
        if (const auto files = files_by_message_.find(*id); files != files_by_message_.end())
            for (const File& file : files->second)
                out_.file({file.name, file.type, file.size}, {"uploads/" + file.path}, m);
        const auto texts = versions(root);
        put_body(texts.front().text, out_.limits(), m);
        item.update_type = version_of(texts.front().text);
        TRY(out_.give(std::move(item), raw_of(texts, 0, json)));
        return edits(texts, base, json);
    }

    struct Version {
        std::string text;
        std::optional<UtcTime> at;
        std::int64_t by = 0;
    };

    // From the first text to the newest; edit_history has the newest change first.
    static std::vector<Version> versions(const JsonValue& root) {
        std::vector<Version> out{{std::string(root.text("content")), {}, 0}};
        JsonParser parser;
        if (!parser.parse(as_bytes(root.text("edit_history"))).empty()) return out;
        for (const JsonValue& change : parser.root().items()) {
            if (!change["prev_content"].is_text()) continue;
            out.back().at = time_of(change["timestamp"]);
            out.back().by = change.integer("user_id").value_or(0);
            out.push_back({std::string(change.text("prev_content")), {}, 0});
        }
        std::reverse(out.begin(), out.end());
        return out;
    }

    // The newest version has the message as it stands in the export; those before have their text.
    static Bytes raw_of(const std::vector<Version>& texts, std::size_t i, std::string_view json) {
        if (i + 1 == texts.size()) return to_bytes(json);
        return to_bytes(texts[i].text.empty() ? std::string_view("\"\"") : std::string_view(texts[i].text));
    }

    Status edits(const std::vector<Version>& texts, const Message& base, std::string_view json) {
        for (std::size_t i = 1; i < texts.size(); ++i) {
            ParsedItem item;
            Message& m = item.message = base;
            m.kind = MessageKind::edit;
            m.target = m.native_id;
            m.sent_at = texts[i].at;
            if (!m.sent_at) add_note(m, "edit-time-unknown");
            if (texts[i].by != 0) m.sender = person(texts[i].by);
            if (texts[i].text.size() + texts[i - 1].text.size() <= out_.limits().body)
                m.previous_body = texts[i - 1].text;
            put_body(texts[i].text, out_.limits(), m);
            item.update_type =
                "edited@" + (m.sent_at ? format_rfc3339(*m.sent_at) : std::string()) + "/" + version_of(texts[i].text);
            TRY(out_.give(std::move(item), raw_of(texts, i, json)));
        }
        return ok_status();
    }

    Status reactions(std::string_view realm) {
        for (const std::string_view row : json_elements(json_member(realm, "zerver_reaction"))) {
            if (!parser_.parse(as_bytes(row)).empty()) continue;  // was counted
            const JsonValue root = parser_.root();
            const auto id = root.integer("id"), of = root.integer("message"), who = root.integer("user_profile");
            if (!id || !of || !who) continue;
            const auto in = reacted_.find(*of);
            const auto place = in == reacted_.end() ? places_.end() : places_.find(in->second);
            vault::Conversation where;
            if (place != places_.end() && place->second.where.type != vault::ConversationType::direct)
                where = place->second.where;
            ParsedItem item = out_.start(MessageKind::reaction, "reaction/" + std::to_string(*id), where);
            item.message.target = std::to_string(*of);
            item.message.sender = person(*who);
            item.message.notes = {"sent-time-missing"};
            put_body(root.text("emoji_name"), out_.limits(), item.message);
            TRY(out_.give(std::move(item), to_bytes(row)));
        }
        return ok_status();
    }

    ContainerReader& reader_;
    const Input& input_;
    const ExportFiles files_;
    ChatOut out_;
    JsonParser parser_;
    std::unordered_map<std::int64_t, vault::Person> people_;
    std::unordered_map<std::int64_t, Place> places_;
    std::unordered_map<std::int64_t, std::vector<File>> files_by_message_;
    std::unordered_map<std::int64_t, std::int64_t> reacted_;  // message to its recipient
};

Certainty looks(const Sample& sample) {
    if (!sample.is_folder() && !sample.is_zip()) return Certainty::no;
    if (!sample.has(kRealm) || !sample.has("messages-000001.json")) return Certainty::no;
    return sample.member_starting(kRealm).find("\"zerver_") != std::string::npos ? Certainty::sure : Certainty::no;
}

Status read_path(const Input& input) {
    return read_container(input, kName, [&](ContainerReader& reader) { return read_zulip(reader, input); });
}

}  // namespace

Result<bool> read_zulip(ContainerReader& reader, const Input& input) {
    return ZulipExport(reader, input).run();
}

const Format kZulipFormat = {{kName,
                              "Zulip export (organisation)",
                              {.level = EvidentialLevel::medium,
                               .ids = Carries::yes,
                               .edits = Carries::yes,
                               .deletions = Carries::no,
                               .time_zone = Carries::yes,
                               .membership = Carries::no,
                               .attachments = Carries::yes}},
                             looks,
                             read_path,
                             true};

}  // namespace kustos::ingest
