// Matrix events, Element's room export, Synapse's export-data.
#include <doctest/doctest.h>

#include "ingest/src/matrix_event.h"
#include "ingest/src/single_formats.h"
#include "tests/ingest/chat_truth.h"
#include "tests/ingest/zip_builder.h"
#include "tests/support/doc_example.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::ingest;
using nlohmann::json;
using vault::Message;
using vault::MessageKind;

namespace {

const test::ChatTruth::Cannot kMatrix = {.file_bytes = true};

Message parse(const std::string& text, const MatrixContext& context = {}) {
    ParsedItem item = parse_matrix_event(as_bytes(text), context);
    CHECK(to_text(item.message.raw) == text);
    return std::move(item.message);
}

// {"$ref": "core/x.json", ...}: x, with what stands beside it in its place.
json resolved(const Path& file) {
    const std::function<json(json)> resolve = [&](json value) -> json {
        if (value.is_array()) {
            for (auto& one : value) one = resolve(one);
        } else if (value.is_object()) {
            json base = json::object();
            if (value.contains("$ref")) {
                const Path other = file.parent_path() / value["$ref"].get<std::string>();
                base = resolved(other);
                if (base.is_array()) return base;
                value.erase("$ref");
            }
            for (auto& [key, one] : value.items()) base[key] = resolve(one);
            return base;
        }
        return value;
    };
    return resolve(json::parse(test::read_text(file)));
}

std::string event(const std::string& type, const std::string& content, const std::string& more = "") {
    return "{\"type\":\"" + type +
           "\",\"event_id\":\"$e:a.example\",\"room_id\":\"!r:a.example\",\"sender\":\"@anna:a.example\","
           "\"origin_server_ts\":1709283600000,\"content\":" +
           content + more + "}";
}

// The truth's ids by what was said: a Matrix server gives its own.
struct Ids {
    explicit Ids(const std::vector<ParsedItem>& items) {
        for (const auto& item : items) {
            const Message& m = item.message;
            if (m.kind != MessageKind::chat || !m.sent_at) continue;
            ids[m.sender.id + "\n" + std::to_string(m.sent_at->ms)] = m.native_id;
        }
    }
    std::string operator()(const json& t) const {
        const auto at =
            ids.find("@" + t["user"].get<std::string>() + ":beispiel.example\n" + std::to_string(t["ts"].get<long>()));
        return at == ids.end() ? "none" : at->second;
    }
    std::map<std::string, std::string> ids;
};

// In Matrix a file is a message of its own beside the text: the truth's message and its files are told together here.
std::vector<ParsedItem> without_files(const std::vector<ParsedItem>& items, std::set<std::string>& files) {
    std::vector<ParsedItem> out;
    for (const auto& item : items) {
        if (item.message.kind == MessageKind::file) {
            for (const auto& a : item.message.attachments) files.insert(a.name);
        } else if (item.message.notes != std::vector<std::string>{"encrypted:megolm"}) {
            out.push_back(item);
        }
    }
    return out;
}

void compare(const std::vector<ParsedItem>& all) {
    const auto truth = test::ChatTruth::load();
    std::set<std::string> files, wanted;
    const auto items = without_files(all, files);
    auto cannot = kMatrix;
    cannot.files = true;
    const Ids ids(items);
    truth.compare(
        items, cannot, ids, [](const std::string& room) { return "!" + room + "abcdefgh:beispiel.example"; },
        [](const std::string& user) { return "@" + user + ":beispiel.example"; });
    for (const auto& t : truth.json["messages"])
        for (const auto& f : t["files"]) wanted.insert(f["name"]);
    CHECK(files == wanted);
}

}  // namespace

TEST_CASE("an application service's transactions say everything that truth.json says but the files' bytes") {
    test::Collect out;
    ReadContext context;
    std::set<Bytes> seen;
    std::vector<ParsedItem> once;
    REQUIRE(read(test::ingest_data("matrix/transactions"), nullptr, context, out).ok());
    CHECK(out.quarantined() == 0);
    CHECK(out.findings == Findings{{"matrix:media-missing", 4}});
    // One transaction was sent twice: the second time nothing in it is new.
    for (auto& item : out.items)
        if (seen.insert(dedupe_identity(item.message, item.update_type)).second) once.push_back(std::move(item));
    CHECK(out.items.size() - once.size() == 7);
    compare(once);
}

