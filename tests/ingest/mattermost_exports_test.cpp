// Actiance XML, Global Relay, bulk JSON lines: Mattermost's other exports.
#include <doctest/doctest.h>

#include <algorithm>

#include "ingest/src/single_formats.h"
#include "tests/ingest/chat_truth.h"
#include "tests/ingest/zip_builder.h"
#include "tests/support/doc_example.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::ingest;
using vault::MessageKind;

namespace {

std::optional<Path> authored() {
    if (!test::shared_dir()) {
        MESSAGE("skipped: ../shared is absent");
        return std::nullopt;
    }
    return *test::shared_dir() / "corpora/messenger/authored/mattermost";
}

std::string own_id(const nlohmann::json& t) {
    return t["id"];
}
std::string same(const std::string& name) {
    return name;
}

test::Collect actiance(const std::string& xml) {
    test::Collect out;
    REQUIRE(read_actiance(to_bytes(xml), {}, {}, out).ok());
    return out;
}

test::Collect hostile(const char* name, const char* ending, const char* format) {
    test::TempDir dir;
    std::filesystem::copy_file(test::ingest_data("hostile") / name, dir / (std::string("x") + ending));
    test::Collect out;
    ReadContext context;
    REQUIRE(read(dir / (std::string("x") + ending), *parse_format_name(format), context, out).ok());
    return out;
}

const test::ChatTruth::Cannot kActiance = {.threads = true, .reactions = true, .carriage_return = true};
const test::ChatTruth::Cannot kBulk = {
    .deleted_messages = true, .edit_text = true, .reactions = false, .file_bytes = false};

std::function<std::string(const std::string&)> mail_of(const test::ChatTruth& truth) {
    return [&truth](const std::string& user) { return truth.json["users"][user]["email"].get<std::string>(); };
}

std::string element(const std::string& id, const std::string& text, const std::string& more = "") {
    return "<Message><MessageId>" + id +
           "</MessageId><LoginName>a@x.example</LoginName><UserType>user</UserType><DateTimeUTC>1709283600000"
           "</DateTimeUTC>" +
           more + "<Content>" + text + "</Content></Message>";
}
std::string dump(const std::string& inside) {
    return "<?xml version=\"1.0\"?><FileDump><Conversation Perspective=\"P\"><RoomID>public - p - c1</RoomID>" +
           inside + "</Conversation></FileDump>";
}

}  // namespace

TEST_CASE("an Actiance export says what truth.json says but threads, reactions and carriage returns") {
    const auto truth = test::ChatTruth::load();
    const auto out = test::read_as(test::ingest_data("mattermost-actiance/actiance_export.xml"), "mattermost-actiance");
    CHECK(out.quarantined() == 0);
    CHECK(out.findings == Findings{{"mattermost:attachment-missing", 3}});
    auto cannot = kActiance;
    cannot.file_bytes = true;
    truth.compare(out.items, cannot, own_id, same, mail_of(truth));
    // Every byte of the file is in one message, and in one only.
    const std::string xml = test::read_text(test::ingest_data("mattermost-actiance/actiance_export.xml"));
    CHECK(test::raw_bytes(out.items) == xml.size());
}

TEST_CASE("an Actiance zip has the files, too, and a second import brings nothing new") {
    const auto folder = authored();
    if (!folder) return;
    const auto truth = test::ChatTruth::load();
    const auto out = test::read_as(*folder / "actiance_export.zip", "mattermost-actiance");
    CHECK(out.quarantined() == 0);
    CHECK(out.findings.empty());
    truth.compare(out.items, kActiance, own_id, same, mail_of(truth));
    const auto again = test::read_as(*folder / "actiance_export.zip", "mattermost-actiance");
    CHECK(test::new_on_second_import(out.items, again.items) == 0);
    CHECK(test::new_on_second_import({}, out.items) == out.items.size());
}

TEST_CASE("who is in a room at the period's end has not left it") {
    const auto out = actiance(
        dump("<StartTimeUTC>1709283600000</StartTimeUTC>"
             "<ParticipantEntered><LoginName>a</LoginName><DateTimeUTC>1709283600000</DateTimeUTC></ParticipantEntered>"
             "<ParticipantEntered><LoginName>b</LoginName><DateTimeUTC>1709283601000</DateTimeUTC></ParticipantEntered>"
             "<ParticipantLeft><LoginName>b</LoginName><DateTimeUTC>1709283602000</DateTimeUTC></ParticipantLeft>"
             "<ParticipantLeft><LoginName>a</LoginName><DateTimeUTC>1709283700000</DateTimeUTC></ParticipantLeft>"
             "<EndTimeUTC>1709283700000</EndTimeUTC>"));
    REQUIRE(out.items.size() == 5);  // and what stands around them
    CHECK(out.items[0].message.kind == MessageKind::join);
    CHECK(out.items[0].message.notes == std::vector<std::string>{"previously-joined"});
    CHECK(out.items[1].message.notes.empty());
    CHECK(out.items[2].message.kind == MessageKind::leave);
    CHECK(out.items[3].message.kind == MessageKind::status);
    CHECK(out.items[3].message.notes == std::vector<std::string>{"present-at-end"});
}

