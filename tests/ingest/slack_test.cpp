// Slack's export, and slackdump's dumps.
#include <doctest/doctest.h>

#include <filesystem>

#include "ingest/src/slack_message.h"
#include "tests/ingest/chat_truth.h"
#include "tests/ingest/zip_builder.h"
#include "tests/support/doc_example.h"
#include "tests/support/shared.h"
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

const std::string kUsers =
    R"([{"id":"U1","name":"anna","real_name":"Anna Müller","profile":{"email":"anna@beispiel.example"}},
        {"id":"U2","name":"gast","profile":{"display_name":"Gast"},"is_restricted":true}])";
const std::string kChannels = R"([{"id":"C1","name":"bau","members":["U1","U2"]}])";

// Messages of channel C1 on one day.
test::Collect day(const std::string& messages, const std::map<std::string, std::string>& more = {}) {
    const test::TempDir dir;
    test::ZipBuilder zip;
    zip.add("channels.json", kChannels);
    zip.add("users.json", kUsers);
    zip.add("bau/2024-03-01.json", messages);
    for (const auto& [name, text] : more) zip.add(name, text);
    zip.write(dir / "export.zip");
    return test::read_as(dir / "export.zip", "slack");
}

test::Collect dump(const std::string& text) {
    test::Collect out;
    REQUIRE(read_slackdump(to_bytes(text), {}, {}, out).ok());
    return out;
}

const test::ChatTruth::Cannot kSlack = {
    .deleted_text = true, .deletion_time = true, .deleted_user = true, .edit_text = true, .file_bytes = true};

}  // namespace

TEST_CASE(
    "a Slack export says what truth.json says but files, what was deleted and by whom, and texts before an edit") {
    auto truth = test::ChatTruth::load();
    const auto out = test::read_as(test::ingest_data("slack/export.zip"), "slack");
    CHECK(out.quarantined() == 0);
    const auto id_of = [](const json& t) {
        const std::string id = t["id"];
        const std::string room = t["ch"] == "c1" ? "C000000001" : t["ch"] == "c2" ? "G000000002" : "D000000003";
        return room + "/" + std::to_string(t["ts"].get<std::int64_t>() / 1000) + ".000" + id.substr(1);
    };
    const std::map<std::string, std::string> users = {{"anna", "U000000001"},
                                                      {"jurgen", "U000000002"},
                                                      {"soeren", "U000000003"},
                                                      {"mary", "U000000004"},
                                                      {"bot", "B01"}};
    truth.compare(
        out.items, kSlack, id_of,
        [](const std::string& room) {
            return room == "c1" ? "C000000001" : room == "c2" ? "G000000002" : "D000000003";
        },
        [&](const std::string& user) { return users.at(user); });
    CHECK(test::new_on_second_import(out.items, out.items) == 0);
    const auto said = events(out);
    const auto join =
        std::find_if(said.begin(), said.end(), [](const auto& item) { return item.message.kind == MessageKind::join; });
    REQUIRE(join != said.end());
    CHECK(join->message.sender.name == "Anna Müller");
    CHECK(join->message.sender.address == "anna.mueller@beispiel.example");
}

