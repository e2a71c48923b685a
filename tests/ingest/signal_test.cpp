// Signal, as signal-cli and signal-export write it.
#include <doctest/doctest.h>

#include <filesystem>

#include "ingest/src/single_formats.h"
#include "tests/ingest/chat_truth.h"
#include "tests/support/doc_example.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::ingest;
using nlohmann::json;
using vault::MessageKind;

namespace {

bool has_note(const vault::Message& m, std::string_view note) {
    return std::find(m.notes.begin(), m.notes.end(), note) != m.notes.end();
}
test::Collect lines(const std::string& text) {
    test::Collect out;
    REQUIRE(read_signal_cli(*memory_source(as_bytes(text)), {}, out).ok());
    return out;
}
test::Collect envelope(const std::string& more) {
    json e = json::parse(
        R"({"source":"+491","sourceNumber":"+491","sourceUuid":"u1","sourceName":"Anna","timestamp":1709283600000})");
    e.update(json::parse(more));
    return lines(json{{"envelope", e}, {"account", "+499"}}.dump());
}
ReadContext berlin() {
    ReadContext out;
    out.time_zone = "Europe/Berlin";
    return out;
}
test::Collect chat(const std::string& text) {
    test::Collect out;
    REQUIRE(read_sigexport(text, "Vertrieb", {}, berlin(), out).ok());
    return out;
}
void keep_rooms(test::ChatTruth& truth, const std::set<std::string>& rooms) {
    json kept = json::array();
    for (const json& t : truth.json["messages"])
        if (rooms.count(t["ch"])) kept.push_back(t);
    truth.json["messages"] = kept;
}

}  // namespace

TEST_CASE("what signal-cli receives says what truth.json says of the groups, with every edit and deletion") {
    auto truth = test::ChatTruth::load();
    keep_rooms(truth, {"c1", "c2"});
    for (json& t : truth.json["messages"]) t["react"] = json::array();
    const std::map<std::string, std::string> numbers = {{"anna", "+4915110000000"},
                                                        {"jurgen", "+4915110000001"},
                                                        {"soeren", "+4915110000002"},
                                                        {"mary", "+4915110000003"},
                                                        {"bot", "+4915110000004"}};
    const auto out = test::read_as(test::ingest_data("signal/signal-cli.jsonl"), "signal-cli");
    CHECK(out.quarantined() == 0);
    std::map<std::string, std::string> rooms, users;
    std::vector<ParsedItem> said;
    std::size_t reactions = 0, direct = 0, receipts = 0;
    for (ParsedItem item : out.items) {
        auto& m = item.message;
        if (m.kind == MessageKind::chat) rooms[m.native_id] = m.conversation.id;
        if (m.kind == MessageKind::chat) users[m.sender.address] = m.sender.id;
        // The sample's reactions have another's number, and its deletions no group: signal-cli itself gives both.
        if (m.kind == MessageKind::reaction && ++reactions) continue;
        if (m.kind == MessageKind::deletion) m.conversation.id = rooms[m.target];
        receipts += has_note(m, "event:read-receipt");
        direct += m.conversation.id.rfind("+49", 0) == 0 && m.kind != MessageKind::status;
        if (m.conversation.id.rfind("Z3JvdXA=", 0) == 0) said.push_back(item);
    }
    CHECK(reactions == 3);
    CHECK(receipts == 1);
    CHECK(direct == 6);
    truth.compare(
        said, {.threads = true, .file_bytes = true},
        [&](const json& t) { return numbers.at(t["user"]) + "/" + std::to_string(t["ts"].get<std::int64_t>()); },
        [](const std::string& room) { return "Z3JvdXA=" + room; },
        [&](const std::string& user) { return users.at(numbers.at(user)); });
    CHECK(test::new_on_second_import(out.items, out.items) == 0);
}

TEST_CASE("reactions, quotes, edits, deletions and what one's own devices send, by signal-cli") {
    auto m =
        envelope(
            R"({"dataMessage":{"timestamp":2,"reaction":{"emoji":"x","targetAuthor":"+492","targetSentTimestamp":1}}})")
            .items.at(0)
            .message;
    CHECK(m.kind == MessageKind::reaction);
    CHECK(m.target == "+492/1");
    CHECK(m.body == "x");
    m = envelope(
            R"({"dataMessage":{"timestamp":2,"reaction":{"emoji":"x","targetAuthor":"+492","targetSentTimestamp":1,"isRemove":true}}})")
            .items.at(0)
            .message;
    CHECK(m.kind == MessageKind::deletion);
    CHECK(has_note(m, "reaction-removed"));
    m = envelope(R"({"dataMessage":{"timestamp":2,"message":"a","quote":{"id":1,"author":"+492"},"viewOnce":true}})")
            .items.at(0)
            .message;
    CHECK(m.reply_to == "+492/1");
    CHECK(has_note(m, "view-once"));
    CHECK(m.conversation.id == "+491");
    CHECK(m.recipients.at(0).person.address == "+499");
    m = envelope(R"({"editMessage":{"targetSentTimestamp":1,"dataMessage":{"timestamp":3,"message":"neu"}}})")
            .items.at(0)
            .message;
    CHECK(m.kind == MessageKind::edit);
    CHECK(m.target == "+491/1");
    m = envelope(R"({"syncMessage":{"sentMessage":{"destination":"+493","timestamp":4,"message":"von mir"}}})")
            .items.at(0)
            .message;
    CHECK(m.conversation.id == "+493");
    CHECK(m.recipients.at(0).person.address == "+493");
    CHECK(m.body == "von mir");
    CHECK(envelope(R"({"callMessage":{"offerMessage":{"id":1}}})").items.at(0).message.kind == MessageKind::call);
    CHECK(has_note(envelope(R"({"typingMessage":{"action":"STARTED"}})").items.at(0).message, "event:typing"));
    const auto rpc = lines(
        R"({"jsonrpc":"2.0","method":"receive","params":{"envelope":{"source":"+491","timestamp":1709283600000,"dataMessage":{"timestamp":1709283600000,"message":"a"}},"account":"+499"}})");
    CHECK(rpc.items.at(0).message.body == "a");
}