TEST_CASE("Element's export of the three rooms says the same") {
    std::vector<ParsedItem> all;
    for (const char* room : {"anna__jurgen", "geschaeftsfuehrung", "vertrieb"}) {
        const Path file = test::ingest_data("element") / ("element_export_" + std::string(room) + ".json");
        auto out = test::read_as(file, "element");
        CHECK(out.quarantined() == 0);
        CHECK(test::raw_bytes(out.items) == test::read_text(file).size());
        CHECK(out.items.back().message.notes == std::vector<std::string>{"rest-of-export"});
        out.items.pop_back();
        for (auto& item : out.items) all.push_back(std::move(item));
    }
    compare(all);
}

TEST_CASE("an event is the same event from the server and from Element, however it is written") {
    test::Collect server, element;
    REQUIRE(read(test::ingest_data("matrix/transactions"), nullptr, {}, server).ok());
    REQUIRE(read(test::ingest_data("element"), nullptr, {}, element).ok());
    for (auto* all : {&server.items, &element.items})
        std::erase_if(*all, [](const auto& item) { return item.message.native_id.empty(); });
    CHECK(server.items.size() > 50);
    CHECK(test::new_on_second_import(server.items, element.items) == 0);
}

TEST_CASE("every event type of the specification comes out without quarantine") {
    if (!test::shared_dir()) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    const Path folder = *test::shared_dir() / "corpora/messenger/matrix/spec-examples";
    std::map<MessageKind, std::size_t> kinds;
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        const json example = resolved(entry.path());
        ++files;
        if (example.is_array() || !example.contains("type")) continue;  // parts that others include
        CAPTURE(entry.path().filename().string());
        const Message m = parse(example.dump());
        CHECK(m.kind != MessageKind::unreadable);
        if (example.contains("room_id") && example.contains("event_id"))
            CHECK(m.conversation.id == example["room_id"].get<std::string>());
        ++kinds[m.kind];
    }
    CHECK(files == 89);
    CHECK(kinds[MessageKind::chat] >= 6);
    CHECK(kinds[MessageKind::file] == 5);
    CHECK(kinds[MessageKind::call] == 8);
    CHECK(kinds[MessageKind::join] == 2);
    CHECK(kinds[MessageKind::reaction] == 1);
    CHECK(kinds[MessageKind::deletion] == 1);
}

TEST_CASE("messages, edits, threads, replies, reactions and redactions of Matrix") {
    Message m =
        parse(event("m.room.message",
                    R"({"msgtype":"m.text","body":"* neu","format":"org.matrix.custom.html","formatted_body":"<b>*</b>",
        "m.new_content":{"msgtype":"m.text","body":"neu"},"m.relates_to":{"rel_type":"m.replace","event_id":"$old"}})"));
    CHECK(m.kind == MessageKind::edit);
    CHECK(m.target == "$old");
    CHECK(m.body == "neu");
    CHECK(m.body_html.empty());
    CHECK(m.sender.id == "@anna:a.example");
    CHECK(m.sender.home == "a.example");
    m = parse(event("m.room.message", R"({"msgtype":"m.text","body":"x","m.relates_to":{"rel_type":"m.thread",
        "event_id":"$root","is_falling_back":true,"m.in_reply_to":{"event_id":"$last"}}})"));
    CHECK(m.thread == "$root");
    CHECK(m.reply_to.empty());
    m = parse(event("m.room.message",
                    R"({"msgtype":"m.emote","body":"x","m.relates_to":{"m.in_reply_to":{"event_id":"$q"}}})"));
    CHECK(m.reply_to == "$q");
    CHECK(m.notes == std::vector<std::string>{"msgtype:m.emote"});
    m = parse(event("m.reaction", R"({"m.relates_to":{"rel_type":"m.annotation","event_id":"$m","key":"+1"}})"));
    CHECK(m.kind == MessageKind::reaction);
    CHECK(m.target == "$m");
    CHECK(m.body == "+1");
    for (const char* more : {R"(,"redacts":"$m")", ""}) {
        m = parse(event("m.room.redaction", *more ? R"({"reason":"falsch"})" : R"({"reason":"falsch","redacts":"$m"})",
                        more));
        CHECK(m.kind == MessageKind::deletion);
        CHECK(m.target == "$m");
        CHECK(m.subject == "falsch");
    }
}

