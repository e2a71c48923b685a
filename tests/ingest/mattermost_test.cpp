#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "tests/ingest/collect.h"
#include "tests/ingest/zip_builder.h"
#include "tests/support/doc_example.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::ingest;
using vault::MessageKind;

namespace {

// What an archive of the events knows about one message at the end.
struct Known {
    std::string text, user, channel, thread;
    std::int64_t sent_ms = 0, deleted_ms = 0;
    std::vector<std::pair<std::int64_t, std::string>> edits;  // when it was replaced, and the text before
    std::map<std::string, std::string> files;                 // name to SHA-256
};

std::map<std::string, Known> replay(const std::vector<ParsedItem>& items) {
    std::map<std::string, Known> known;
    for (const auto& item : items) {
        const auto& m = item.message;
        const std::string id = m.target.empty() ? m.native_id : m.target;
        if (m.kind == MessageKind::join || m.kind == MessageKind::leave) continue;
        if (m.notes == std::vector<std::string>{"rest-of-export"}) continue;
        Known& k = known[id];
        if (m.kind == MessageKind::chat) {
            k.sent_ms = m.sent_at->ms;
            k.text = m.body;
        } else if (m.kind == MessageKind::edit) {
            CHECK(m.previous_body == k.text);
            k.edits.emplace_back(m.sent_at ? m.sent_at->ms : 0, k.text);
            k.text = m.body;
        } else if (m.kind == MessageKind::deletion) {
            CHECK(m.body == k.text);
            k.deleted_ms = m.sent_at ? m.sent_at->ms : -1;
        }
        k.user = m.sender.id;
        k.channel = m.conversation.id;
        k.thread = m.thread;
        for (const auto& a : m.attachments) k.files[a.name] = sha256(a.content).hex();
    }
    return known;
}

void compare_with_truth(const Path& zip, bool has_updates) {
    RealFs fs;
    const Path authored = *test::shared_dir() / "corpora/messenger/authored";
    const auto truth = nlohmann::json::parse(to_text(read_file(fs, authored / "truth.json", 1u << 20).value()));
    test::Collect out;
    ReadContext context;
    context.extractor = &test::extractor();
    REQUIRE(detect(zip, context).value().format->name == "mattermost-csv");
    REQUIRE(read(zip, nullptr, context, out).ok());
    CHECK(out.quarantined() == 0);
    CHECK(out.findings.empty());
    const auto known = replay(out.items);
    CHECK(known.size() == truth["messages"].size());
    for (const auto& t : truth["messages"]) {
        const std::string id = t["id"];
        CAPTURE(id);
        REQUIRE(known.count(id) == 1);
        const Known& k = known.at(id);
        CHECK(k.text == t["text"]);
        CHECK(k.user == t["user"]);
        CHECK(k.channel == t["ch"]);
        CHECK(k.sent_ms == t["ts"]);
        CHECK(k.thread == (t["root"].is_null() ? std::string() : t["root"].get<std::string>()));
        REQUIRE(k.edits.size() == t["edits"].size());
        for (std::size_t i = 0; i < k.edits.size(); ++i) {
            CHECK(k.edits[i].second == t["edits"][i][1]);
            if (has_updates) CHECK(k.edits[i].first == t["edits"][i][0]);
        }
        CHECK((k.deleted_ms != 0) == !t["deleted"].is_null());
        if (has_updates && !t["deleted"].is_null()) CHECK(k.deleted_ms == t["deleted"]);
        REQUIRE(k.files.size() == t["files"].size());
        for (const auto& f : t["files"]) CHECK(k.files.at(f["name"]) == f["sha256"]);
    }
}

constexpr const char* kHeader20 =
    "Post Creation Time,Post Update Time,Post Update Type,Team Id,Team Name,Team Display Name,Channel Id,Channel Name,"
    "Channel Display Name,Channel Type,User Id,User Email,Username,Post Id,Edited By Post Id,Replied to Post Id,Post "
    "Message,"
    "Post Type,User Type,Previews Post Id\n";

std::string row(const std::string& updated, const std::string& update, const std::string& id, const std::string& editor,
                const std::string& text, const std::string& type = "message") {
    return "1000," + updated + "," + update + ",t,t,T,c,chan,Channel,public,u,u@x.example,user," + id + "," + editor +
           ",,\"" + text + "\"," + type + ",user,\n";
}

test::Collect read_zip(const test::ZipBuilder& zip) {
    test::TempDir dir;
    zip.write(dir / "batch001-0-1.zip");
    test::Collect out;
    ReadContext context;
    context.extractor = &test::extractor();
    REQUIRE(read(dir.path(), nullptr, context, out).ok());
    return out;
}

}  // namespace

