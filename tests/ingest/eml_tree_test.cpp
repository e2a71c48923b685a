// Moving from another archive: each folder of its export must add up.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "tests/ingest/collect.h"
#include "tests/ingest/zip_builder.h"
#include "tests/support/doc_example.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::ingest;

namespace {

std::string mail(int number) {
    return "From: a@x.example\r\nSubject: s\r\nMessage-ID: <" + std::to_string(number) + "@x>\r\n\r\nText\r\n";
}
void write(const Path& path, const std::string& text) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
}
struct Import {
    test::MemoryPort port;
    ImportResult run(const Path& path, const char* format) {
        SystemClock clock;
        ImportOptions options;
        options.progress = false;
        options.format = format ? find_format(format) : nullptr;
        options.context.extractor = &test::extractor();
        auto result = run_import(port, clock, {path}, options);
        REQUIRE(result.ok());
        return std::move(*result);
    }
};

}  // namespace

TEST_CASE("each folder's mails are counted beside what the export promised") {
    test::TempDir dir;
    write(dir / "t/Posteingang/a.eml", mail(1));
    write(dir / "t/Posteingang/b.eml", mail(1));
    write(dir / "t/Posteingang/Bauamt/c.eml", mail(2));
    write(dir / "t/Gesendet/d.eml", "\x01\x02 no mail");
    write(dir / "t/Gesendet/readme.txt", "Liesmich");
    write(dir / "t/manifest.csv", test::doc_text("eml-tree.md", "manifest"));
    Import import;
    const ImportResult result = import.run(dir / "t", "eml-tree");
    REQUIRE(result.folders.size() == 3);
    const FolderCount inbox = result.folders.at("Posteingang");
    CHECK(inbox.promised == 3);
    CHECK(inbox.sealed == 1);
    CHECK(inbox.duplicates == 1);
    CHECK(result.folders.at("Posteingang/Bauamt").sealed == 1);
    CHECK(result.folders.at("Gesendet").quarantined == 1);
    CHECK(result.folders.at("Gesendet").promised == 1);  // the file: the manifest does not name the folder
    CHECK(result.findings.at("folder:short") == 1);
    CHECK(result.messages == 5);  // with manifest and readme
    const auto json = nlohmann::json::parse(to_json(result));
    const auto page = nlohmann::json::parse(test::doc_text("eml-tree.md", "result"));
    CHECK(json["folders"][1] == page["folders"][0]);
    const ImportResult again = import.run(dir / "t", "eml-tree");
    CHECK(again.messages == 0);
    CHECK(again.folders.at("Posteingang/Bauamt").duplicates == 1);
}

TEST_CASE("piler's files are recognised by their names, others are plain mails") {
    test::TempDir dir;
    write(dir / "piler/400000006581a0f01c8f3f2c00d0e3a1b2c4.eml", mail(1));
    write(dir / "plain/a.eml", mail(2));
    Import import;
    CHECK(import.run(dir / "piler", nullptr).folders.at("").sealed == 1);
    const ImportResult plain = import.run(dir / "plain", nullptr);
    CHECK(plain.messages == 1);
    CHECK(plain.folders.empty());
    CHECK(nlohmann::json::parse(to_json(plain)).count("folders") == 0);
}

TEST_CASE("a zip of mails is read in the sandbox and adds up likewise") {
    test::TempDir dir;
    test::ZipBuilder zip;
    zip.add("A/a.eml", mail(1));
    zip.add("A/b.eml", mail(2));
    zip.write(dir / "mails.zip");
    Import import;
    const ImportResult result = import.run(dir / "mails.zip", nullptr);
    CHECK(result.folders.at("A").sealed == 2);
    CHECK(result.findings.empty());
    CHECK(import.port.messages[0].feed_position == "a.eml");
}