TEST_CASE("an Actiance document type is never read: nothing expands, nothing is fetched, the file is kept whole") {
    for (const char* name : {"actiance_billion_laughs.xml", "actiance_xxe.xml"}) {
        CAPTURE(name);
        const auto out = hostile(name, ".xml", "mattermost-actiance");
        REQUIRE(out.items.size() == 1);
        CHECK(out.items[0].message.notes == std::vector<std::string>{"quarantine:doctype"});
        CHECK(to_text(out.items[0].message.raw) == test::read_text(test::ingest_data("hostile") / name));
    }
}

TEST_CASE("an Actiance file that is cut off is read as far as it goes and kept whole beside it") {
    const auto out = hostile("actiance_truncated.xml", ".xml", "mattermost-actiance");
    REQUIRE(out.items.size() > 5);
    CHECK(out.quarantined() == 1);
    CHECK(out.items.back().message.notes == std::vector<std::string>{"quarantine:truncated"});
    CHECK(to_text(out.items.back().message.raw) ==
          test::read_text(test::ingest_data("hostile/actiance_truncated.xml")));
}

TEST_CASE("an element with a character that XML does not have is quarantined alone") {
    for (const char* name : {"actiance_control_chars.xml", "actiance_latin1_declared_utf8.xml"}) {
        CAPTURE(name);
        const auto out = hostile(name, ".xml", "mattermost-actiance");
        CHECK(out.quarantined() >= 1);
        CHECK(out.quarantined() < out.items.size());
        for (const auto& item : out.items)
            if (item.message.kind == MessageKind::unreadable)
                CHECK(item.message.notes == std::vector<std::string>{"quarantine:not-xml"});
    }
}

TEST_CASE("UTF-16 is read, and the file as it came is kept") {
    const auto out = hostile("actiance_utf16.xml", ".xml", "mattermost-actiance");
    CHECK(out.quarantined() == 0);
    CHECK(out.findings.at("mattermost:transcoded") == 1);
    const auto truth = test::ChatTruth::load();
    auto cannot = kActiance;
    cannot.file_bytes = true;
    truth.compare(out.items, cannot, own_id, same, mail_of(truth));
    CHECK(to_text(out.items.back().message.raw) == test::read_text(test::ingest_data("hostile/actiance_utf16.xml")));
}

TEST_CASE("references, CDATA, comments and bad elements of Actiance XML") {
    const auto out = actiance(dump(element("m1", "a &lt; b &#x1F600; <![CDATA[<raw> & ]]><!-- no -->end") +
                                   element("m2", "&undefined;") + element("m3", "&#0;") +
                                   "<Message><MessageId>m4</MessageId><DateTimeUTC>soon</DateTimeUTC></Message>"));
    REQUIRE(out.items.size() == 5);
    CHECK(out.items[0].message.body == "a < b \xF0\x9F\x98\x80 <raw> & end");
    CHECK(out.items[1].message.notes == std::vector<std::string>{"quarantine:not-xml"});
    CHECK(out.items[2].message.notes == std::vector<std::string>{"quarantine:not-xml"});
    CHECK(out.items[3].message.notes == std::vector<std::string>{"quarantine:bad-time"});
    CHECK(actiance("<html/>").items[0].message.notes == std::vector<std::string>{"quarantine:no-filedump"});
    CHECK(actiance(dump("<a></b>")).items.back().message.notes == std::vector<std::string>{"quarantine:not-xml"});
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += "<a>";
    CHECK(actiance(dump(deep)).items.back().message.notes == std::vector<std::string>{"quarantine:too-deep"});
}

TEST_CASE("the worked example of the Actiance page is read as the page says") {
    const auto out = actiance(test::doc_text("mattermost-actiance.md", "actiance"));
    REQUIRE(out.items.size() == 4);
    CHECK(out.items[0].message.kind == MessageKind::join);
    CHECK(out.items[1].message.native_id == "m3-old0");
    CHECK(out.items[2].message.kind == MessageKind::edit);
    CHECK(out.items[2].message.previous_body == "helo");
    CHECK(out.items[2].message.sent_at->ms == 1709283780000);
    CHECK(out.items[3].message.notes == std::vector<std::string>{"rest-of-export"});
}