TEST_CASE("ciphertext of Matrix is kept, with who sent it when and in which thread") {
    const Message m = parse(event("m.room.encrypted", R"({"algorithm":"m.megolm.v1.aes-sha2","ciphertext":"AwgA",
        "session_id":"s","m.relates_to":{"rel_type":"m.thread","event_id":"$root"}})"));
    CHECK(m.kind == MessageKind::chat);
    CHECK(m.notes == std::vector<std::string>{"encrypted:megolm"});
    CHECK(m.body.empty());
    CHECK(m.thread == "$root");
    CHECK(to_text(m.raw).find("AwgA") != std::string::npos);
}

TEST_CASE("joins, leaves, kicks, bans and changes of a profile are told apart, with who they are about") {
    const auto member = [](const std::string& who, const std::string& what, const std::string& before) {
        return parse(event(
            "m.room.member", "{\"membership\":\"" + what + "\",\"displayname\":\"Bert\"}",
            ",\"state_key\":\"" + who + "\",\"unsigned\":{\"prev_content\":{\"membership\":\"" + before + "\"}}"));
    };
    Message m = member("@anna:a.example", "join", "leave");
    CHECK(m.kind == MessageKind::join);
    CHECK(m.sender.name == "Bert");
    CHECK(m.recipients.empty());
    CHECK(member("@anna:a.example", "join", "join").kind == MessageKind::status);
    CHECK(member("@anna:a.example", "leave", "join").kind == MessageKind::leave);
    CHECK(member("@anna:a.example", "leave", "invite").kind == MessageKind::status);
    CHECK(member("@bert:b.example", "invite", "").kind == MessageKind::status);
    m = member("@bert:b.example", "ban", "join");
    CHECK(m.kind == MessageKind::leave);
    CHECK(m.sender.id == "@bert:b.example");
    CHECK(m.sender.home == "b.example");
    REQUIRE(m.recipients.size() == 1);
    CHECK(m.recipients[0].person.id == "@anna:a.example");
}

TEST_CASE("persons of the own server have no home, and rooms and persons are called as the events said") {
    MatrixNames names;
    MatrixContext context;
    context.own_server = "a.example";
    context.names = &names;
    parse(event("m.room.name", R"({"name":"Vertrieb"})", R"(,"state_key":"")"), context);
    parse(event("m.room.member", R"({"membership":"join","displayname":"Anna"})", R"(,"state_key":"@anna:a.example")"),
          context);
    const Message m = parse(event("m.room.message", R"({"msgtype":"m.text","body":"x"})"), context);
    CHECK(m.sender.home.empty());
    CHECK(m.sender.name == "Anna");
    CHECK(m.conversation.title == "Vertrieb");
}

TEST_CASE("files of Matrix are named, with where they can be fetched; voice messages have a length") {
    std::vector<MatrixMedia> media;
    const std::string text = event("m.room.message", R"({"msgtype":"m.audio","body":"Hör zu","filename":"../a.ogg",
        "info":{"mimetype":"Audio/OGG","size":7,"duration":2500},"org.matrix.msc3245.voice":{},"url":"mxc://a.example/x_1"})");
    const Message m = parse_matrix_event(as_bytes(text), {}, {}, nullptr, &media).message;
    CHECK(m.kind == MessageKind::voice);
    CHECK(m.duration_ms == 2500);
    CHECK(m.body == "Hör zu");
    REQUIRE(m.attachments.size() == 1);
    CHECK(m.attachments[0].name == "a.ogg");
    CHECK(m.attachments[0].media_type == "audio/ogg");
    CHECK(m.attachments[0].declared_size == 7);
    CHECK(m.attachments[0].missing);
    REQUIRE(media.size() == 1);
    CHECK(media[0].url == "mxc://a.example/x_1");
    for (const char* url :
         {"https://a.example/x", "mxc://a.example/../x", "mxc:///x", "mxc://a.example/", "mxc://a/x?y"}) {
        media.clear();
        parse_matrix_event(
            as_bytes(event("m.room.message", std::string(R"({"msgtype":"m.file","body":"x","url":")") + url + "\"}")),
            {}, {}, nullptr, &media);
        CHECK(media.empty());
    }
}

