// Telegram Desktop's result.json.
#include <doctest/doctest.h>

#include <filesystem>

#include "ingest/src/json_nested.h"
#include "ingest/src/telegram_message.h"
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
std::vector<ParsedItem> events(const test::Collect& out) {
    std::vector<ParsedItem> said;
    for (const auto& item : out.items)
        if (!has_note(item.message, "rest-of-export")) said.push_back(item);
    return said;
}

test::Collect telegram(const std::string& text) {
    test::Collect out;
    REQUIRE(read_telegram(*memory_source(as_bytes(text)), {}, {}, out).ok());
    return out;
}
// Of one chat; each message gets an id and a date if it has none.
std::vector<ParsedItem> chat(const std::string& messages,
                             const std::string& head = R"("name":"Bau","type":"private_group","id":7)") {
    json all = json::parse("[" + messages + "]");
    int id = 0;
    for (json& m : all) {
        ++id;
        if (!m.contains("id")) m["id"] = id;
        if (!m.contains("date")) m.update(json{{"date", "2024-03-01T10:00:00"}, {"date_unixtime", "1709283600"}});
        if (!m.contains("type")) m["type"] = "message";
    }
    return events(telegram("{" + head + ",\"messages\":" + all.dump() + "}"));
}

const test::ChatTruth::Cannot kTelegram = {
    .deleted_messages = true, .edit_text = true, .threads = true, .file_bytes = true};

}  // namespace

TEST_CASE("a Telegram account says what truth.json says but deleted messages, texts before an edit and skipped files") {
    auto truth = test::ChatTruth::load();
    for (json& t : truth.json["messages"])
        if (t["files"].size() > 1) t["files"].erase(1);  // a message of Telegram has one
    int count = 0;
    std::map<std::string, std::string> ids;
    const auto room_of = [](const std::string& room) {
        return std::string(room == "c1" ? "channel1000" : room == "c2" ? "chat1001" : "user1002");
    };
    for (const json& t : truth.json["messages"])
        if (t["deleted"].is_null()) ids[t["id"]] = room_of(t["ch"]) + "/" + std::to_string(++count);
    const std::map<std::string, std::string> users = {{"anna", "user1000"},
                                                      {"jurgen", "user1001"},
                                                      {"soeren", "user1002"},
                                                      {"mary", "user1003"},
                                                      {"bot", "user1004"}};
    const auto out = test::read_as(test::ingest_data("telegram/result_full_account.json"), "telegram");
    CHECK(out.quarantined() == 0);
    truth.compare(
        events(out), kTelegram,
        [&](const json& t) { return ids.count(t["id"]) ? ids.at(t["id"]) : std::string("gone"); }, room_of,
        [&](const std::string& user) { return users.at(user); });
    CHECK(test::new_on_second_import(out.items, out.items) == 0);
}

TEST_CASE("a single chat of Telegram: replies, reactions with their time, and who founded it") {
    const auto out = test::read_as(test::ingest_data("telegram/result_single_chat.json"), "telegram");
    const auto said = events(out);
    CHECK(out.quarantined() == 0);
    CHECK(said.at(0).message.kind == MessageKind::status);
    CHECK(said.at(0).message.sender.name == "Anna Müller");
    CHECK(said.at(2).message.reply_to == "channel1234567890/1");
    CHECK(said.at(3).message.kind == MessageKind::reaction);
    CHECK(said.at(3).message.body == "+1");
    CHECK(said.at(3).message.sent_at->ms == 1709283720000);
    CHECK(said.at(3).message.target == "channel1234567890/2");
    const std::uint64_t size = std::filesystem::file_size(test::ingest_data("telegram/result_single_chat.json"));
    CHECK(test::raw_bytes(out.items) <= size);
}

