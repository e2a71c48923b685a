// Mattermost's legal hold: who vouches for it, and what it says.
#include <doctest/doctest.h>

#include <algorithm>

#include "base/crypto.h"
#include "ingest/src/hmac_sha512.h"
#include "ingest/src/legal_hold.h"
#include "tests/ingest/chat_truth.h"
#include "tests/ingest/zip_builder.h"
#include "tests/support/doc_example.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::ingest;
using vault::MessageKind;

namespace {

constexpr const char* kHeader =
    "TeamName,TeamDisplayName,ChannelName,ChannelDisplayName,ChannelType,UserUsername,UserEmail,UserNickname,PostId,"
    "PostCreateAt,PostUpdateAt,PostDeleteAt,PostRootId,PostOriginalId,PostMessage,PostType,PostProps,PostHashtags,"
    "PostFileIds,IsBot\n";

std::string quoted(std::string text) {
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + "\"";
}

std::string row(const nlohmann::json& truth, const nlohmann::json& t, const std::string& id, const std::string& text,
                const std::string& deleted, const std::string& original, const std::string& files) {
    const std::string user = t["user"], room = t["ch"];
    const auto& channel = truth["channels"][room];
    const std::string created = std::to_string(t["ts"].get<std::int64_t>());
    return "beispiel,Beispiel AG," + channel["name"].get<std::string>() + "," +
           quoted(channel["display"].get<std::string>()) + "," + channel["type"].get<std::string>() + "," + user + "," +
           truth["users"][user]["email"].get<std::string>() + ",," + id + "," + created + "," + created + "," +
           deleted + "," + (t["root"].is_null() ? "" : t["root"].get<std::string>()) + "," + original + "," +
           quoted(text) + ",,{},," + quoted(files) + ",false\n";
}

// The truth's conversation as the plugin writes it.
struct Hold {
    std::map<std::string, std::string> files;
    std::string secret = "geheim";
    explicit Hold(const nlohmann::json& truth) {
        std::map<std::string, std::string> csv;
        for (const auto& t : truth["messages"]) {
            const std::string id = t["id"], room = t["ch"];
            if (csv[room].empty()) csv[room] = kHeader;
            std::string ids = "[";
            for (const auto& f : t["files"]) {
                const std::string name = f["name"], file = id + "f" + std::to_string(ids.size());
                ids += (ids.size() > 1 ? ",\"" : "\"") + file + "\"";
                files[base + room + "/files/files-1-m/" + file + "/" + name] = "content of " + name;
            }
            for (std::size_t i = 0; i < t["edits"].size(); ++i)
                csv[room] += row(truth, t, id + "-old" + std::to_string(i), t["edits"][i][1],
                                 std::to_string(t["edits"][i][0].get<std::int64_t>()), id, "[]");
            csv[room] +=
                row(truth, t, id, t["text"],
                    t["deleted"].is_null() ? "0" : std::to_string(t["deleted"].get<std::int64_t>()), "", ids + "]");
        }
        for (const auto& [room, text] : csv) files[base + room + "/messages/messages-1-m.csv"] = text;
        files[base + "index.json"] = "{\"users\":{}}";
    }
    std::string hashes() const {
        nlohmann::json out;
        for (const auto& [path, text] : files) {
            HmacSha512 mac(as_bytes(secret));
            mac.update(as_bytes(text));
            out[path] = hex(mac.finish());
        }
        return out.dump();
    }
    test::Collect read(const std::string& hashes_json, const std::string& known_secret) const {
        test::TempDir dir;
        test::ZipBuilder zip;
        for (const auto& [path, text] : files) zip.add(path, text);
        if (!hashes_json.empty()) zip.add(base + "hashes.json", hashes_json);
        zip.write(dir / "hold.zip");
        ReadContext context;
        context.origin_secret = to_bytes(known_secret);
        return test::read_as(dir / "hold.zip", "mattermost-legal-hold", context);
    }
    std::string base = "legal_hold/akte_h1/";
};

std::map<std::string, std::size_t> origins(const test::Collect& out) {
    std::map<std::string, std::size_t> count;
    for (const auto& item : out.items)
        for (const auto& note : item.message.notes)
            if (note.rfind("origin:", 0) == 0) ++count[note];
    return count;
}

}  // namespace

