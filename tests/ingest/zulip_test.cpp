// Zulip's export of an organisation.
#include <doctest/doctest.h>

#include <filesystem>

#include "ingest/format.h"
#include "tests/ingest/chat_truth.h"
#include "tests/ingest/zip_builder.h"
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

test::Collect zulip(const std::map<std::string, std::string>& files) {
    const test::TempDir dir;
    test::ZipBuilder zip;
    for (const auto& [name, text] : files) zip.add(name, text);
    zip.write(dir / "export.zip");
    return test::read_as(dir / "export.zip", "zulip");
}

// The one conversation of all formats, as Zulip's tables would have it: nothing is deleted in an export.
struct Tables {
    json realm, messages, attachments;
};
Tables tables_of(const test::ChatTruth& truth, std::map<std::string, int>& users) {
    Tables out;
    std::map<std::string, int> recipients;
    int next = 10;
    for (const auto& [id, user] : truth.json["users"].items()) {
        users[id] = ++next;
        out.realm["zerver_userprofile"].push_back(
            {{"id", next}, {"full_name", user["name"]}, {"delivery_email", user["email"]}, {"role", 400}});
    }
    for (const auto& [id, channel] : truth.json["channels"].items()) {
        recipients[id] = ++next;
        const bool direct = id == "d1";
        out.realm["zerver_recipient"].push_back({{"id", next}, {"type", direct ? 3 : 2}, {"type_id", next + 100}});
        if (!direct) out.realm["zerver_stream"].push_back({{"id", next + 100}, {"name", channel["display"]}});
    }
    for (const char* user : {"anna", "jurgen"})
        out.realm["zerver_subscription"].push_back(
            {{"user_profile", users.at(user)}, {"recipient", recipients.at("d1")}});
    for (const json& t : truth.json["messages"]) {
        const int id = std::stoi(t["id"].get<std::string>().substr(1));
        json history = json::array();
        for (auto edit = t["edits"].rbegin(); edit != t["edits"].rend(); ++edit)
            history.push_back({{"prev_content", (*edit)[1]},
                               {"timestamp", (*edit)[0].get<std::int64_t>() / 1000},
                               {"user_id", users.at(t["user"])}});
        out.messages["zerver_message"].push_back({{"id", id},
                                                  {"sender", users.at(t["user"])},
                                                  {"recipient", recipients.at(t["ch"])},
                                                  {"subject", "Thema"},
                                                  {"content", t["text"]},
                                                  {"date_sent", t["ts"].get<double>() / 1000},
                                                  {"edit_history", history.empty() ? json() : json(history.dump())}});
        for (const json& r : t["react"])
            out.realm["zerver_reaction"].push_back(
                {{"id", ++next}, {"message", id}, {"user_profile", users.at(r[0])}, {"emoji_name", r[1]}});
        for (const json& f : t["files"])
            out.attachments["zerver_attachment"].push_back({{"file_name", f["name"]},
                                                            {"path_id", "2/ab/" + f["sha256"].get<std::string>()},
                                                            {"size", f["size"]},
                                                            {"messages", {id}}});
    }
    out.messages["zerver_usermessage"] = json::array();
    return out;
}

}  // namespace

TEST_CASE("a Zulip export says what truth.json says but threads, with every edit and its text before") {
    auto truth = test::ChatTruth::load();
    json kept = json::array();
    for (json t : truth.json["messages"]) {
        t["root"] = nullptr;
        if (t["deleted"].is_null()) kept.push_back(t);
    }
    truth.json["messages"] = kept;
    std::map<std::string, int> users;
    const Tables tables = tables_of(truth, users);
    const std::map<std::string, std::string> files = {{"realm.json", tables.realm.dump()},
                                                      {"messages-000001.json", tables.messages.dump()},
                                                      {"attachment.json", tables.attachments.dump()}};
    const auto out = zulip(files);
    CHECK(out.quarantined() == 0);
    const std::map<std::string, std::string> rooms = [&] {
        std::map<std::string, std::string> known;
        for (const auto& item : events(out)) known[item.message.conversation.title] = item.message.conversation.id;
        return known;
    }();
    std::vector<ParsedItem> said = events(out);
    truth.compare(
        said, {.file_bytes = true},
        [](const json& t) { return std::to_string(std::stoi(t["id"].get<std::string>().substr(1))); },
        [&](const std::string& room) {
            return rooms.at(room == "d1" ? "" : truth.json["channels"][room]["display"].get<std::string>());
        },
        [&](const std::string& user) { return std::to_string(users.at(user)); });
    CHECK(out.findings == Findings{{"zulip:attachment-missing", 3}});
    CHECK(test::new_on_second_import(out.items, zulip(files).items) == 0);
}

