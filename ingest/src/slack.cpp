// Slack's export (a zip or folder with a folder for each conversation) and slackdump's dumps (docs/format/slack.md).
#include <algorithm>

#include "base/text.h"
#include "ingest/src/all_formats.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/json_feed.h"
#include "ingest/src/json_scan.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/slack_message.h"

namespace kustos::ingest {

namespace {

constexpr std::string_view kName = "slack";
constexpr std::string_view kDumpName = "slackdump";
constexpr std::uint64_t kMaxIndex = 64u << 20;

struct Index {
    std::string_view file;
    vault::ConversationType type;
    bool by_name;  // its folders are called by name, else by id
};
constexpr Index kIndexes[] = {{"channels.json", vault::ConversationType::channel, true},
                              {"groups.json", vault::ConversationType::channel, true},
                              {"mpims.json", vault::ConversationType::group, true},
                              {"dms.json", vault::ConversationType::direct, false}};
constexpr std::string_view kUsers[] = {"users.json", "org_users.json"};

bool is_day(std::string_view name) {  // "2024-03-01.json"
    constexpr std::string_view kPattern = "0000-00-00.json";
    if (name.size() != kPattern.size()) return false;
    for (std::size_t i = 0; i < name.size(); ++i)
        if (kPattern[i] == '0' ? name[i] < '0' || name[i] > '9' : name[i] != kPattern[i]) return false;
    return true;
}

class SlackExport {
public:
    SlackExport(ContainerReader& reader, const Input& input)
        : reader_(reader), input_(input), files_(files_of(reader)), out_(kName, files_, input.context, input.sink) {}

    Result<bool> run() {
        bool any = false;
        for (const std::string_view users : kUsers)
            TRY(elements(users, [&](const JsonValue& user) { names_.add_person(user, input_.context.limits); }));
        for (const Index& index : kIndexes)
            TRY(elements(index.file, [&](const JsonValue& one) { add_place(one, index); }));
        SlackReader messages(names_, out_);
        for (const auto& [path, member] : reader_.container().members()) {
            const std::size_t slash = path.find('/');
            if (slash == std::string::npos || !is_day(std::string_view(path).substr(slash + 1))) continue;
            const auto day = reader_.take(path, input_.context.limits.csv);
            if (!day) continue;
            any = true;
            const SlackPlace& place = place_of(path.substr(0, slash));
            const auto source = memory_source(*day);
            TRY(read_json_feed(*source, {}, kName, input_.context, input_.sink,
                               [&](Bytes json) { return messages.read(as_text(json), place); }));
        }
        return any || !names_.people.empty();
    }

private:
    // Of an index; it is sealed with the rest.
    template <typename Give>
    Status elements(std::string_view file, const Give& give) {
        const auto text = reader_.take(file, kMaxIndex);
        reader_.give_back(file);
        if (!text) {
            if (reader_.container().find(file)) out_.finding("index-unreadable");
            return ok_status();
        }
        JsonParser parser;
        for (const std::string_view one : json_elements(trim(as_text(*text)))) {
            if (parser.parse(as_bytes(one)).empty())
                give(parser.root());
            else
                out_.finding("index-unreadable");
        }
        return ok_status();
    }

    void add_place(const JsonValue& one, const Index& index) {
        const std::string_view id = one.text("id"), name = one.text("name");
        if (id.empty()) return;
        SlackPlace place;
        place.folder = index.by_name && !name.empty() ? name : id;
        place.where.id = out_.clipped(id);
        place.where.title = out_.clipped(name);
        place.where.type = index.type;
        names_.channels[std::string(id)] = place.where.title;
        const auto members = one["members"].items();
        if (index.type != vault::ConversationType::channel && members.size() <= kMostMembers)
            for (const JsonValue& member : members) {
                const auto known = names_.people.find(member.text());
                vault::Person person;
                person.id = out_.clipped(member.text());
                place.members.push_back(known != names_.people.end() ? known->second : person);
            }
        places_[place.folder] = std::move(place);
    }

    const SlackPlace& place_of(const std::string& folder) {
        const auto known = places_.find(folder);
        if (known != places_.end()) return known->second;
        out_.finding("unknown-conversation");
        SlackPlace& made = places_[folder];
        made.folder = folder;
        made.where.id = made.where.title = out_.clipped(folder);
        return made;
    }

