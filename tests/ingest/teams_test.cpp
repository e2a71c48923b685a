// Microsoft Teams as Graph gives it.
#include <doctest/doctest.h>

#include "ingest/src/single_formats.h"
#include "tests/ingest/chat_truth.h"
#include "tests/support/doc_example.h"
#include "tests/support/shared.h"

using namespace kustos;
using namespace kustos::ingest;
using nlohmann::json;
using vault::MessageKind;

namespace {

test::Collect teams(const std::string& text) {
    test::Collect out;
    REQUIRE(read_teams(*memory_source(as_bytes(text)), {}, out).ok());
    return out;
}

// More keys, or other values, of a message of chat "c".
std::string message(const std::string& more) {
    json m = json::parse(R"({"id":"1","messageType":"message","createdDateTime":"2024-03-01T09:00:00.000Z","chatId":"c",
        "from":{"user":{"id":"u1","displayName":"Anna","userIdentityType":"aadUser"}},
        "body":{"contentType":"html","content":"<p>hallo</p>"}})");
    m.update(json::parse(more));
    return m.dump();
}

const test::ChatTruth::Cannot kTeams = {
    .deleted_text = true, .edit_text = true, .file_bytes = true, .carriage_return = true, .tab = true};

}  // namespace

TEST_CASE("Teams pages say what truth.json says but files, what was deleted, and what stood there before") {
    const auto truth = test::ChatTruth::load();
    std::vector<ParsedItem> all;
    std::map<std::string, std::string> users;
    for (const char* room : {"anna__jurgen", "geschaeftsfuehrung", "vertrieb"}) {
        const auto out =
            test::read_as(test::ingest_data("teams") / (std::string(room) + "_getAllMessages.json"), "teams");
        CHECK(out.quarantined() == 0);
        CHECK(out.findings.count("teams:count-missing") == 0);
        for (const auto& item : out.items) {
            const auto& sender = item.message.sender;
            if (!sender.name.empty()) users[sender.name] = sender.id;
            all.push_back(item);
        }
    }
    const auto room_of = [](const std::string& room) {
        return "19:" + room + (room[0] == 'd' ? "@thread.v2" : "@thread.tacv2");
    };
    truth.compare(
        all, kTeams,
        [&](const json& t) { return room_of(t["ch"]) + "/" + std::to_string(t["ts"].get<std::int64_t>()); }, room_of,
        [&](const std::string& user) { return users.at(truth.json["users"][user]["name"]); });
    CHECK(test::new_on_second_import(all, all) == 0);
}

TEST_CASE("a dump of Graph's .NET library is read like Graph's own pages") {
    if (!test::shared_dir()) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    const auto out =
        test::read_as(*test::shared_dir() / "corpora/messenger/teams-zulip-excerpt/messages.json", "teams");
    CHECK(out.quarantined() == 0);
    REQUIRE(out.items.size() == 2);
    CHECK(out.items[1].message.body.find("Everyone") == 0);
    CHECK_FALSE(out.items[0].message.sender.name.empty());
}

TEST_CASE("deleted messages of Teams: with the text where it was retained, and without where it was not") {
    auto out = teams(message(R"({"deletedDateTime":"2024-03-01T09:05:00Z"})"));
    REQUIRE(out.items.size() == 2);
    CHECK(out.items[0].message.kind == MessageKind::deletion);
    CHECK(out.items[0].message.body == "hallo");
    CHECK(out.items[0].message.sent_at->ms == 1709283900000);
    CHECK(out.items[1].message.kind == MessageKind::chat);
    const auto gone =
        teams(message(R"({"deletedDateTime":"2024-03-01T09:05:00Z","body":{"contentType":"html","content":""}})"));
    REQUIRE(gone.items.size() == 1);
    CHECK(gone.items[0].message.notes == std::vector<std::string>{"text-not-retained"});
    // A later export that still has the text brings it.
    CHECK(test::new_on_second_import(gone.items, out.items) == 2);
}

TEST_CASE("an edit that comes later is another event, the same page is none") {
    const auto first = teams(message("{}"));
    const auto later = teams(message(
        R"({"lastEditedDateTime":"2024-03-01T09:03:00Z","body":{"contentType":"html","content":"<p>neu</p>"},
            "reactions":[{"reactionType":"like","createdDateTime":"2024-03-01T09:04:00Z","user":{"user":{"id":"u2"}}}]})"));
    REQUIRE(later.items.size() == 2);
    CHECK(later.items[0].message.kind == MessageKind::edit);
    CHECK(later.items[0].message.target == "c/1");
    CHECK(later.items[0].message.sent_at->ms == 1709283780000);
    CHECK(later.items[1].message.kind == MessageKind::reaction);
    CHECK(later.items[1].message.sender.id == "u2");
    CHECK(test::new_on_second_import(first.items, later.items) == 2);
    CHECK(test::new_on_second_import(later.items, later.items) == 0);
}