TEST_CASE("two events with one id are both kept, and the conflict is told") {
    test::Collect out;
    const std::string text = test::read_text(test::ingest_data("hostile/matrix_no_event_id.json"));
    REQUIRE(read_matrix(*memory_source(as_bytes(text)), {}, out).ok());
    CHECK(out.items.size() == 6);
    CHECK(out.quarantined() == 3);  // null, "x", a type that is a number
    CHECK(out.findings.at("matrix:id-conflict") == 1);
    CHECK(out.findings.at("matrix:no-event-id") == 1);
    CHECK(out.findings.at("matrix:bad-time") == 1);
    CHECK(test::new_on_second_import({}, out.items) == 6);
}

TEST_CASE("what is no event is quarantined with its bytes") {
    const std::pair<const char*, const char*> bad[] = {{"", "not-json"},
                                                       {"{", "not-json"},
                                                       {"[]", "not-an-object"},
                                                       {"{\"type\":7}", "no-type"},
                                                       {"{\"type\":\"a\",\"type\":\"b\"}", "duplicate-key"},
                                                       {"{\"type\":\"\\ud800\"}", "not-json"}};
    for (const auto& [line, reason] : bad) {
        const char* const text = line;  // clang 14 captures no binding
        CAPTURE(text);
        const Message m = parse(text);
        CHECK(m.kind == MessageKind::unreadable);
        CHECK(m.notes == std::vector<std::string>{"quarantine:" + std::string(reason)});
    }
    for (const std::size_t depth : {100'000u, 50'000u}) {
        test::Collect out;
        const std::string text = std::string(depth, '[') + std::string(depth, ']');
        REQUIRE(read_matrix(*memory_source(as_bytes(text)), {}, out).ok());
        CHECK(out.quarantined() == 1);
        std::string objects;
        for (std::size_t i = 0; i < depth; ++i) objects += "{\"a\":";
        test::Collect deep;
        REQUIRE(read_matrix(*memory_source(as_bytes(objects)), {}, deep).ok());
        CHECK(deep.quarantined() == 1);
        CHECK(test::raw_bytes(deep.items) == objects.size());
    }
    test::Collect lone;
    const std::string surrogate = test::read_text(test::ingest_data("hostile/matrix_lone_surrogate.json"));
    REQUIRE(read_matrix(*memory_source(as_bytes(surrogate)), {}, lone).ok());
    CHECK(lone.quarantined() == 1);
}

TEST_CASE("lists, lines and lists of transactions give the same events") {
    const std::string one = event("m.room.message", R"({"msgtype":"m.text","body":"eins"})"),
                      two = event("m.room.message", R"({"msgtype":"m.text","body":"zwei"})");
    const std::string forms[] = {"[" + one + "," + two + "]",
                                 one + "\n" + two + "\n",
                                 one + two,
                                 "{\"events\":[" + one + "," + two + "]}",
                                 "[{\"events\":[" + one + "]},{\"events\":[" + two + "],\"ephemeral\":[]}]",
                                 "{\"start\":\"t\",\"chunk\":[" + one + "," + two + "],\"state\":[]}"};
    for (const std::string& form : forms) {
        CAPTURE(form);
        test::Collect out;
        REQUIRE(read_matrix(*memory_source(as_bytes(form)), {}, out).ok());
        REQUIRE(out.items.size() >= 2);
        CHECK(out.items[0].message.body == "eins");
        CHECK(out.items[1].message.body == "zwei");
        CHECK(out.quarantined() == 0);
    }
}

