// RSMF 2.0 as it is read.
#include <doctest/doctest.h>

#include "base/crypto.h"
#include "ingest/src/rsmf_manifest.h"
#include "tests/ingest/chat_truth.h"
#include "tests/ingest/zip_builder.h"
#include "tests/support/doc_example.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::ingest;
using nlohmann::json;
using vault::MessageKind;

namespace {

// The truth's conversation as RSMF has it.
json manifest_of(const json& truth) {
    json out = {{"version", "2.0.0"}, {"participants", json::array()}, {"conversations", json::array()}};
    for (const auto& [id, user] : truth["users"].items())
        out["participants"].push_back({{"id", id}, {"display", user["name"]}, {"email", user["email"]}});
    for (const auto& [id, channel] : truth["channels"].items())
        out["conversations"].push_back({{"id", id},
                                        {"platform", "kustos"},
                                        {"display", channel["display"]},
                                        {"type", channel["type"] == "D" ? "direct" : "channel"},
                                        {"participants", {"anna", "jurgen"}}});
    for (const auto& t : truth["messages"]) {
        const auto time = [](const json& ms) { return format_rfc3339(UtcTime{ms.get<std::int64_t>()}); };
        json e = {{"type", "message"},       {"id", t["id"]},     {"participant", t["user"]},
                  {"conversation", t["ch"]}, {"body", t["text"]}, {"timestamp", time(t["ts"])}};
        if (!t["root"].is_null()) e["parent"] = t["root"];
        if (!t["deleted"].is_null()) e["deleted"] = true;
        for (const auto& r : t["react"])
            e["reactions"].push_back({{"value", r[1]}, {"count", 1}, {"participants", {r[0]}}});
        for (const auto& f : t["files"])
            e["attachments"].push_back(
                {{"id", sha256(as_bytes(f["name"].get<std::string>())).hex()}, {"display", f["name"]}});
        for (std::size_t i = 0; i < t["edits"].size(); ++i)
            e["edits"].push_back({{"participant", t["user"]},
                                  {"timestamp", time(t["edits"][i][0])},
                                  {"previous", t["edits"][i][1]},
                                  {"new", i + 1 < t["edits"].size() ? t["edits"][i + 1][1] : t["text"]}});
        out["events"].push_back(std::move(e));
    }
    return out;
}

std::string mail_with(const Bytes& zip) {
    return "From: export@beispiel.example\nX-RSMF-Version: 2.0.0\nX-RSMF-EventCount: 25\nMIME-Version: 1.0\n"
           "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nRSMF\n--b\n"
           "Content-Type: application/zip; name=rsmf.zip\nContent-Disposition: attachment; filename=rsmf.zip\n"
           "Content-Transfer-Encoding: base64\n\n" +
           base64(zip) + "\n--b--\n";
}

test::Collect read_mail(const std::string& mail, ReadContext context = {}) {
    test::TempDir dir;
    test::write_text(dir / "x.rsmf", mail);
    return test::read_as(dir / "x.rsmf", "rsmf", context);
}

test::Collect read_manifest(const std::string& text, const ReadContext& context = {}) {
    test::Collect out;
    REQUIRE(read_rsmf_manifest(to_bytes(text), {}, context, out).ok());
    return out;
}

std::string one_event(const std::string& more) {
    json e = json::parse(R"({"type":"message","id":"1","participant":"a","conversation":"c","body":"x",
        "timestamp":"2024-07-01T10:00:00+02:00"})");
    e.update(json::parse(more));
    return json{{"events", {e}}}.dump();
}

}  // namespace

TEST_CASE("RSMF says everything that truth.json says but when something was deleted") {
    auto truth = test::ChatTruth::load();
    test::ZipBuilder zip;
    zip.add("rsmf_manifest.json", manifest_of(truth.json).dump());
    for (auto& t : truth.json["messages"])
        for (auto& f : t["files"]) {
            const std::string name = f["name"];
            zip.add(sha256(as_bytes(name)).hex(), "content of " + name);
            f["sha256"] = sha256(as_bytes("content of " + name)).hex();
        }
    zip.add("avatar.png", "nobody names me");
    const auto out = read_mail(mail_with(zip.bytes()));
    CHECK(out.quarantined() == 0);
    CHECK(out.findings.empty());
    truth.compare(
        out.items, {.deletion_time = true},
        [](const json& t) { return t["ch"].get<std::string>() + "/" + t["id"].get<std::string>(); },
        [](const std::string& room) { return room; }, [](const std::string& user) { return user; });
    // The mail around it, and the file that no event names, are kept.
    CHECK(to_text(out.items.back().message.raw).find("X-RSMF-EventCount: 25") != std::string::npos);
    CHECK(out.items[out.items.size() - 2].message.attachments.at(0).name == "avatar.png");
    CHECK(test::new_on_second_import(out.items, read_mail(mail_with(zip.bytes())).items) == 0);
}