TEST_CASE("the 20-column export of the corpora says everything that truth.json says") {
    if (!test::shared_dir()) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    compare_with_truth(*test::shared_dir() / "corpora/messenger/authored/mattermost/csv_export_20col.zip", true);
}

TEST_CASE("the 18-column export says the same but for the times of edits and deletions") {
    if (!test::shared_dir()) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    compare_with_truth(*test::shared_dir() / "corpora/messenger/authored/mattermost/csv_export_18col.zip", false);
}

TEST_CASE("the worked example of the format page is read as the page says") {
    test::Collect out;
    REQUIRE(read_mattermost_posts(to_bytes(test::doc_text("mattermost-csv.md", "mattermost")), {}, out).ok());
    REQUIRE(out.items.size() == 4);
    CHECK(out.items[0].message.kind == MessageKind::chat);
    CHECK(out.items[0].message.native_id == "m3-old0");
    CHECK(out.items[1].message.kind == MessageKind::edit);
    CHECK(out.items[1].message.previous_body == "helo");
    CHECK(out.items[1].message.body == "hello");
    CHECK(out.items[1].message.sent_at->ms == 1709283780000);
    CHECK(out.items[2].message.kind == MessageKind::chat);
    CHECK(out.items[3].message.kind == MessageKind::deletion);
    CHECK(out.items[3].message.body == "oops");
    CHECK(out.items[3].message.target == "m6");
}

TEST_CASE("an edit of the same post in a later batch is another event") {
    test::Collect first, second;
    const std::string head = kHeader20;
    REQUIRE(read_mattermost_posts(to_bytes(head + row("2000", "EditedOriginalMsg", "p-old0", "p", "one") +
                                           row("2000", "EditedNewMsg", "p", "", "two")),
                                  {}, first)
                .ok());
    REQUIRE(read_mattermost_posts(to_bytes(head + row("3000", "EditedOriginalMsg", "p-old1", "p", "two") +
                                           row("3000", "EditedNewMsg", "p", "", "three")),
                                  {}, second)
                .ok());
    REQUIRE(first.items.size() == 2);
    REQUIRE(second.items.size() == 2);
    CHECK(first.items[1].message.kind == MessageKind::edit);
    CHECK(second.items[1].message.body == "three");
    CHECK(second.items[1].message.previous_body == "two");
    CHECK(dedupe_identity(first.items[1].message, first.items[1].update_type) !=
          dedupe_identity(second.items[1].message, second.items[1].update_type));
}

TEST_CASE("raw is the exact row, and a post with files has the rows of its files too") {
    const std::string post = row("1000", "", "p", "", "with \"\"quotes\"\""),
                      file = row("1000", "", "p", "", "a.txt (files/p/f-a.txt)", "attachment");
    test::ZipBuilder zip;
    zip.add("posts.csv", kHeader20 + post + file);
    zip.add("files/p/f-a.txt", "hello");
    const auto out = read_zip(zip);
    REQUIRE(out.items.size() == 1);
    const auto& m = out.items[0].message;
    CHECK(to_text(m.raw) == post + file);
    CHECK(m.body == "with \"quotes\"");
    REQUIRE(m.attachments.size() == 1);
    CHECK(to_text(m.attachments[0].content) == "hello");
    CHECK(m.attachments[0].name == "a.txt");
    CHECK(m.attachments[0].media_type == "text/plain");
    CHECK(m.format == "mattermost-csv/20");
}