TEST_CASE("Synapse's export-data is read as a folder: events and state, the rest as files") {
    test::TempDir dir;
    const Path room = dir / "export/rooms/!r:a.example";
    std::filesystem::create_directories(room / "state");
    std::filesystem::create_directories(dir / "export/user_data");
    // PDUs have no id and say their room or not; they follow each other without anything between them.
    const std::string pdu =
        R"({"auth_events":[],"type":"m.room.message","sender":"@anna:a.example","origin_server_ts":1709283600000,)"
        R"("content":{"msgtype":"m.text","body":"hallo"}})";
    test::write_text(room / "events", pdu + pdu);
    test::write_text(room / "state/$x",
                     R"({"type":"m.room.name","state_key":"","sender":"@anna:a.example","origin_server_ts":1,)"
                     R"("content":{"name":"Vertrieb"}})");
    test::write_text(dir / "export/user_data/profile", "{}");
    const auto out = test::read_as(dir / "export", "synapse-export");
    REQUIRE(out.items.size() == 4);
    CHECK(out.items[0].message.kind == MessageKind::status);
    CHECK(out.items[1].message.body == "hallo");
    CHECK(out.items[1].message.conversation.id == "!r:a.example");
    CHECK(out.items[1].message.conversation.title == "Vertrieb");
    CHECK(out.items[3].message.attachments.at(0).name == "user_data/profile");
    CHECK(test::new_on_second_import({}, out.items) == 3);  // the same PDU twice is one
}

TEST_CASE("a zip of Element has its files where their names are plain") {
    test::TempDir dir;
    test::ZipBuilder zip;
    const auto image = [](const std::string& id, const std::string& name) {
        return R"({"type":"m.room.message","event_id":"$)" + id +
               R"(","room_id":"!r:a","sender":"@a:a","origin_server_ts":1709283600000,"content":{"msgtype":"m.image","body":")" +
               name + R"(","url":"mxc://a/b"}})";
    };
    zip.add("matrix/export.json", R"({"room_name":"r","room_creator":"@a:a","exported_by":"@a:a","messages":[)" +
                                      image("1", "photo.png") + "," + image("2", "twice.png") + "]}");
    zip.add("matrix/images/photo-29-11-2026 at 10-00-00.png", "bytes");
    zip.add("matrix/images/twice-29-11-2026 at 10-00-00.png", "one");
    zip.add("matrix/images/twice-29-11-2026 at 11-00-00.png", "two");
    zip.write(dir / "x.zip");
    const auto out = test::read_as(dir / "x.zip", "element");
    CHECK(out.quarantined() == 0);
    REQUIRE(out.items.size() == 5);  // two messages, the frame, two files that nobody can tell apart
    CHECK(to_text(out.items[0].message.attachments.at(0).content) == "bytes");
    CHECK(out.items[1].message.attachments.at(0).missing);
    CHECK(out.findings == Findings{{"matrix:media-missing", 1}});
}

TEST_CASE("the worked examples of the Matrix, Element and Synapse pages are read as the pages say") {
    test::Collect out, element, synapse;
    const std::string text = test::doc_text("matrix.md", "matrix"), room = test::doc_text("element.md", "element"),
                      pdus = test::doc_text("synapse-export.md", "events");
    REQUIRE(read_matrix(*memory_source(as_bytes(text)), {}, out).ok());
    REQUIRE(out.items.size() == 5);
    const MessageKind kinds[] = {MessageKind::join, MessageKind::chat, MessageKind::edit, MessageKind::deletion,
                                 MessageKind::chat};
    for (std::size_t i = 0; i < 5; ++i) CHECK(out.items[i].message.kind == kinds[i]);
    CHECK(out.items[4].message.notes == std::vector<std::string>{"encrypted:megolm"});
    REQUIRE(read_element(*memory_source(as_bytes(room)), {}, {}, element).ok());
    REQUIRE(element.items.size() == 2);
    CHECK(element.items[0].message.body == "Guten Morgen");
    CHECK(element.items[1].message.notes == std::vector<std::string>{"rest-of-export"});
    REQUIRE(read_matrix(*memory_source(as_bytes(pdus)), {}, synapse).ok());
    REQUIRE(synapse.items.size() == 2);
    CHECK(synapse.items[1].message.body == "zwei");
}