TEST_CASE("a legal hold says everything that truth.json says but reactions, and its HMACs prove who wrote it") {
    auto truth = test::ChatTruth::load();
    for (auto& t : truth.json["messages"])
        for (auto& f : t["files"]) f["sha256"] = sha256(as_bytes("content of " + f["name"].get<std::string>())).hex();
    const Hold hold(truth.json);
    const auto out = hold.read(hold.hashes(), "geheim");
    CHECK(out.quarantined() == 0);
    CHECK(out.findings.empty());
    truth.compare(
        out.items, {.reactions = true}, [](const auto& t) { return t["id"].template get<std::string>(); },
        [](const std::string& room) { return room; }, [](const std::string& user) { return user; });
    const auto said = origins(out);
    CHECK(said.size() == 1);
    CHECK(said.at("origin:proven") == 30);
    CHECK(test::new_on_second_import(out.items, hold.read(hold.hashes(), "geheim").items) == 0);
}

TEST_CASE("a changed file, a wrong secret, no secret and no hashes are told apart") {
    const auto truth = test::ChatTruth::load();
    Hold hold(truth.json);
    const std::string hashes = hold.hashes();
    CHECK(origins(hold.read(hashes, "")).count("origin:unchecked") == 1);
    CHECK(hold.read(hashes, "").findings.at("legal-hold:origin-unchecked") == 1);
    CHECK(hold.read("", "geheim").findings.at("legal-hold:no-hashes") == 1);
    CHECK(hold.read("[", "geheim").findings.at("legal-hold:hashes-unreadable") == 1);
    CHECK(hold.read(hashes, "falsch").findings.at("legal-hold:hmac-wrong") == hold.files.size());
    hold.files[hold.base + "c2/messages/messages-1-m.csv"] +=
        row(truth.json, truth.json["messages"][17], "zz", "untergeschoben", "0", "", "[]");
    hold.files[hold.base + "c2/files/files-1-m/ff/new.txt"] = "nobody vouches";
    const auto out = hold.read(hashes, "geheim");
    CHECK(out.findings.at("legal-hold:hmac-wrong") == 1);
    CHECK(out.findings.at("legal-hold:hmac-unnamed") == 1);
    CHECK(origins(out).at("origin:wrong") == 6);
    Hold fewer(truth.json);
    fewer.files.erase(fewer.base + "d1/messages/messages-1-m.csv");
    CHECK(fewer.read(hashes, "geheim").findings.at("legal-hold:named-file-missing") == 1);
}

TEST_CASE("rows of a legal hold that are none are quarantined one by one, joins say who joined") {
    const std::string csv = std::string(kHeader) +
                            "t,T,c,C,O,anna,a@x.example,,p1,1709283600000,0,0,,,joined,system_add_to_channel,"
                            "\"{\"\"addedUsername\"\":\"\"bert\"\"}\",,[],false\n"
                            "t,T,c,C,O,anna,a@x.example,,p2,gestern,0,0,,,x,,,,[],false\nzu,wenig\n"
                            "t,T,c,C,O,anna,a@x.example,,p3,1709283600000,0,0,,,x,,{,,[[[,TRUE\n"
                            "t,T,c,C,O,anna,a@x.example,,p4,1709283600000,0,0,,,\"offen";
    test::Collect out;
    REQUIRE(read_legal_hold_csv(to_bytes(csv), {}, {}, out).ok());
    CHECK(out.quarantined() == 3);
    CHECK(test::raw_bytes(out.items) == csv.size());
    const auto join = std::find_if(out.items.begin(), out.items.end(),
                                   [](const auto& i) { return i.message.kind == MessageKind::join; });
    REQUIRE(join != out.items.end());
    CHECK(join->message.sender.id == "bert");
    CHECK(join->message.recipients.at(0).person.id == "anna");
    test::Collect none;
    REQUIRE(read_legal_hold_csv(to_bytes("a,b\n1,2\n"), {}, {}, none).ok());
    CHECK(none.items.at(0).message.notes == std::vector<std::string>{"quarantine:no-header-row"});
}

TEST_CASE("the worked example of the legal hold page is read as the page says") {
    test::Collect out;
    REQUIRE(read_legal_hold_csv(to_bytes(test::doc_text("mattermost-legal-hold.md", "legal-hold")), {}, {}, out).ok());
    REQUIRE(out.items.size() == 5);
    CHECK(out.items[1].message.native_id == "m3-old0");
    CHECK(out.items[2].message.kind == MessageKind::edit);
    CHECK(out.items[2].message.previous_body == "helo");
    CHECK(out.items[3].message.kind == MessageKind::chat);
    CHECK(out.items[4].message.kind == MessageKind::deletion);
    CHECK(out.items[4].message.sent_at->ms == 1709284080000);
}
