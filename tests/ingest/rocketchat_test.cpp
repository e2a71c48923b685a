// Rocket.Chat, from its interface and its database.
#include <doctest/doctest.h>

#include "ingest/src/single_formats.h"
#include "tests/ingest/chat_truth.h"
#include "tests/support/doc_example.h"

using namespace kustos;
using namespace kustos::ingest;
using nlohmann::json;
using vault::MessageKind;

namespace {

bool has_note(const vault::Message& m, std::string_view note) {
    return std::find(m.notes.begin(), m.notes.end(), note) != m.notes.end();
}
test::Collect rocketchat(const std::string& text) {
    test::Collect out;
    REQUIRE(read_rocketchat(*memory_source(as_bytes(text)), {}, out).ok());
    return out;
}
// More keys, or other values, of a message of room "r".
std::string message(const std::string& more) {
    json m = json::parse(R"({"_id":"m1","rid":"r","msg":"hallo","ts":"2024-03-01T09:00:00.000Z",
        "u":{"_id":"u1","username":"anna","name":"Anna"}})");
    m.update(json::parse(more));
    return m.dump();
}
std::string same(const std::string& user) {
    return user;
}
const test::ChatTruth::Cannot kRocketchat = {.deleted_text = true, .edit_text = true, .file_bytes = true};

}  // namespace

TEST_CASE("messages of Rocket.Chat say what truth.json says but files, deleted texts and texts before an edit") {
    auto truth = test::ChatTruth::load();
    const auto id_of = [](const json& t) { return t["id"].get<std::string>(); };
    const auto room_of = [](const std::string& room) { return room == "c1" ? "GENERAL" : room; };
    const auto lines = test::read_as(test::ingest_data("rocketchat/rocketchat_message.jsonl"), "rocketchat");
    CHECK(lines.quarantined() == 0);
    truth.compare(lines.items, kRocketchat, id_of, room_of, same);
    CHECK(lines.items.at(0).message.kind == MessageKind::join);
    const auto history = test::read_as(test::ingest_data("rocketchat/channels.history.json"), "rocketchat");
    json kept = json::array();
    for (const json& t : truth.json["messages"])
        if (t["ch"] == "c1") kept.push_back(t);
    truth.json["messages"] = kept;
    truth.compare(history.items, kRocketchat, id_of, room_of, same);
    // The page of the interface has what the database has: only the page's own frame is new.
    CHECK(test::new_on_second_import(lines.items, history.items) == 1);
    CHECK(test::new_on_second_import(lines.items, lines.items) == 0);
}

TEST_CASE("times of Rocket.Chat in all their spellings") {
    const auto ms = [](const std::string& ts) {
        const auto out = rocketchat(message("{\"ts\":" + ts + "}"));
        return out.items.at(0).message.sent_at ? out.items.at(0).message.sent_at->ms : -1;
    };
    CHECK(ms(R"("2024-03-01T09:00:00.000Z")") == 1709283600000);
    CHECK(ms("1709283600000") == 1709283600000);
    CHECK(ms(R"({"$date":"2024-03-01T09:00:00.000Z"})") == 1709283600000);
    CHECK(ms(R"({"$date":1709283600000})") == 1709283600000);
    CHECK(ms(R"({"$date":{"$numberLong":"1709283600000"}})") == 1709283600000);
    CHECK(ms("\"gestern\"") == -1);
}

TEST_CASE("edits, reactions and deletions that come later are new, all else is known") {
    const auto first = rocketchat(message("{}"));
    const auto later = rocketchat(message(
        R"({"msg":"neu","editedAt":"2024-03-01T09:05:00Z","editedBy":{"_id":"u1"},"reactions":{":+1:":{"usernames":["anna","bert"]}}})"));
    REQUIRE(later.items.size() == 3);
    CHECK(later.items[0].message.kind == MessageKind::edit);
    CHECK(later.items[0].message.sent_at->ms == 1709283900000);
    CHECK(to_text(later.items[0].message.raw).find("bert") == std::string::npos);
    CHECK(later.items[1].message.sender.id == "u1");
    CHECK(later.items[2].message.sender.id == "bert");
    CHECK(later.items[2].message.body == "+1");
    CHECK(test::new_on_second_import(first.items, later.items) == 3);
    const auto gone = rocketchat(message(R"({"msg":"","t":"rm","editedAt":"2024-03-01T09:06:00Z"})"));
    CHECK(gone.items.at(0).message.kind == MessageKind::deletion);
    CHECK(gone.items.at(0).message.target == "m1");
    CHECK(has_note(gone.items.at(0).message, "text-not-retained"));
}

TEST_CASE("members, calls, federated and encrypted messages of Rocket.Chat") {
    auto m = rocketchat(message(R"({"t":"au","msg":"bert"})")).items.at(0).message;
    CHECK(m.kind == MessageKind::join);
    CHECK(m.sender.id == "bert");
    CHECK(m.recipients.at(0).person.id == "u1");
    CHECK(rocketchat(message(R"({"t":"ul"})")).items.at(0).message.kind == MessageKind::leave);
    CHECK(rocketchat(message(R"({"t":"videoconf"})")).items.at(0).message.kind == MessageKind::call);
    CHECK(rocketchat(message(R"({"t":"room_changed_topic"})")).items.at(0).message.kind == MessageKind::status);
    m = rocketchat(message(R"({"t":"e2e","msg":"b64"})")).items.at(0).message;
    CHECK(m.kind == MessageKind::chat);
    CHECK(m.body.empty());
    CHECK(has_note(m, "encrypted"));
    m = rocketchat(message(R"({"u":{"_id":"x","username":"@carl:fern.example"}})")).items.at(0).message;
    CHECK(m.sender.home == "fern.example");
    m = rocketchat(message(R"({"tmid":"m0","attachments":[{"message_link":"https://x.example/channel/r?msg=m7"}]})"))
            .items.at(0)
            .message;
    CHECK(m.thread == "m0");
    CHECK(m.reply_to == "m7");
}

TEST_CASE("a page that is not the last is told, and bad messages are quarantined one by one") {
    const auto out = rocketchat("{\"messages\":[" + message("{}") +
                                R"(,7,{"x":1},{"_id":"1","_id":"2"}],"count":4,"offset":0,"total":9,"success":true})");
    CHECK(out.quarantined() == 3);
    CHECK(out.findings == Findings{{"rocketchat:page-continues", 5}});
    CHECK(rocketchat("{\"messages\":[{\"_id\":").quarantined() == 1);
    CHECK(rocketchat(std::string(50'000, '[')).quarantined() >= 1);
}

TEST_CASE("the worked example of the Rocket.Chat page is read as the page says") {
    const auto out = rocketchat(test::doc_text("rocketchat.md", "rocketchat"));
    REQUIRE(out.items.size() == 4);
    CHECK(out.items[0].message.kind == MessageKind::join);
    CHECK(out.items[1].message.kind == MessageKind::edit);
    CHECK(out.items[2].message.kind == MessageKind::reaction);
    CHECK(out.items[3].message.kind == MessageKind::deletion);
}
