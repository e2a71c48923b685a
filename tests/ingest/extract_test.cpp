#include <doctest/doctest.h>

#include <sys/wait.h>

#include <cstdlib>
#include <thread>

#include "base/crypto.h"
#include "base/sanitized.h"
#include "tests/ingest/collect.h"
#include "tests/ingest/zip_builder.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::ingest;

TEST_CASE("the worker stands behind bubblewrap, resource limits, no_new_privs and seccomp, or nowhere") {
    const auto layers = test::extractor().layers();
    if (!layers.ok()) {
        MESSAGE(
            "skipped, with all that reads attachments: bubblewrap does not work on this machine (user namespaces?)");
        CHECK(layers.error().code() == Code::environment);
        CHECK_FALSE(layers.error().hint().empty());
        return;
    }
    CHECK(layers->all());
    CHECK(layers->describe() == "bubblewrap, resource limits, no_new_privs, seccomp");
}

TEST_CASE("without bubblewrap nothing is read and no archive is opened, and both say why") {
    test::TempDir dir;
    test::ZipBuilder zip;
    zip.add("a.txt", "x");
    zip.write(dir / "ok.zip");
    // A bubblewrap that starts the program and builds no walls is found out by the program itself.
    RealFs fs;
    REQUIRE(replace_file(fs, dir / "open",
                         as_bytes("#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done\nshift 2\nexec " +
                                  default_extractor_program().string() + " \"$@\"\n"))
                .ok());
    std::filesystem::permissions(dir / "open", std::filesystem::perms::owner_all);
    for (const Path& without : {dir / "absent", Path("/usr/bin/false"), dir / "open"}) {
        CAPTURE(without.string());
        ExtractorOptions options;
        options.bubblewrap = without;
        auto extractor = Extractor::create(options).value();
        const auto answer = extractor->text(as_bytes("Geheim"), "a.txt", "text/plain");
        REQUIRE(answer.ok());
        CHECK(answer->completeness == Completeness::opaque);
        CHECK(answer->reason == "no-sandbox");
        CHECK(answer->text.empty());
        CHECK(extractor->unpack(dir / "ok.zip").error().code() == Code::environment);
        CHECK(extractor->layers().error().code() == Code::environment);
        CHECK(extractor->restarts() == 0);
    }
}

TEST_CASE("kustos-extract by itself, outside of its walls, serves nobody") {
    const std::string program = default_extractor_program();
    CHECK(WEXITSTATUS(std::system((program + " text 1000000000 10 </dev/null >/dev/null 2>&1").c_str())) == 3);
}

TEST_CASE("behind the walls nothing can be opened, connected, forked or executed") {
    const std::string program = default_extractor_program();
    const auto run = [&](const char* mode) {
        return std::system((program + " " + mode + " 1000000000 10 2>/dev/null").c_str());
    };
    CHECK(run("probe-open") == 0);
    for (const char* mode : {"probe-socket", "probe-fork", "probe-exec"}) {
        CAPTURE(mode);
        const int status = run(mode);
        // the shell reports a child ended by SIGSYS as 128 + 31
        CHECK((status == 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 159) ||
               (WIFSIGNALED(status) && WTERMSIG(status) == 31)));
    }
#ifndef KUSTOS_SANITIZED
    CHECK(run("probe-memory") == 0);  // a sanitizer's own address space is larger
#endif
}

TEST_CASE("plain text comes back in UTF-8, whatever its charset" KUSTOS_NEEDS_SANDBOX) {
    auto& extractor = test::extractor();
    const auto utf8 = extractor.text(as_bytes("Gr\xC3\xBC\xC3\x9F"
                                              "e\r\nzwei"),
                                     "a.txt", "text/plain");
    REQUIRE(utf8.ok());
    CHECK(utf8->text ==
          "Gr\xC3\xBC\xC3\x9F"
          "e\nzwei");
    CHECK(utf8->completeness == Completeness::full);
    const auto cp1252 = extractor.text(as_bytes("Gr\xFC\xDF"
                                                "e"),
                                       "a.txt", "text/plain");
    REQUIRE(cp1252.ok());
    CHECK(cp1252->text ==
          "Gr\xC3\xBC\xC3\x9F"
          "e");
}