TEST_CASE("bad lines of signal-cli are quarantined one by one") {
    const auto out =
        lines("{\"envelope\":7}\nnot json\n{\"envelope\":{}}\n{\"envelope\":{\"source\":\"+491\",\"timestamp\":");
    CHECK(out.quarantined() == 3);
    CHECK(out.findings.at("signal-cli:bad-time") == 1);
}

TEST_CASE("a chat of signal-export says what truth.json says as far as its Markdown carries it") {
    auto truth = test::ChatTruth::load();
    keep_rooms(truth, {"c1"});
    const auto out = test::read_as(test::ingest_data("signal/sigexport/Vertrieb"), "sigexport", berlin());
    CHECK(out.quarantined() == 0);
    const auto user_of = [&](const std::string& user) { return truth.json["users"][user]["name"].get<std::string>(); };
    truth.compare(
        out.items,
        {
            .deleted_messages = true,
            .edits = true,
            .threads = true,
            .reactions = true,
            .file_bytes = true,
        },
        [&](const json& t) {
            for (const auto& item : out.items)
                if (item.message.sent_at->ms == t["ts"] && item.message.sender.name == user_of(t["user"]))
                    return item.message.native_id;
            return std::string("none");
        },
        [](const std::string&) { return std::string("Vertrieb"); }, user_of);
    const auto alone = test::read_as(test::ingest_data("signal/sigexport/Vertrieb/chat.md"), "sigexport", berlin());
    CHECK(test::new_on_second_import(out.items, alone.items) == 0);
}

TEST_CASE("files, reactions, deletions, calls and equal messages of signal-export") {
    const test::TempDir dir;
    std::filesystem::create_directories(dir / "Bau/media");
    test::write_text(dir / "Bau/media/ein plan (1).txt", "Plan");
    test::write_text(dir / "Bau/chat.md",
                     "[2024-03-01 10:00:00] Anna: siehe  ![ein plan (1).txt](./media/ein%20plan%20(1).txt)  \n"
                     "[2024-03-01 10:01:00] Me: gut  \n(- Anna: x, Bert: y -)\n"
                     "[2024-03-01 10:02:00] Bert: (This message was deleted)\n"
                     "[2024-03-01 10:03:00] No-Sender: Incoming voice call (accepted, 12s)  \n");
    const auto out = test::read_as(dir / "Bau", "sigexport", berlin());
    REQUIRE(out.items.size() == 6);
    CHECK(out.items[0].message.body == "siehe");
    CHECK(to_text(out.items[0].message.attachments.at(0).content) == "Plan");
    CHECK(out.items[1].message.body == "gut");
    CHECK(out.items[2].message.kind == MessageKind::reaction);
    CHECK(out.items[3].message.sender.name == "Bert");
    CHECK(out.items[4].message.kind == MessageKind::deletion);
    CHECK(out.items[5].message.kind == MessageKind::call);
    CHECK(out.items[5].message.sender.empty());
    CHECK(out.findings.empty());
    const std::string twice = "[2024-03-01 10:00:00] A: ja  \n[2024-03-01 10:00:00] A: ja  \n";
    CHECK(test::new_on_second_import({}, chat(twice).items) == 2);
    CHECK(test::new_on_second_import(chat(twice).items, chat(twice + "[2024-03-01 10:01:00] A: neu\n").items) == 1);
    CHECK(chat("Vorwort\n" + twice).items.size() == 3);
    CHECK(chat("kein Chat").quarantined() == 1);
    std::string hostile = "[2024-03-01 10:00:00] A: ";
    for (int i = 0; i < 20'000; ++i) hostile += "](./media/";
    CHECK(chat(hostile).items.size() == 1);
}

TEST_CASE("a program's log is not taken for a chat of Signal for sure") {
    const test::TempDir dir;
    test::write_text(dir / "app.log", "[2024-03-01 10:00:00] production.ERROR: boom\n");
    const auto found = detect(dir / "app.log", {}).value();
    CHECK(found.unsure());
}

TEST_CASE("the worked examples of the Signal page are read as the page says") {
    const auto said = lines(test::doc_text("signal.md", "signal-cli")).items;
    REQUIRE(said.size() == 4);
    CHECK(said[0].message.kind == MessageKind::chat);
    CHECK(said[1].message.kind == MessageKind::edit);
    CHECK(said[2].message.kind == MessageKind::reaction);
    CHECK(said[3].message.kind == MessageKind::deletion);
    for (std::size_t i = 1; i < 4; ++i) CHECK(said[i].message.target == said[0].message.native_id);
    const auto written = chat(test::doc_text("signal.md", "sigexport")).items;
    REQUIRE(written.size() == 3);
    CHECK(written[1].message.kind == MessageKind::reaction);
    CHECK(written[2].message.kind == MessageKind::deletion);
}
