// Files with a sidecar beside them, and call records.
#include <doctest/doctest.h>

#include <filesystem>

#include "base/crypto.h"
#include "ingest/src/sidecar.h"
#include "ingest/src/sidecar_record.h"
#include "tests/ingest/chat_truth.h"
#include "tests/ingest/zip_builder.h"
#include "tests/support/doc_example.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::ingest;
using vault::MessageKind;

namespace {

ReadContext berlin() {
    ReadContext out;
    out.time_zone = "Europe/Berlin";
    return out;
}

// Every file that a record names is there and says its own name.
ExportFiles named_files() {
    ExportFiles out;
    out.attach = [](std::string_view path, vault::Attachment& into) {
        into.content = to_bytes(path);
        into.missing = false;
    };
    return out;
}

test::Collect sidecar(const std::string& json, const std::string& name = "fax-1.tif.json") {
    test::Collect out;
    REQUIRE(read_one_sidecar(to_bytes(json), name, named_files(), berlin(), out).ok());
    return out;
}
test::Collect manifest(const std::string& csv) {
    test::Collect out;
    REQUIRE(read_call_manifest(to_bytes(csv), named_files(), berlin(), out).ok());
    return out;
}
bool has_note(const vault::Message& m, std::string_view note) {
    return std::find(m.notes.begin(), m.notes.end(), note) != m.notes.end();
}

const std::string kCalls =
    "from,to,start,duration,direction\n"
    "0221 1,0221 2,2024-03-01T10:00:00+01:00,90,in\n"
    "0221 1,0221 2,2024-03-01T10:00:00+01:00,90,in\n"
    "0221 3,0221 2,01.03.2024 10:05:00,1:02:03,out\n";

}  // namespace

TEST_CASE("a fax and its sidecar become one message with all that the sidecar says") {
    const auto out =
        sidecar(R"({"kustos_sidecar":1,"id":"F-17","start":"2024-03-01T10:00:00+01:00","direction":"eingehend",
        "from":{"address":"+49 221 12345","name":"Stadtwerke"},"to":["+49 221 99",{"address":"+49 221 98"}],"subject":"Plan","text":"2 Seiten"})");
    REQUIRE(out.items.size() == 1);
    const auto& m = out.items[0].message;
    CHECK(m.kind == MessageKind::file);
    CHECK(m.native_id == "F-17");
    CHECK(m.sent_at->ms == 1709283600000);
    CHECK(m.sender.name == "Stadtwerke");
    CHECK(m.recipients.size() == 2);
    CHECK(m.recipients[1].person.address == "+49 221 98");
    CHECK(m.subject == "Plan");
    CHECK(m.body == "2 Seiten");
    CHECK(has_note(m, "direction:in"));
    REQUIRE(m.attachments.size() == 1);
    CHECK(m.attachments[0].name == "fax-1.tif");
    CHECK(m.attachments[0].media_type == "image/tiff");
    CHECK(out.findings.empty());
}