TEST_CASE("Slack's markup becomes what people read, and text that only looks like it stays") {
    SlackNames names;
    names.people["U1"].name = "Anna";
    names.channels["C1"] = "bau";
    CHECK(slack_text("<@U1> &amp; <#C1> &lt;3 <!here>", names) == "@Anna & #bau <3 @here");
    CHECK(slack_text("<https://x.example/?a=1&amp;b=2|hier> <https://y.example>", names) ==
          "hier (https://x.example/?a=1&b=2) https://y.example");
    CHECK(slack_text("<mailto:a@x.example|a@x.example> <@U9|bert> <#C9|amt> <!subteam^S1|@rat>", names) ==
          "a@x.example @bert #amt @rat");
    CHECK(slack_text("a < b, <>, <offen", names) == "a < b, <>, <offen");
    names.people["U1"].name = std::string(60'000, 'n');
    std::string many;
    for (int i = 0; i < 20'000; ++i) many += "<@U1>";
    CHECK(slack_text(many, names).size() < 1u << 20);
}

TEST_CASE("changed and deleted messages in the shape of Slack's events have their old text") {
    const auto said = events(day(
        R"([{"type":"message","subtype":"message_changed","ts":"1709283800.000100","message":{"user":"U1","text":"neu","ts":"1709283600.000100","edited":{"user":"U1","ts":"1709283700.000000"}},"previous_message":{"user":"U1","text":"alt","ts":"1709283600.000100"}},
            {"type":"message","subtype":"message_deleted","ts":"1709283900.000100","deleted_ts":"1709283600.000100","previous_message":{"user":"U1","text":"neu","ts":"1709283600.000100"}}])"));
    REQUIRE(said.size() == 2);
    CHECK(said[0].message.kind == MessageKind::edit);
    CHECK(said[0].message.target == "C1/1709283600.000100");
    CHECK(said[0].message.previous_body == "alt");
    CHECK(said[0].message.body == "neu");
    CHECK(said[0].message.sent_at->ms == 1709283700000);
    CHECK(said[1].message.kind == MessageKind::deletion);
    CHECK(said[1].message.body == "neu");
    CHECK(said[1].message.sent_at->ms == 1709283900000);
    // A flat export tells of the same edit.
    const auto flat = events(day(
        R"([{"type":"message","user":"U1","text":"neu","ts":"1709283600.000100","edited":{"user":"U1","ts":"1709283700.000000"}}])"));
    CHECK(test::new_on_second_import(said, flat) == 0);
}

TEST_CASE("a later export brings new reactions and edits, and nothing that is known") {
    const std::string message = R"({"type":"message","user":"U1","text":"ja","ts":"1709283600.000100")";
    const auto first = events(day("[" + message + "}]"));
    const auto later =
        events(day("[" + message + R"(,"reply_count":3,"reactions":[{"name":"+1","users":["U1","U2"],"count":3}]}])"));
    REQUIRE(later.size() == 3);
    CHECK(to_text(later[0].message.raw).find("U2") == std::string::npos);
    CHECK(later[2].message.sender.guest);
    CHECK(test::new_on_second_import(first, later) == 2);
    CHECK(day("[" + message + R"(,"reactions":[{"name":"+1","users":["U1"],"count":3}]}])")
              .findings.at("slack:reactions-incomplete") == 2);
}

TEST_CASE("joins, calls, bots, guests of other workspaces and other events of Slack") {
    const auto said = events(day(
        R"([{"type":"message","subtype":"channel_join","user":"U2","inviter":"U1","text":"<@U2> has joined","ts":"1709283600.000001"},
            {"type":"message","subtype":"huddle_thread","user":"U1","text":"","ts":"1709283600.000002","room":{"date_start":1709283600,"date_end":1709283690,"participant_history":["U1","U2"]}},
            {"type":"message","subtype":"channel_topic","user":"U1","text":"set the topic","ts":"1709283600.000003"},
            {"type":"message","subtype":"bot_message","bot_id":"B1","username":"Bote","text":"","attachments":[{"text":"Bau <https://x.example|4711>"}],"ts":"1709283600.000004"},
            {"type":"message","user":"U7","user_team":"T2","team":"T1","user_profile":{"real_name":"Extern"},"text":"hallo","ts":"1709283600.000005"},
            {"type":"message","bot_id":"B2","text":"","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"nur Block"}}],"ts":"1709283600.000006"}])"));
    REQUIRE(said.size() == 6);
    CHECK(said[0].message.kind == MessageKind::join);
    CHECK(said[0].message.recipients.at(0).person.name == "Anna Müller");
    CHECK(said[1].message.kind == MessageKind::call);
    CHECK(said[1].message.duration_ms == 90'000);
    CHECK(said[1].message.recipients.at(0).person.name == "Gast");
    CHECK(said[2].message.kind == MessageKind::status);
    CHECK(said[3].message.sender.name == "Bote");
    CHECK(said[3].message.body == "Bau 4711 (https://x.example)");
    CHECK(said[4].message.sender.home == "T2");
    CHECK(said[4].message.sender.guest);
    CHECK(said[5].message.body == "nur Block");
}

TEST_CASE("files are links in Slack's own export, and there in slackdump's") {
    const std::string message =
        R"([{"type":"message","user":"U1","text":"","ts":"1709283600.000001","files":[{"id":"F1","name":"plan.txt","mimetype":"text/plain","size":4}]}])";
    CHECK(day(message).findings.at("slack:attachment-missing") == 1);
    for (const char* path : {"__uploads/F1/plan.txt", "bau/attachments/F1-plan.txt"}) {
        const auto out = day(message, {{path, "Plan"}});
        CHECK(out.findings.empty());
        CHECK(to_text(events(out).at(0).message.attachments.at(0).content) == "Plan");
    }
}

TEST_CASE("bad messages of Slack are quarantined one by one, and every other file of the zip is kept") {
    const auto out =
        day(R"([{"type":"message","user":"U1","text":"a","ts":"1709283600.000001"},7,{"x":1},{"ts":"1","ts":"2"},
        {"ts":"yesterday","text":"b"}])",
            {{"fremd/2024-03-01.json", "[{\"ts\":\"1709283600.1\",\"text\":\"c\"}]"}, {"canvas.html", "<p>"}});
    CHECK(out.quarantined() == 3);
    CHECK(out.findings == Findings{{"slack:bad-time", 1}, {"slack:unknown-conversation", 1}});
    const auto said = events(out);
    CHECK(std::any_of(said.begin(), said.end(), [](const auto& i) { return i.message.conversation.id == "fremd"; }));
    CHECK(out.items.size() - said.size() == 3);  // channels, users, canvas
}

TEST_CASE("hostile zips of Slack: read as far as they go, and sealed whole with what is wrong with them") {
    if (!test::shared_dir()) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    ReadContext context;
    context.extractor = &test::extractor();
    for (const char* name :
         {"bad_crc", "bomb_60MB_in_60KB", "duplicate_names", "prefixed_junk", "slip", "symlink", "truncated"}) {
        CAPTURE(name);
        test::Collect out;
        const Path path =
            *test::shared_dir() / "corpora/hostile/messenger" / ("slack_zip_" + std::string(name) + ".zip");
        REQUIRE(read(path, find_format("slack"), context, out).ok());
        CHECK_FALSE(out.items.empty());
        const bool told = !out.findings.empty() || out.quarantined() > 0;
        CHECK((told || std::string_view(name) == "prefixed_junk"));
    }
}

TEST_CASE("somebody else's Slack export is read without a message that is not understood") {
    if (!test::shared_dir()) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    const auto out =
        test::read_as(*test::shared_dir() / "corpora/messenger/slack/slack-export-viewer/testarchive.zip", "slack");
    CHECK(out.quarantined() == 0);
    CHECK(out.findings.count("slack:bad-time") == 0);
    CHECK(events(out).size() > 150);
}

TEST_CASE("slackdump: replies inside their thread are messages of their own, and other exports know them as the same") {
    const std::string text =
        R"({"channel_id":"C1","name":"bau","messages":[{"type":"message","user":"U1","text":"Frage","ts":"1709283600.000001","thread_ts":"1709283600.000001",
            "slackdump_thread_replies":[{"type":"message","user":"U2","text":"Antwort","ts":"1709283660.000002","thread_ts":"1709283600.000001"}]}]})";
    const auto out = dump(text);
    const auto said = events(out);
    REQUIRE(said.size() == 2);
    CHECK(said[0].message.conversation.title == "bau");
    CHECK(said[1].message.thread == said[0].message.native_id);
    CHECK(to_text(said[0].message.raw).find("Antwort") == std::string::npos);
    CHECK(test::raw_bytes(out.items) == text.size());
    const auto flat = events(day(
        R"([{"type":"message","user":"U1","text":"Frage","ts":"1709283600.000001","thread_ts":"1709283600.000001"},{"type":"message","user":"U2","text":"Antwort","ts":"1709283660.000002","thread_ts":"1709283600.000001"}])"));
    CHECK(test::new_on_second_import(said, flat) == 0);
    CHECK(dump("{\"channel_id\":\"C1\",\"messages\":[" + std::string(50'000, '[')).quarantined() == 1);
    const test::TempDir dir;
    test::write_text(dir / "C1.json", text);
    CHECK(events(test::read_as(dir / "C1.json", "slackdump")).size() == 2);
    test::ZipBuilder zip;
    zip.add("C1.json", text);
    zip.write(dir / "dump.zip");
    CHECK(events(test::read_as(dir / "dump.zip", "slackdump")).size() == 2);
}

TEST_CASE("the worked example of the Slack page is read as the page says") {
    const auto said = events(day(test::doc_text("slack.md", "slack")));
    REQUIRE(said.size() == 4);
    CHECK(said[0].message.kind == MessageKind::edit);
    CHECK(said[1].message.kind == MessageKind::reaction);
    CHECK(said[2].message.kind == MessageKind::chat);
    CHECK(said[2].message.thread == said[0].message.native_id);
    CHECK(said[2].message.body == "@Anna Müller siehe Plan (https://x.example/?a=1&b=2)");
    CHECK(said[3].message.kind == MessageKind::deletion);
}