TEST_CASE("joins, leaves and calls of Teams, each with whom they are about") {
    const auto system = [](const std::string& detail) {
        return teams(message(R"({"messageType":"systemEventMessage","from":null,"eventDetail":)" + detail + "}"));
    };
    auto out =
        system(R"({"@odata.type":"#microsoft.graph.membersAddedEventMessageDetail","initiator":{"user":{"id":"u1"}},
        "members":[{"id":"u2","displayName":"Bert"},{"id":"u3","userIdentityType":"anonymousGuest"}]})");
    REQUIRE(out.items.size() == 2);
    CHECK(out.items[0].message.kind == MessageKind::join);
    CHECK(out.items[0].message.sender.name == "Bert");
    CHECK(out.items[0].message.recipients.at(0).person.id == "u1");
    CHECK(out.items[1].message.sender.guest);
    CHECK(out.items[0].message.native_id != out.items[1].message.native_id);
    out = system(R"({"@odata.type":"#microsoft.graph.membersDeletedEventMessageDetail","members":[{"id":"u2"}]})");
    REQUIRE(out.items.size() == 1);
    CHECK(out.items[0].message.kind == MessageKind::leave);
    out = system(R"({"@odata.type":"#microsoft.graph.callEndedEventMessageDetail","callId":"k","callDuration":"PT1M30S",
        "callParticipants":[{"participant":{"user":{"id":"u2","displayName":"Bert"}}}]})");
    REQUIRE(out.items.size() == 1);
    CHECK(out.items[0].message.kind == MessageKind::call);
    CHECK(out.items[0].message.duration_ms == 90'000);
    CHECK(out.items[0].message.recipients.at(0).person.name == "Bert");
    CHECK(out.items[0].message.target == "k");
    out = system(R"({"@odata.type":"#microsoft.graph.chatRenamedEventMessageDetail","chatDisplayName":"Neu"})");
    CHECK(out.items.at(0).message.kind == MessageKind::status);
    CHECK(out.items.at(0).message.body == "Neu");
}

TEST_CASE("mentions, quoted messages, cards, links and pictures of Teams") {
    const auto out = teams(message(
        R"({"body":{"contentType":"html","content":"<p><at id=\"0\">Bert</at> sieh</p><attachment id=\"9\"></attachment><img alt=\"Bild\" src=\"https://graph.microsoft.com/v1.0/chats/c/messages/1/hostedContents/x/$value\">"},
            "attachments":[{"id":"9","contentType":"messageReference","content":"{}"},
                           {"id":"a","contentType":"reference","contentUrl":"https://x.example/a.docx","name":"a.docx"},
                           {"id":"b","contentType":"application/vnd.microsoft.card.adaptive","content":"{\"type\":\"AdaptiveCard\"}"}]})"));
    REQUIRE(out.items.size() == 1);
    const auto& m = out.items[0].message;
    CHECK(m.body == "Bert sieh\nBild");
    CHECK(m.reply_to == "c/9");
    REQUIRE(m.attachments.size() == 2);
    CHECK(m.attachments[0].name == "a.docx");
    CHECK(m.attachments[0].missing);
    CHECK(to_text(m.attachments[1].content) == "{\"type\":\"AdaptiveCard\"}");
    CHECK(out.findings == Findings{{"teams:attachment-missing", 1}, {"teams:hosted-content-missing", 1}});
}

TEST_CASE("a reaction that was taken back is in the history only") {
    const auto out = teams(message(
        R"({"messageHistory":[{"modifiedDateTime":"2024-03-01T09:06:00Z","actions":"reactionRemoved",
            "reaction":{"reactionType":"like","user":{"user":{"id":"u2"}}}}]})"));
    REQUIRE(out.items.size() == 2);
    CHECK(out.items[1].message.kind == MessageKind::deletion);
    CHECK(out.items[1].message.notes == std::vector<std::string>{"history:reactionRemoved"});
    CHECK(out.items[1].message.sender.id == "u2");
    CHECK(out.items[1].message.target == "c/1");
}

TEST_CASE("a page that counts more than it has, or that is not the last, is told") {
    const auto out =
        teams(R"({"@odata.count":3,"@odata.nextLink":"https://x.example/next","value":[)" + message("{}") + "]}");
    CHECK(out.findings == Findings{{"teams:count-missing", 2}, {"teams:page-continues", 1}});
    CHECK(out.items.back().message.notes == std::vector<std::string>{"rest-of-export"});
}

TEST_CASE("hostile pages of Teams are quarantined message by message") {
    const auto out = teams("{\"value\":[" + message("{}") +
                           ",null,7,{\"x\":1},{\"id\":\"1\",\"id\":\"2\"},{\"id\":{}, \"body\":[]}," +
                           message(R"({"createdDateTime":"yesterday"})") + ",{\"id\":");
    CHECK(out.items.size() == 8);
    CHECK(out.quarantined() == 5);
    CHECK(out.findings.at("teams:bad-time") == 2);  // also where "id" and "body" are of other types
    const std::string deep(50'000, '[');
    CHECK(teams("{\"value\":[" + deep).quarantined() == 1);
}

TEST_CASE("the worked example of the Teams page is read as the page says") {
    const auto out = teams(test::doc_text("teams.md", "teams"));
    REQUIRE(out.items.size() == 5);
    CHECK(out.items[0].message.kind == MessageKind::edit);
    CHECK(out.items[0].message.body == "Bitte nicht vergessen!");
    CHECK(out.items[1].message.kind == MessageKind::reaction);
    CHECK(out.items[2].message.kind == MessageKind::deletion);
    CHECK(out.items[3].message.kind == MessageKind::call);
    CHECK(out.items[3].message.duration_ms == 90'000);
    CHECK(out.items[4].message.notes == std::vector<std::string>{"rest-of-export"});
}