TEST_CASE("what a record is: said, or by its file") {
    const auto kind = [](const std::string& more, const std::string& name) {
        return sidecar(R"({"kustos_sidecar":1,"start":"2024-03-01T09:00:00Z")" + more + "}", name)
            .items.at(0)
            .message.kind;
    };
    CHECK(kind("", "a.wav.json") == MessageKind::voice);
    CHECK(kind("", "a.pdf.json") == MessageKind::file);
    CHECK(kind(R"(,"kind":"call")", "a.json") == MessageKind::call);
    CHECK(kind(R"(,"kind":"call","file":"a.wav")", "a.json") == MessageKind::call);
    CHECK(kind(R"(,"media_type":"audio/basic")", "a.bin.json") == MessageKind::voice);
    const auto call = sidecar(R"({"kustos_sidecar":1,"kind":"call","start":1709283600,"duration":90.5})", "a.json");
    CHECK(call.items[0].message.attachments.empty());
    CHECK(call.items[0].message.duration_ms == 90'500);
    CHECK(call.items[0].message.sent_at->ms == 1709283600000);
}

TEST_CASE("lengths as telephone systems write them") {
    CHECK(written_duration_ms("90") == 90'000);
    CHECK(written_duration_ms("2:03") == 123'000);
    CHECK(written_duration_ms("1:02:03") == 3'723'000);
    CHECK(written_duration_ms("PT1M30S") == 90'000);
    for (const char* bad : {"", "-1", "1:2:3:4", "abc", "1:", "nan", "1e300", "90 s"})
        CHECK_FALSE(written_duration_ms(bad));
}

TEST_CASE("a repeated delivery seals nothing, a corrected record or another file does") {
    const std::string one = R"({"kustos_sidecar":1,"id":"7","start":"2024-03-01T09:00:00Z"})";
    const auto first = sidecar(one),
               again = sidecar(R"({"start":"2024-03-01T09:00:00Z", "id":"7","kustos_sidecar":1})");
    CHECK(test::new_on_second_import(first.items, again.items) == 0);
    CHECK(test::new_on_second_import(
              first.items, sidecar(R"({"kustos_sidecar":1,"id":"7","start":"2024-03-01T09:00:01Z"})").items) == 1);
    CHECK(test::new_on_second_import(first.items, sidecar(one, "fax-2.tif.json").items) == 1);
}

TEST_CASE("call records: one message a row, equal rows stay two, and a later manifest brings what is new") {
    const auto out = manifest(kCalls);
    REQUIRE(out.items.size() == 4);  // with the titles
    CHECK(out.items[0].message.kind == MessageKind::file);
    CHECK(has_note(out.items[0].message, "rest-of-export"));
    const auto& call = out.items[3].message;
    CHECK(call.kind == MessageKind::call);
    CHECK(call.sender.address == "0221 3");
    CHECK(call.recipients.at(0).person.address == "0221 2");
    CHECK(call.duration_ms == 3'723'000);
    CHECK(call.sent_at->ms == 1709283900000);
    CHECK(has_note(call, "direction:out"));
    CHECK(test::new_on_second_import({}, out.items) == 4);
    const std::string german =

        "Von;An;Beginn;Richtung;Dauer;Datei\n0221 3;0221 2;01.03.2024 10:05:00;out;1:02:03;\n"
        "0221 1;0221 2;2024-03-01T10:00:00+01:00;in;90;\n\"0221 1\";0221 2;2024-03-01T10:00:00+01:00;in;90;\n"
        "0221 5;0221 2;02.03.2024 08:00:00;in;5;x.wav\n";
    const auto later = manifest(german);
    CHECK(test::new_on_second_import(out.items, later.items) == 2);  // its titles and the new call
    CHECK(later.items.back().message.kind == MessageKind::voice);
    CHECK(to_text(later.items.back().message.attachments.at(0).content) == "x.wav");
    std::string all;
    for (const auto& item : later.items) all += as_text(item.message.raw);
    CHECK(all == german);
}

TEST_CASE("rows that can't be read are quarantined one by one") {
    const auto out = manifest(kCalls + "1,2,3,4,5,6,7\n,,,,\n\"offen");
    CHECK(out.quarantined() == 2);
    CHECK(out.findings.at("sidecar:bad-row") == 2);
    CHECK(out.findings.at("sidecar:bad-time") == 1);
    CHECK(manifest("a,b\n1,2\n").quarantined() == 1);
}

TEST_CASE("sidecars that can't be read are quarantined with their reason, and strange keys are counted") {
    const auto reason = [](const std::string& json) {
        const auto out = sidecar(json);
        return out.items.at(0).message.notes.at(0);
    };
    CHECK(reason("{\"kustos_sidecar\":1") == "quarantine:not-json");
    CHECK(reason("{\"kustos_sidecar\":2}") == "quarantine:unknown-version");
    CHECK(reason("{\"kustos_sidecar\":1,\"kind\":\"telegram\"}") == "quarantine:unknown-kind");
    CHECK(reason("{\"kustos_sidecar\":1,\"id\":1,\"id\":2}") == "quarantine:duplicate-key");
    CHECK(sidecar(R"({"kustos_sidecar":1,"start":"gestern","size":"x","shoe":43})").findings ==
          Findings{{"sidecar:bad-time", 1}, {"sidecar:unknown-key", 1}});
}

TEST_CASE("a size or hash that does not fit is told, and the file is kept") {
    const auto good = sidecar(R"({"kustos_sidecar":1,"start":"2024-03-01T09:00:00Z","size":9,"sha256":")" +
                              sha256(as_bytes("fax-1.tif")).hex() + "\"}");
    CHECK(good.findings.empty());
    const auto bad = sidecar(R"({"kustos_sidecar":1,"start":"2024-03-01T09:00:00Z","size":8,"sha256":"00"})");
    CHECK(bad.findings == Findings{{"sidecar:attachment-mismatch", 2}});
    CHECK_FALSE(bad.items.at(0).message.attachments.at(0).missing);
}

TEST_CASE("deliveries as a folder, as a zip and as a file beside its sidecar") {
    const std::string json = R"({"kustos_sidecar":1,"id":"F-17","start":"2024-03-01T09:00:00Z"})";
    const test::TempDir dir;
    const Path folder = dir / "fax";
    std::filesystem::create_directory(folder);
    test::write_text(folder / "fax-1.tif", "II*");
    test::write_text(folder / "fax-1.tif.json", json);
    test::write_text(folder / "lost.pdf", "%PDF");
    test::write_text(folder / "manifest.csv", kCalls);
    const auto out = test::read_as(folder, kSidecarName, berlin());
    CHECK(out.items.size() == 6);
    CHECK(to_text(out.items.at(0).message.attachments.at(0).content) == "II*");
    CHECK(out.findings.at("sidecar:file-without-sidecar") == 1);
    CHECK(has_note(out.items.back().message, "rest-of-export"));
    test::ZipBuilder zip;
    for (const auto& [name, text] :
         std::map<std::string, std::string>{{"a/fax-1.tif", "II*"}, {"a/fax-1.tif.json", json}})
        zip.add(name, text);
    zip.write(dir / "delivery.zip");
    const auto zipped = test::read_as(dir / "delivery.zip", kSidecarName, berlin());
    CHECK(test::new_on_second_import(out.items, zipped.items) == 0);
    const auto alone = test::read_as(folder / "fax-1.tif.json", kSidecarName, berlin());
    CHECK(test::new_on_second_import(out.items, alone.items) == 0);
    CHECK(is_sidecar_file(folder / "fax-1.tif.json", {}));
    CHECK_FALSE(is_sidecar_file(folder / "fax-1.tif", {}));
    // A sidecar can't name what is outside.
    test::write_text(folder / "evil.json",
                     R"({"kustos_sidecar":1,"start":"2024-03-01T09:00:00Z","file":"../delivery.zip"})");
    const auto evil = test::read_as(folder / "evil.json", kSidecarName, berlin());
    CHECK(evil.items.at(0).message.attachments.at(0).missing);
    CHECK(evil.items.at(0).message.attachments.at(0).name == "delivery.zip");
}

TEST_CASE("a file that nothing is known of is sealed as a file where the operator says that it should have a sidecar") {
    const test::TempDir dir;
    test::write_text(dir / "fax.tif", "II*");
    test::Collect out;
    REQUIRE(read(dir / "fax.tif", find_format(kSidecarName), {}, out).ok());
    REQUIRE(out.items.size() == 1);
    CHECK(out.items[0].message.kind == MessageKind::file);
    CHECK(has_note(out.items[0].message, "no-sidecar"));
    CHECK(out.findings == Findings{{"sidecar:file-without-sidecar", 1}});
}

TEST_CASE("the worked examples of the sidecar page are read as the page says") {
    const auto fax = sidecar(test::doc_text("kustos-sidecar.md", "sidecar"));
    REQUIRE(fax.items.size() == 1);
    CHECK(fax.items[0].message.sender.name == "Stadtwerke");
    CHECK(fax.findings == Findings{{"sidecar:attachment-mismatch", 1}});
    const auto calls = manifest(test::doc_text("kustos-sidecar.md", "manifest"));
    REQUIRE(calls.items.size() == 3);
    CHECK(calls.items[1].message.kind == MessageKind::call);
    CHECK(calls.items[1].message.duration_ms == 90'000);
    CHECK(calls.items[2].message.kind == MessageKind::voice);
    CHECK(calls.findings.empty());
}