    ContainerReader& reader_;
    const Input& input_;
    const ExportFiles files_;
    ChatOut out_;
    SlackNames names_;
    std::map<std::string, SlackPlace> places_;
};

Certainty looks(const Sample& sample) {
    if (!sample.is_folder() && !sample.is_zip()) return Certainty::no;
    const auto has = [&](std::string_view name) { return sample.has(name); };
    if (!has("channels.json") && !has("groups.json") && !has("dms.json") && !has("mpims.json")) return Certainty::no;
    for (const std::string_view users : kUsers) {
        const std::string text = has(users) ? sample.member_starting(users) : "";
        if (text.find('[') != std::string::npos && text.find("\"id\"") != std::string::npos) return Certainty::sure;
    }
    return Certainty::no;
}

Status read_path(const Input& input) {
    return read_container(input, kName, [&](ContainerReader& reader) { return SlackExport(reader, input).run(); });
}

// --- slackdump dump: a JSON for each conversation ---

bool is_dump(std::string_view text) {
    if (text.empty() || text.front() != '{') return false;
    const auto has = [text](std::string_view word) { return text.find(word) != std::string_view::npos; };
    return has("\"channel_id\"") && has("\"messages\"") && has("\"ts\"") && !has("\"messageType\"");
}

std::vector<std::string> jsons_of(const Container& container) {
    std::vector<std::string> out;
    for (const auto& [path, member] : container.members())
        if (path.size() > 5 && path.find('/') == std::string::npos && iequals(path.substr(path.size() - 5), ".json"))
            out.push_back(path);
    return out;
}

Certainty dump_looks(const Sample& sample) {
    if (sample.is_folder()) return Certainty::no;
    if (!sample.is_zip()) return !sample.binary() && is_dump(sample.text()) ? Certainty::sure : Certainty::no;
    if (!sample.has_member_ending(".json")) return Certainty::no;
    const auto names = jsons_of(*sample.container());
    const auto looks_like = [&](const std::string& name) { return is_dump(sample.member_starting(name)); };
    return std::any_of(names.begin(), names.begin() + std::min<std::ptrdiff_t>(4, std::ssize(names)), looks_like)
               ? Certainty::sure
               : Certainty::no;
}

Status read_dump_path(const Input& input) {
    const Sample sample = TRY(Sample::of(input.path, input.context));
    if (!sample.is_zip()) {
        auto text =
            TRY(whole_or_quarantine(input.path, input.context.limits.mail, kDumpName, input.context, input.sink));
        return text ? read_slackdump(std::move(*text), {}, input.context, input.sink) : ok_status();
    }
    return read_container(input, kDumpName, [&](ContainerReader& reader) -> Result<bool> {
        bool any = false;
        for (const std::string& name : jsons_of(reader.container())) {
            auto text = reader.take(name, input.context.limits.mail);
            if (!text || !is_dump(trim(as_text(*text)))) {
                reader.give_back(name);
                continue;
            }
            any = true;
            TRY(read_slackdump(std::move(*text), files_of(reader), input.context, input.sink));
        }
        return any;
    });
}

}  // namespace

Status read_slackdump(Bytes json, const ExportFiles& files, const ReadContext& context, ItemSink& sink) {
    ChatOut out(kDumpName, files, context, sink);
    const SlackNames names;
    SlackPlace place;
    // What stands around the messages says where they are: it may come after them.
    JsonParser parser;
    for (const auto& [key, into] : {std::pair{"channel_id", &place.where.id}, {"name", &place.where.title}})
        if (const std::string_view value = json_member(as_text(json), key);
            !value.empty() && value.front() == '"' && parser.parse(as_bytes(value)).empty())
            *into = out.clipped(parser.root().text());
    if (place.where.id.empty()) out.finding("unknown-conversation");
    const char kind = place.where.id.empty() ? '-' : place.where.id.front();
    place.where.type = kind == 'D'   ? vault::ConversationType::direct
                       : kind == 'C' ? vault::ConversationType::channel
                                     : vault::ConversationType::unknown;
    SlackReader messages(names, out);
    const auto source = memory_source(json);
    return read_json_feed(*source, {"messages"}, kDumpName, context, sink,
                          [&](Bytes one) { return messages.read(as_text(one), place); });
}

const Format kSlackFormat = {{kName,
                              "Slack export (zip)",
                              {.level = EvidentialLevel::medium,
                               .ids = Carries::yes,
                               .edits = Carries::partly,      // that and when, not the text before
                               .deletions = Carries::partly,  // only where a thread or reaction hung on the message
                               .time_zone = Carries::yes,
                               .membership = Carries::partly,
                               .attachments = Carries::partly}},  // links; files only from slackdump
                             looks,
                             read_path,
                             true};
const Format kSlackdumpFormat = {{kDumpName,
                                  "slackdump dump (JSON)",
                                  {.level = EvidentialLevel::medium,
                                   .ids = Carries::yes,
                                   .edits = Carries::partly,
                                   .deletions = Carries::partly,
                                   .time_zone = Carries::yes,
                                   .membership = Carries::partly,
                                   .attachments = Carries::partly}},
                                 dump_looks,
                                 read_dump_path};

}  // namespace kustos::ingest
