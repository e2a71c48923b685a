#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/progress.h"
#include "tests/ingest/collect.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::ingest;

namespace {

std::string event(int i) {
    return "{\"id\":\"m" + std::to_string(i) +
           "\",\"kind\":\"chat\",\"sent_at\":\"2026-03-02T10:00:00Z\",\"sender\":{\"id\":\"u\"},\"body\":\"x\"}\n";
}

ImportOptions quiet() {
    ImportOptions options;
    options.progress = false;
    options.context.extractor = &test::extractor();
    return options;
}

}  // namespace

TEST_CASE("an import counts, batches, and finds everything again as duplicates") {
    test::TempDir dir;
    std::ofstream file(dir / "a.ndjson");
    for (int i = 0; i < 3000; ++i) file << event(i);
    file << "broken\n" << event(3);
    file.close();
    FixedClock clock(UtcTime{1'000'000});
    test::MemoryPort port;
    const auto first = run_import(port, clock, {dir / "a.ndjson"}, quiet()).value();
    CHECK(first.messages == 3001);
    CHECK(first.duplicates == 1);
    CHECK(first.quarantined == 1);
    CHECK(first.bytes == std::filesystem::file_size(dir / "a.ndjson"));
    CHECK(port.largest == 1024);
    CHECK(port.messages[0].received_at.ms == 1'000'000);
    const auto second = run_import(port, clock, {dir / "a.ndjson"}, quiet()).value();
    CHECK(second.messages == 0);
    CHECK(second.duplicates == 3002);
    const auto json = nlohmann::json::parse(to_json(first));
    CHECK(json["messages"] == 3001);
    for (const char* key : {"attachments", "duplicates", "quarantined", "findings", "bytes", "seconds"})
        CHECK(json.contains(key));
}

TEST_CASE("a failing port ends the import with its error, and the counts so far are kept") {
    test::TempDir dir;
    std::ofstream file(dir / "a.ndjson");
    for (int i = 0; i < 1500; ++i) file << event(i);
    file.close();
    FixedClock clock(UtcTime{0});
    test::MemoryPort port;
    port.fail_from = 2;
    ImportResult so_far;
    const auto result = run_import(port, clock, {dir / "a.ndjson"}, quiet(), &so_far);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code() == Code::read_only);
    CHECK(so_far.messages == 128);
}

TEST_CASE("an absent path is an error, and an unknown format is not in this version") {
    FixedClock clock(UtcTime{0});
    test::MemoryPort port;
    CHECK(run_import(port, clock, {"/nonexistent"}, quiet()).error().code() == Code::not_found);
    CHECK(parse_format_name("telepathy").error().code() == Code::not_in_version);
    CHECK(parse_format_name("mattermost-csv").value()->name == "mattermost-csv");
}

TEST_CASE("a mixed folder is detected file by file, and nothing is lost") {
    test::TempDir dir;
    std::ofstream(dir / "a.eml") << "Subject: 1\n\nx";
    std::ofstream(dir / "b.mbox") << "From a Fri Mar  1 10:15:00 2024\nSubject: 2\n\nx\n";
    std::ofstream(dir / "c.ndjson") << event(1);
    std::ofstream(dir / "d.bin", std::ios::binary).write("\0\1\2\3", 4);
    std::ofstream(dir / "e.zip", std::ios::binary).write("PK\3\4 broken", 11);
    std::filesystem::create_symlink("/etc/hostname", dir / "link");
    FixedClock clock(UtcTime{0});
    test::MemoryPort port;
    const auto result = run_import(port, clock, {dir.path()}, quiet()).value();
    CHECK(result.messages == 5);
    CHECK(result.quarantined == 2);
    CHECK(result.findings.at("folder:link-skipped") == 1);
    CHECK(result.findings.at("zip:damaged") == 1);
}

TEST_CASE("every hostile file of the corpora is imported without loss") {
    const auto shared = test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    SystemClock clock;
    for (const char* folder : {"corpora/hostile/messenger", "corpora/hostile/email"}) {
        test::MemoryPort port;
        const auto result = run_import(port, clock, {*shared / folder}, quiet()).value();
        CHECK(result.messages > 20);
        CHECK(result.seconds < 60);
        MESSAGE(folder << ": " << to_json(result));
    }
}