TEST_CASE("texts of Telegram: words, lists, entities, links behind words") {
    CHECK(chat(R"({"text":"einfach"})").at(0).message.body == "einfach");
    CHECK(
        chat(
            R"({"text":["siehe ",{"type":"bold","text":"hier"},{"type":"text_link","text":" dort","href":"https://x.example"}]})")
            .at(0)
            .message.body == "siehe hier dort (https://x.example)");
    CHECK(chat(R"({"text_entities":[{"type":"plain","text":"nur so"}]})").at(0).message.body == "nur so");
    CHECK(chat(R"({"text":"","poll":{"question":"Wann?","answers":[]}})").at(0).message.body == "Wann?");
}

TEST_CASE("joins, leaves and calls of Telegram") {
    const auto said = chat(
        R"({"type":"service","action":"invite_members","actor":"Anna","actor_id":"user1","members":["Bert","Carl"]},
           {"type":"service","action":"remove_members","actor":"Carl","actor_id":"user3","members":["Carl"]},
           {"type":"service","action":"join_group_by_link","actor":"Dora","actor_id":"user4","inviter":"Anna"},
           {"type":"service","action":"phone_call","actor":"Anna","actor_id":"user1","duration_seconds":90,"discard_reason":"hangup"},
           {"type":"service","action":"edit_group_title","actor":"Anna","actor_id":"user1","title":"Neu"},
           {"type":"unsupported"})");
    REQUIRE(said.size() == 7);
    CHECK(said[0].message.kind == MessageKind::join);
    CHECK(said[0].message.sender.name == "Bert");
    CHECK(said[0].message.recipients.at(0).person.id == "user1");
    CHECK(said[0].message.native_id != said[1].message.native_id);
    CHECK(said[2].message.kind == MessageKind::leave);
    CHECK(said[2].message.sender.id == "user3");
    CHECK(said[3].message.kind == MessageKind::join);
    CHECK(said[4].message.kind == MessageKind::call);
    CHECK(said[4].message.duration_ms == 90'000);
    CHECK(has_note(said[4].message, "end:hangup"));
    CHECK(said[5].message.body == "Neu");
    CHECK(has_note(said[6].message, "unsupported-by-telegram"));
}

TEST_CASE("files that Telegram left out are missing, and say so; those of the folder come") {
    const auto said = chat(
        R"x({"text":"","file":"plan.pdf (File not included. Change data exporting settings to download.)","file_name":"plan.pdf","mime_type":"application/pdf","file_size":9},
           {"text":"","photo":"(File exceeds maximum size. Change data exporting settings to download.)"},
           {"text":"","file":"voice/a.ogg","media_type":"voice_message","mime_type":"audio/ogg","duration_seconds":4})x");
    REQUIRE(said.size() == 3);
    CHECK(said[0].message.attachments.at(0).name == "plan.pdf");
    CHECK(said[0].message.attachments.at(0).declared_size == 9);
    CHECK(has_note(said[0].message, "not-exported"));
    CHECK(said[1].message.attachments.at(0).missing);
    CHECK(said[2].message.kind == MessageKind::voice);
    CHECK(said[2].message.duration_ms == 4000);
    CHECK_FALSE(has_note(said[2].message, "not-exported"));
    const test::TempDir dir;
    std::filesystem::create_directory(dir / "files");
    test::write_text(dir / "files/a.txt", "Plan");
    test::write_text(
        dir / "result.json",
        R"({"name":"Bau","type":"personal_chat","id":7,"messages":[{"id":1,"type":"message","date":"2024-03-01T10:00:00","date_unixtime":"1709283600","from":"Anna","from_id":"user1","file":"files/a.txt","text":""}]})");
    const auto out = test::read_as(dir.path(), "telegram");
    CHECK(to_text(events(out).at(0).message.attachments.at(0).content) == "Plan");
    CHECK(out.findings.empty());
}

TEST_CASE("a later export of Telegram brings edits and reactions, and nothing that is known") {
    const auto first = chat(R"({"text":"alt","from_id":"user1"},{"text":"b"})");
    const auto later = chat(
        R"({"text":"neu","from_id":"user1","edited":"2024-03-01T10:05:00","edited_unixtime":"1709283900",
            "reactions":[{"type":"emoji","count":3,"emoji":"x","recent":[{"from":"B","from_id":"user2","date":"2024-03-01T10:06:00"}]}]},{"text":"b"})");
    REQUIRE(later.size() == 3);
    CHECK(later[0].message.kind == MessageKind::edit);
    CHECK(later[0].message.sent_at->ms == 1709283900000);
    CHECK(to_text(later[0].message.raw).find("user2") == std::string::npos);
    CHECK(later[1].message.sent_at->ms == 1709283960000);
    CHECK(test::new_on_second_import(first, later) == 2);
    CHECK(test::new_on_second_import(later, later) == 0);
}

TEST_CASE("hostile files of Telegram: bad messages alone, deep nesting, cut off ends, and every byte is kept") {
    const std::string good =
        R"({"id":1,"type":"message","date":"2024-03-01T10:00:00","date_unixtime":"1709283600","text":"a"})";
    const std::string text = "{\"name\":\"Bau\",\"type\":\"private_group\",\"id\":7,\"messages\":[" + good +
                             ",7,{\"x\":1},{\"id\":1,\"id\":2},{\"id\":9,\"date\":\"gestern\"}," + good + ",{\"id\":";
    const auto out = telegram(text);
    CHECK(out.quarantined() == 4);
    CHECK(out.findings.at("telegram:bad-time") == 1);
    CHECK(test::raw_bytes(out.items) == text.size());
    const std::string deep =
        "{\"messages\":" + std::string(50'000, '[') + std::string(50'000, '{') + "\"messages\":[1]";
    CHECK(test::raw_bytes(telegram(deep).items) == deep.size());
    CHECK(telegram("{\"messages\":[" + good + "]}").findings.at("telegram:unknown-conversation") == 1);
}

TEST_CASE("elements under a key are found however deep they stand, in whatever pieces they come") {
    const std::string text =
        R"( {"a":{"messages":1,"b":[{"id":5,"x":{"y":[]},"messages":[ {"t":"]\"["} , 2 ]},{"messages":[]}]},"messages":"no"} )";
    JsonNestedEvent event;
    const auto source = memory_source(as_bytes(text));
    JsonNested nested(*source, "messages", 1 << 20);
    std::vector<std::string> heads, elements;
    std::size_t bytes = 0;
    while (nested.next(event).value()) {
        bytes += event.bytes.size();
        if (event.is == JsonNestedEvent::Is::opened) heads.push_back(event.text);
        if (event.is == JsonNestedEvent::Is::element) elements.emplace_back(as_text(event.bytes));
    }
    CHECK(bytes == text.size());
    CHECK(elements == std::vector<std::string>{R"({"t":"]\"["})", "2"});
    REQUIRE(heads.size() == 2);
    CHECK(heads[0] == R"({"id":5,"x":null,"messages":[]})");
}

TEST_CASE("the worked example of the Telegram page is read as the page says") {
    const auto said = events(telegram(test::doc_text("telegram.md", "telegram")));
    REQUIRE(said.size() == 4);
    CHECK(said[0].message.kind == MessageKind::edit);
    CHECK(said[1].message.kind == MessageKind::reaction);
    CHECK(said[2].message.kind == MessageKind::join);
    CHECK(said[3].message.attachments.at(0).missing);
}