TEST_CASE("one more edit in a later export is one more event, and nothing else") {
    const auto one = [](const std::string& more) {
        return events(zulip(
            {{"realm.json",
              R"({"zerver_userprofile":[{"id":1,"full_name":"Anna","role":600}],"zerver_recipient":[{"id":5,"type":1,"type_id":2}]})"},
             {"messages-000001.json",
              R"({"zerver_message":[{"id":9,"sender":1,"recipient":5,"subject":"","date_sent":1709283600.5,)" + more +
                  "}]}"}}));
    };
    const auto first = one(R"("content":"alt","edit_history":null)");
    const auto later = one(
        R"("content":"neu","edit_history":"[{\"prev_content\":\"alt\",\"timestamp\":1709283700,\"user_id\":1},{\"prev_topic\":\"x\",\"timestamp\":1}]")");
    REQUIRE(first.size() == 1);
    CHECK(first[0].message.sender.guest);
    CHECK(first[0].message.sent_at->ms == 1709283600500);
    CHECK(first[0].message.conversation.id == "direct/1-2");
    CHECK(first[0].message.recipients.at(0).person.id == "2");
    REQUIRE(later.size() == 2);
    CHECK(later[1].message.previous_body == "alt");
    CHECK(later[1].message.body == "neu");
    CHECK(test::new_on_second_import(first, later) == 1);
}

TEST_CASE("files of Zulip come with their messages; bad rows are told and quarantined alone") {
    const auto out = zulip(
        {{"realm.json",
          R"({"zerver_userprofile":[7],"zerver_recipient":[{"id":5,"type":2,"type_id":1}],"zerver_stream":[{"id":1,"name":"Bau"}]})"},
         {"attachment.json",
          R"({"zerver_attachment":[{"file_name":"plan.txt","path_id":"2/x/plan.txt","messages":[9],"size":4}]})"},
         {"uploads/2/x/plan.txt", "Plan"},
         {"messages-000001.json",
          R"({"zerver_message":[{"id":9,"sender":1,"recipient":5,"content":"a","date_sent":1709283600},7,{"x":1},
                                {"id":10,"sender":1,"recipient":77,"content":"b","date_sent":"gestern","edit_history":"["}]})"}});
    const auto said = events(out);
    CHECK(out.quarantined() == 2);
    CHECK(to_text(said.at(0).message.attachments.at(0).content) == "Plan");
    CHECK(said.at(0).message.conversation.title == "Bau");
    CHECK(out.findings == Findings{{"zulip:bad-time", 1}, {"zulip:unknown-conversation", 1}});
}

TEST_CASE("the worked example of the Zulip page is read as the page says") {
    const auto said = events(zulip({{"realm.json", test::doc_text("zulip.md", "realm")},
                                    {"messages-000001.json", test::doc_text("zulip.md", "messages")}}));
    REQUIRE(said.size() == 3);
    CHECK(said[0].message.kind == MessageKind::chat);
    CHECK(said[0].message.body == "Bitte nicht vergesen!");
    CHECK(said[0].message.conversation.title == "Vertrieb");
    CHECK(said[1].message.kind == MessageKind::edit);
    CHECK(said[2].message.kind == MessageKind::reaction);
    CHECK(said[2].message.sender.name == "Jürgen Groß");
}