TEST_CASE("what cannot be read is opaque with a reason" KUSTOS_NEEDS_SANDBOX) {
    const auto answer =
        test::extractor().text(as_bytes(std::string_view("\x89PNG\r\n\x1a\n\0\0\0", 11)), "x.png", "image/png");
    REQUIRE(answer.ok());
    CHECK(answer->completeness == Completeness::opaque);
    CHECK(answer->reason == "unsupported-type");
    const auto broken = test::extractor().text(as_bytes("%PDF-1.7 nothing"), "x.pdf", "application/pdf");
    REQUIRE(broken.ok());
    CHECK(broken->completeness == Completeness::opaque);
    CHECK(broken->reason == "damaged");
}

TEST_CASE("a nested mail gives its subject and body" KUSTOS_NEEDS_SANDBOX) {
    const auto answer =
        test::extractor().text(as_bytes("Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\nFrom: a@b.example\r\nContent-Type: "
                                        "text/plain; charset=utf-8\r\n\r\nHallo Welt\r\n"),
                               "", "message/rfc822");
    REQUIRE(answer.ok());
    CHECK(answer->completeness == Completeness::full);
    CHECK(answer->text.find("Hallo Welt") != std::string::npos);
    CHECK(answer->text.find("Gr\xC3\xBC\xC3\x9F"
                            "e") != std::string::npos);
}

TEST_CASE("a worker that takes too long is ended, and the next item is served by a new one" KUSTOS_NEEDS_SANDBOX) {
    ExtractorOptions options;
    options.item_timeout_ms = 1;
    auto hasty = Extractor::create(options).value();
    REQUIRE(hasty->layers().ok());
    std::string large(64u << 20, 'a');
    const auto late = hasty->text(as_bytes(large), "a.txt", "text/plain");
    REQUIRE(late.ok());
    CHECK(late->reason == "time-out");
    CHECK(hasty->restarts() == 1);
    CHECK(hasty->layers().ok());
}

TEST_CASE("which thread asks, and that it ends, is nothing to the worker" KUSTOS_NEEDS_SANDBOX) {
    auto extractor = Extractor::create({}).value();
    for (int i = 0; i < 20; ++i) {
        std::thread other([&] { CHECK(extractor->text(as_bytes("x"), "a.txt", "text/plain")->text == "x"); });
        other.join();
        if (i % 4 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));  // until a signal would have come
        if (i % 5 == 0) CHECK(extractor->text(as_bytes("y"), "a.txt", "text/plain")->text == "y");
    }
    CHECK(extractor->restarts() == 0);
}

TEST_CASE("a worker is replaced after its number of items" KUSTOS_NEEDS_SANDBOX) {
    ExtractorOptions options;
    options.items_per_worker = 2;
    auto extractor = Extractor::create(options).value();
    for (int i = 0; i < 5; ++i) CHECK(extractor->text(as_bytes("x"), "a.txt", "text/plain")->text == "x");
    CHECK(extractor->restarts() == 0);
}

TEST_CASE("members of a zip are listed and read inside the sandbox" KUSTOS_NEEDS_SANDBOX) {
    test::TempDir dir;
    test::ZipBuilder zip;
    zip.add("posts.csv", "a,b\n");
    zip.add("files/p1/f1-x.txt", "content");
    zip.write(dir / "ok.zip");
    auto archive = test::extractor().unpack(dir / "ok.zip").value();
    REQUIRE(archive->members().size() == 2);
    CHECK(archive->problems().empty());
    CHECK(to_text(archive->read(1, 100).value()) == "content");
    CHECK(to_text(archive->read(0, 100).value()) == "a,b\n");
    CHECK(archive->read(7, 100).error().code() == Code::not_found);
    CHECK(archive->read(1, 3).error().code() == Code::limit);
}