TEST_CASE("deleted attachments, absent files, warnings and wrong counts are told") {
    test::ZipBuilder zip;
    zip.add("posts.csv", std::string(kHeader20) + row("1000", "", "p", "", "text") +
                             row("1000", "", "p", "", "a.txt (files/p/f-a.txt)", "attachment") +
                             row("1500", "FileDeleted", "p", "", "b.txt (files/p/g-b.txt)", "deleted attachment"));
    zip.add("files/p/g-b.txt", "deleted file");
    zip.add("files/p/h-unnamed.txt", "nobody names me");
    zip.add("metadata.json", "{\"MessagesCount\": 5, \"AttachmentsCount\": 1}");
    zip.add("warning.txt", "Warning:one\nWarning:two\n");
    const auto out = read_zip(zip);
    REQUIRE(out.items.size() == 5);  // two messages, and three files of the export that none of them holds
    CHECK(out.items[2].message.attachments[0].name == "files/p/h-unnamed.txt");
    CHECK(to_text(out.items[2].message.attachments[0].content) == "nobody names me");
    CHECK(out.items[3].message.attachments[0].name == "metadata.json");
    CHECK(out.items[4].message.attachments[0].name == "warning.txt");
    CHECK(out.items[0].message.attachments[0].missing);
    CHECK(out.items[1].message.kind == MessageKind::deletion);
    CHECK(out.items[1].message.target == "p");
    CHECK(to_text(out.items[1].message.attachments[0].content) == "deleted file");
    const Findings wanted = {{"mattermost:attachment-missing", 1},
                             {"mattermost:export-warning", 2},
                             {"mattermost:messages-missing", 4},
                             {"mattermost:unnamed-file", 1}};
    CHECK(out.findings == wanted);
}

TEST_CASE("a batch with a damaged file is read as far as it goes, and sealed whole beside it") {
    test::ZipBuilder zip;
    zip.add("posts.csv", kHeader20 + row("1000", "", "p", "", "text") +
                             row("1000", "", "p", "", "a.txt (files/p/f-a.txt)", "attachment"));
    zip.add("files/p/f-a.txt", "broken", 1);
    const auto out = read_zip(zip);
    REQUIRE(out.items.size() == 2);
    CHECK(out.items[0].message.body == "text");
    CHECK(out.items[0].message.attachments[0].missing);
    CHECK(out.items[1].message.kind == MessageKind::unreadable);
    CHECK(out.items[1].message.notes == std::vector<std::string>{"quarantine:zip:damaged"});
    CHECK(out.items[1].message.raw == zip.bytes());
    CHECK(out.findings.count("zip:damaged") == 1);
}

TEST_CASE("rows that are no rows are quarantined one by one") {
    test::Collect out;
    const std::string text = std::string(kHeader20) + row("1000", "", "p1", "", "one") + "4,zu wenig\n" +
                             "x,,,,,,c,c,c,direct,u,u,u,p,,,t,message,user,\n" + row("1000", "", "p2", "", "two") +
                             "1000,1000,,t,t,T,c,c,C,public,u,u,u,p3,,,\"never closed";
    REQUIRE(read_mattermost_posts(to_bytes(text), {}, out).ok());
    CHECK(out.items.size() == 5);
    CHECK(out.quarantined() == 3);
}

TEST_CASE("members of a direct conversation are recipients") {
    test::Collect out;
    const std::string text = std::string(kHeader20) +
                             "1,0,,,,,d,a__b,\"A, B\",direct,a,a@x.example,anna,,,,joined,previously-joined,user,\n"
                             "1,0,,,,,d,a__b,\"A, B\",direct,b,b@x.example,bert,,,,joined,previously-joined,user,\n"
                             "2,2,,,,,d,a__b,\"A, B\",direct,a,a@x.example,anna,p1,,,hello,message,user,\n";
    REQUIRE(read_mattermost_posts(to_bytes(text), {}, out).ok());
    REQUIRE(out.items.size() == 3);
    const auto& m = out.items[2].message;
    REQUIRE(m.recipients.size() == 1);
    CHECK(m.recipients[0].person.address == "b@x.example");
    CHECK(m.conversation.type == vault::ConversationType::direct);
}