TEST_CASE("RSMF times without a zone are the operator's, or said to be unknown") {
    const std::string text = one_event(R"({"timestamp":"2024-07-01T10:00:00"})");
    auto out = read_manifest(text);
    CHECK(out.items.at(0).message.notes == std::vector<std::string>{"time-zone-unknown"});
    CHECK(format_rfc3339(*out.items[0].message.sent_at) == "2024-07-01T10:00:00Z");
    ReadContext berlin;
    berlin.time_zone = "Europe/Berlin";
    out = read_manifest(text, berlin);
    CHECK(out.items.at(0).message.notes == std::vector<std::string>{"time-zone-declared"});
    CHECK(format_rfc3339(*out.items[0].message.sent_at) == "2024-07-01T08:00:00Z");
    CHECK(format_rfc3339(*read_manifest(one_event("{}")).items.at(0).message.sent_at) == "2024-07-01T08:00:00Z");
    out = read_manifest(one_event(R"({"timestamp":"soon"})"));
    CHECK_FALSE(out.items.at(0).message.sent_at);
    CHECK(out.findings == Findings{{"rsmf:bad-time", 1}});
}

TEST_CASE("events of RSMF: joins, leaves, statements, and several who reacted") {
    CHECK(read_manifest(one_event(R"({"type":"join"})")).items.at(0).message.kind == MessageKind::join);
    CHECK(read_manifest(one_event(R"({"type":"leave"})")).items.at(0).message.kind == MessageKind::leave);
    CHECK(read_manifest(one_event(R"({"type":"disclaimer"})")).items.at(0).message.kind == MessageKind::status);
    const auto out = read_manifest(one_event(R"({"reactions":[{"value":"like","count":2,"participants":["b","c"]}]})"));
    REQUIRE(out.items.size() == 3);
    CHECK(out.items[1].message.sender.id == "b");
    CHECK(out.items[2].message.sender.id == "c");
    CHECK(test::new_on_second_import({}, out.items) == 3);
}

TEST_CASE("hostile RSMF: no zip, no manifest, a zip that can't be trusted, manifests that are none") {
    auto out = read_mail("X-RSMF-Version: 2.0.0\n\nno zip\n");
    CHECK(out.items.at(0).message.notes == std::vector<std::string>{"quarantine:no-rsmf-zip"});
    test::ZipBuilder other;
    other.add("x", "y");
    CHECK(read_mail(mail_with(other.bytes())).items.at(0).message.notes ==
          std::vector<std::string>{"quarantine:no-manifest"});
    test::ZipBuilder damaged;
    damaged.add("rsmf_manifest.json", one_event(R"({"attachments":[{"id":"f"}]})"));
    damaged.add("f", "broken", 1);
    out = read_mail(mail_with(damaged.bytes()));
    CHECK(out.items.at(0).message.body == "x");
    CHECK(out.items.at(0).message.attachments.at(0).missing);
    CHECK(out.items.back().message.notes == std::vector<std::string>{"quarantine:zip:damaged"});
    CHECK(read_manifest("[").quarantined() == 0);
    CHECK(read_manifest("{\"events\":[1,null,{\"a\":1,\"a\":2},{\"body\":").quarantined() == 4);
    CHECK(read_manifest("{\"events\":[" + std::string(50'000, '[')).quarantined() == 1);
}

TEST_CASE("the worked example of the RSMF page is read as the page says") {
    const auto out = read_manifest(test::doc_text("rsmf.md", "manifest"));
    REQUIRE(out.items.size() == 5);
    CHECK(out.items[0].message.body == "helo");
    CHECK(out.items[0].message.sender.name == "Anna Müller");
    CHECK(out.items[1].message.kind == MessageKind::edit);
    CHECK(out.items[1].message.previous_body == "helo");
    CHECK(out.items[2].message.kind == MessageKind::reaction);
    CHECK(out.items[3].message.kind == MessageKind::deletion);
    CHECK(out.items[4].message.notes == std::vector<std::string>{"rest-of-export"});
}