TEST_CASE(
    "zip slip, duplicate names and a bad checksum are problems, and nothing of them is used" KUSTOS_NEEDS_SANDBOX) {
    test::TempDir dir;
    {
        test::ZipBuilder zip;
        zip.add("../evil.txt", "x");
        zip.add("/etc/evil.txt", "x");
        zip.add("good.txt", "x");
        zip.write(dir / "slip.zip");
    }
    auto slip = test::extractor().unpack(dir / "slip.zip").value();
    REQUIRE(slip->members().size() == 1);
    CHECK(slip->problems() == std::vector<std::string>{"zip:slip"});
    {
        test::ZipBuilder zip;
        zip.add("a.txt", "one");
        zip.add("a.txt", "two");
        zip.write(dir / "twice.zip");
    }
    auto twice = test::extractor().unpack(dir / "twice.zip").value();
    CHECK(twice->members().empty());
    CHECK(twice->problems() == std::vector<std::string>{"zip:duplicate-name"});
    {
        test::ZipBuilder zip;
        zip.add("a.txt", "one", 0xDEADBEEF);
        zip.write(dir / "crc.zip");
    }
    auto crc = test::extractor().unpack(dir / "crc.zip").value();
    REQUIRE(crc->members().size() == 1);
    CHECK(crc->read(0, 100).error().code() == Code::bad_input);
    CHECK(crc->problems() == std::vector<std::string>{"zip:damaged"});
}

TEST_CASE("hostile archives of the corpora become problems, in bounded time" KUSTOS_NEEDS_SANDBOX) {
    const auto shared = test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    const Path folder = *shared / "corpora/hostile/messenger";
    const std::vector<std::pair<const char*, const char*>> wanted = {
        {"slack_zip_bomb_60MB_in_60KB.zip", "zip:bomb"},
        {"slack_zip_slip.zip", "zip:slip"},
        {"slack_zip_duplicate_names.zip", "zip:duplicate-name"},
        {"slack_zip_symlink.zip", "zip:link"},
        {"slack_zip_truncated.zip", "zip:damaged"}};
    for (const auto& want : wanted) {
        CAPTURE(want.first);
        auto archive = test::extractor().unpack(folder / want.first).value();
        REQUIRE_FALSE(archive->problems().empty());
        CHECK(archive->problems().front() == want.second);
    }
}

TEST_CASE("text of the corpora's PDF files" KUSTOS_NEEDS_SANDBOX) {
    const auto shared = test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    RealFs fs;
    std::size_t seen = 0, with_text = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(*shared / "corpora/attachments")) {
        if (entry.path().extension() != ".pdf") continue;
        ++seen;
        const Bytes bytes = read_file(fs, entry.path(), 64u << 20).value();
        const auto answer = test::extractor().text(bytes, "x.pdf", "application/pdf");
        REQUIRE(answer.ok());
        with_text += !answer->text.empty();
        if (answer->text.empty()) MESSAGE(entry.path().filename() << ": " << answer->reason);
        CHECK(answer->reason != "crashed");
    }
    CHECK(seen > 0);
    CHECK(with_text * 2 > seen);
}

TEST_CASE("hostile documents never end the caller" KUSTOS_NEEDS_SANDBOX) {
    const auto shared = test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    RealFs fs;
    for (const char* folder : {"corpora/hostile/documents", "corpora/hostile/tika"})
        for (const auto& entry : std::filesystem::recursive_directory_iterator(*shared / folder)) {
            if (!entry.is_regular_file()) continue;
            const Bytes bytes = read_file(fs, entry.path(), 256u << 20).value();
            const auto answer =
                test::extractor().text(bytes, entry.path().filename().string(), "application/octet-stream");
            CAPTURE(entry.path().filename().string());
            CHECK(answer.ok());
        }
}