TEST_CASE("a Global Relay export says text, person, room and second of what was not deleted") {
    const auto folder = authored();
    if (!folder) return;
    const auto truth = test::ChatTruth::load();
    const auto out = test::read_as(*folder / "globalrelay_export.zip", "mattermost-global-relay");
    CHECK(out.quarantined() == 0);
    CHECK(out.findings.empty());
    std::multiset<std::string> said, wanted;
    std::size_t mails = 0, files = 0;
    for (const auto& item : out.items) {
        const auto& m = item.message;
        if (m.kind == MessageKind::mail) {
            ++mails;
            files += m.attachments.size();
            continue;
        }
        REQUIRE(m.kind == MessageKind::chat);
        CHECK(m.native_id.empty());  // before v10.5 there is none
        CHECK(m.sender.address == mail_of(truth)(m.sender.id));
        said.insert(m.conversation.id + " " + m.sender.id + " " + format_rfc3339(*m.sent_at) + " " + m.body);
    }
    for (const auto& t : truth.json["messages"]) {
        if (!t["deleted"].is_null()) continue;  // left out before v10.5
        std::string text = t["text"];
        text.erase(std::remove(text.begin(), text.end(), '\r'), text.end());
        wanted.insert(t["ch"].get<std::string>() + " " + t["user"].get<std::string>() + " " +
                      format_rfc3339(UtcTime{t["ts"].get<std::int64_t>()}) + " " + text);
    }
    std::string lost, invented;
    for (const std::string& one : wanted)
        if (said.count(one) != wanted.count(one)) lost += one + "\n";
    for (const std::string& one : said)
        if (said.count(one) != wanted.count(one)) invented += one + "\n";
    CHECK(lost == "");
    CHECK(invented == "");
    CHECK(mails == 3);
    CHECK(files == 3);  // no message names them: they stay with their mail
    const auto again = test::read_as(*folder / "globalrelay_export.zip", "mattermost-global-relay");
    CHECK(test::new_on_second_import(out.items, again.items) == 0);
}

TEST_CASE("the worked example of the Global Relay page is read as the page says") {
    test::Collect out;
    REQUIRE(read_global_relay(to_bytes(test::doc_text("mattermost-global-relay.md", "global-relay")), {}, out).ok());
    REQUIRE(out.items.size() == 7);
    CHECK(out.items[0].message.kind == MessageKind::join);
    CHECK(out.items[1].message.kind == MessageKind::leave);
    CHECK(out.items[2].message.body == "helo");
    CHECK(out.items[2].message.notes ==
          std::vector<std::string>{"time-to-second", "update:EditedOriginalMsg", "earlier-version"});
    CHECK(out.items[3].message.kind == MessageKind::edit);
    CHECK(out.items[3].message.native_id == "m3");
    CHECK(out.items[3].message.body == "hello");
    CHECK(out.items[3].message.previous_body == "helo");
    CHECK(out.items[4].message.kind == MessageKind::deletion);
    CHECK(out.items[4].message.body == "oops");
    CHECK(out.items[5].message.kind == MessageKind::file);
    CHECK(out.items[5].message.target == "m3");
    CHECK(to_text(out.items[5].message.attachments.at(0).content) == "Hallo");
    CHECK(out.items[6].message.kind == MessageKind::mail);
    CHECK(out.items[6].message.notes == std::vector<std::string>{"source-of-messages"});
}

TEST_CASE("the same words in the same second are two messages") {
    const std::string li =
        "<li class=\"message\"><span class=\"sent_time\">2024-03-01T09:00:00Z</span><span class=\"username\">@a</span>"
        "<span class=\"message\">ok</span></li>";
    test::Collect out;
    REQUIRE(read_global_relay(to_bytes("X-GlobalRelay-MsgType: Mattermost\nX-Mattermost-ChannelID: c\n"
                                       "Content-Type: text/html\n\n<ul>" +
                                       li + li + "</ul>"),
                              {}, out)
                .ok());
    REQUIRE(out.items.size() == 3);
    CHECK(out.items[0].update_type != out.items[1].update_type);
    CHECK(test::new_on_second_import({}, out.items) == 3);
}

TEST_CASE("a bulk export says what truth.json says but ids, what was deleted and what stood there before") {
    const auto folder = authored();
    if (!folder) return;
    const auto truth = test::ChatTruth::load();
    const auto out = test::read_as(*folder / "bulk_export.zip", "mattermost-bulk");
    CHECK(out.quarantined() == 0);
    CHECK(out.findings.empty());
    // Ids are ours: found again by person, time and text.
    std::map<std::string, std::string> ids;
    for (const auto& item : out.items) {
        const auto& m = item.message;
        if (m.kind == MessageKind::chat || m.kind == MessageKind::edit) ids[m.sender.id + "\n" + m.body] = m.native_id;
    }
    truth.compare(
        out.items, kBulk,
        [&](const nlohmann::json& t) {
            const auto at = ids.find(t["user"].get<std::string>() + "\n" + t["text"].get<std::string>());
            return at == ids.end() ? "none:" + t["id"].get<std::string>() : at->second;
        },
        [&](const std::string& room) {
            return room == "d1" ? std::string("anna__jurgen")
                                : "beispiel/" + truth.json["channels"][room]["name"].get<std::string>();
        },
        same);
    const auto again = test::read_as(*folder / "bulk_export.zip", "mattermost-bulk");
    CHECK(test::new_on_second_import(out.items, again.items) == 0);
    CHECK(test::new_on_second_import({}, out.items) == out.items.size());
}

TEST_CASE("every byte of a bulk export's line is in one event, and in one only") {
    const auto out = test::read_as(test::ingest_data("mattermost-bulk/bulk_import.jsonl"), "mattermost-bulk");
    const std::string text = test::read_text(test::ingest_data("mattermost-bulk/bulk_import.jsonl"));
    const auto lines = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
    CHECK(test::raw_bytes(out.items) == text.size() - lines);
}

TEST_CASE("an edit of a post in a later bulk export is another event of the same post") {
    const auto line = [](const std::string& text, const std::string& edited) {
        return "{\"type\":\"post\",\"post\":{\"team\":\"t\",\"channel\":\"c\",\"user\":\"u\",\"message\":\"" + text +
               "\",\"create_at\":1709283600000,\"edit_at\":" + edited + "}}\n";
    };
    test::Collect out;
    const std::string both = line("one", "0") + line("two", "1709283700000");
    REQUIRE(read_mattermost_bulk(*memory_source(as_bytes(both)), {}, {}, out).ok());
    REQUIRE(out.items.size() == 2);
    CHECK(out.items[0].message.native_id == out.items[1].message.native_id);
    CHECK(out.items[1].message.kind == MessageKind::edit);
    CHECK(out.items[1].message.sent_at->ms == 1709283700000);
    CHECK(test::new_on_second_import({}, out.items) == 2);
}

TEST_CASE("hostile lines of a bulk export are quarantined one by one") {
    CHECK(hostile("mm_truncated.jsonl", ".jsonl", "mattermost-bulk").quarantined() == 1);
    CHECK(hostile("mm_invalid_utf8.jsonl", ".jsonl", "mattermost-bulk").quarantined() == 9);
    const auto twice = hostile("mm_duplicate_keys.jsonl", ".jsonl", "mattermost-bulk");
    REQUIRE(twice.items.size() == 1);
    CHECK(twice.items[0].message.notes == std::vector<std::string>{"quarantine:duplicate-key"});
    // Times that are none, and none that is set to now.
    const auto numbers = hostile("mm_numbers.jsonl", ".jsonl", "mattermost-bulk");
    CHECK(numbers.items.size() == 9);
    CHECK(numbers.quarantined() == 9);
    CHECK(numbers.items[2].message.notes == std::vector<std::string>{"quarantine:bad-time"});
    const auto bom = hostile("mm_bom_crlf_blank.jsonl", ".jsonl", "mattermost-bulk");
    CHECK(bom.quarantined() == 0);
    const auto plain = test::read_as(test::ingest_data("mattermost-bulk/bulk_import.jsonl"), "mattermost-bulk");
    CHECK(bom.items.size() == plain.items.size());
}

TEST_CASE("a line longer than the limit is kept in pieces, and the lines around it are read") {
    ReadContext context;
    context.limits.line = 100;
    const std::string version = "{\"type\":\"version\",\"version\":1}\n";
    const std::string text = version + "{" + std::string(350, ' ') + "}\n" + version;
    test::Collect out;
    REQUIRE(read_mattermost_bulk(*memory_source(as_bytes(text)), {}, context, out).ok());
    CHECK(out.items.front().message.kind == MessageKind::status);
    CHECK(out.items.back().message.kind == MessageKind::status);
    CHECK(out.quarantined() + 2 == out.items.size());
    CHECK(test::raw_bytes(out.items) == text.size() - 2);
}

TEST_CASE("the worked example of the bulk page is read as the page says") {
    test::Collect out;
    const std::string text = test::doc_text("mattermost-bulk.md", "bulk");
    REQUIRE(read_mattermost_bulk(*memory_source(as_bytes(text)), {}, {}, out).ok());
    REQUIRE(out.items.size() == 5);
    CHECK(out.items[2].message.native_id == "mm-bulk-" + test::doc_text("mattermost-bulk.md", "id").substr(0, 32));
    CHECK(out.items[3].message.thread == out.items[2].message.native_id);
    CHECK(out.items[4].message.kind == MessageKind::reaction);
    CHECK(out.items[4].message.target == out.items[3].message.native_id);
}
