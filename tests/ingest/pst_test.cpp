// Outlook's mailbox files: dumps of items, and whole files through the sandbox. The samples are made by a script from
// the published layout (tests/data/ingest/outlook/make_pst.py).
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "base/crypto.h"
#include "ingest/src/pst_item.h"
#include "tests/ingest/collect.h"
#include "tests/support/doc_example.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::ingest;
using vault::Message;
using vault::MessageKind;
using vault::Role;

namespace {

Path sample(const char* name) {
    return test::source_dir() / "tests/data/ingest/outlook" / name;
}
Bytes content(const Path& path) {
    RealFs fs;
    auto bytes = read_file(fs, path, 64u << 20);
    REQUIRE(bytes.ok());
    return std::move(*bytes);
}
bool has_note(const Message& m, const std::string& note) {
    return std::find(m.notes.begin(), m.notes.end(), note) != m.notes.end();
}

struct Read {
    explicit Read(const Path& path, const char* format = nullptr) {
        auto extractor = Extractor::create({});
        REQUIRE(extractor.ok());
        ReadContext context;
        context.extractor = extractor->get();
        const FormatInfo* known = format ? find_format(format) : nullptr;
        REQUIRE(read(path, known, context, out).ok());
    }
    const Message& subject(std::string_view wanted) const {
        for (const ParsedItem& item : out.items)
            if (item.message.subject == wanted) return item.message;
        FAIL("no such item");
        return out.items.front().message;
    }
    test::Collect out;
};

constexpr const char* kReport =
    "Pr\xC3\xBC"
    "fbericht Spielplatz";

}  // namespace

TEST_CASE("the page's dump is read as the page says") {
    const Bytes dump = test::doc_example("pst.md", "dump");
    const ParsedItem item = parse_pst_item(dump);
    const Message& m = item.message;
    CHECK(m.kind == MessageKind::mail);
    CHECK(m.raw == dump);
    CHECK(m.subject == "RE A B ");
    REQUIRE(m.recipients.size() == 1);
    CHECK(m.recipients[0].role == Role::bcc);
    CHECK(m.recipients[0].person.address == "a@b");
    REQUIRE(m.attachments.size() == 1);
    CHECK(m.attachments[0].name == "x");
    CHECK(m.attachments[0].content == Bytes{1, 2, 3});
    REQUIRE(m.attachments[0].in_raw);
    CHECK(dump.at(m.attachments[0].in_raw->offset) == 1);
    CHECK(has_note(m, "pst:reconstructed"));
    CHECK(has_note(m, "class:IPM.Note"));
}

TEST_CASE("dumps that are cut, nested without end, or no dumps at all, are quarantined and stay whole") {
    const Bytes dump = test::doc_example("pst.md", "dump");
    for (std::size_t size = 0; size < dump.size(); ++size) {
        const ParsedItem item = parse_pst_item(to_bytes(ByteView(dump).first(size)));
        CHECK(item.message.raw.size() == size);
    }
    Bytes deep = to_bytes("KPST1");
    for (int i = 0; i < 100'000; ++i) put(deep, "AM");
    CHECK(parse_pst_item(deep).message.kind == MessageKind::unreadable);
    CHECK(parse_pst_item(to_bytes("KPST1e")).message.kind == MessageKind::unreadable);
    CHECK(parse_pst_item(to_bytes("KPST1M")).message.kind == MessageKind::unreadable);
    CHECK(parse_pst_item(to_bytes("!BDN")).message.kind == MessageKind::unreadable);
}

TEST_CASE("a mailbox file gives its mails with people, text, attachments and folders, Unicode and ANSI alike") {
    for (const char* name : {"unicode.pst", "ansi.pst"}) {
        CAPTURE(name);
        const Read read(sample(name));
        CHECK(read.out.findings.empty());
        CHECK(read.out.quarantined() == 0);
        REQUIRE(read.out.items.size() == 4);
        const Message& m = read.subject(kReport);
        CHECK(m.kind == MessageKind::mail);
        CHECK(m.format == "pst");
        CHECK(m.native_id == "pst-1@stadt.example");
        CHECK(m.sender.address == "petersen@stadt.example");
        REQUIRE(m.sent_at);
        CHECK(format_rfc3339(*m.sent_at) == "2024-03-01T09:15:00Z");
        CHECK(m.body.size() == 10 + 600 * 6);
        CHECK(m.headers.size() == 4);
        REQUIRE(m.recipients.size() == 2);
        CHECK(m.recipients[0].person.address == "b@x.example");
        CHECK(m.recipients[1].role == Role::bcc);
        CHECK(m.recipients[1].person.address == "hidden@x.example");
        REQUIRE(m.attachments.size() == 2);
        CHECK(m.attachments[0].name == "Plan.bin");
        CHECK(m.attachments[0].content.size() == 10'240);
        CHECK(m.attachments[0].in_raw.has_value());
        CHECK(m.attachments[1].name == "Innen.txt");
        CHECK(has_note(m, "folder:Postfach/Eingang"));
        CHECK(m.feed_position == std::to_string(0x200024));
        const Message& contact = read.subject("Kontakt");
        CHECK(contact.kind == MessageKind::file);
        const std::string_view named("N\x80\x00", 3), number("\x00\x00\x85\x54", 4);
        const std::size_t at = as_text(contact.raw).find(named);
        REQUIRE(at != std::string_view::npos);
        CHECK(as_text(contact.raw).substr(at + 19, 4) == number);
        const Message& orphan = read.subject("Verwaist");
        CHECK(has_note(orphan, "pst:orphan"));
    }
}

TEST_CASE("the file is sealed by its digest where all of it could be read, and imported again it is nothing new") {
    const Path path = sample("unicode.pst");
    const Bytes whole = content(path);
    const Read read(path);
    const Message& statement = read.out.items.back().message;
    CHECK(statement.kind == MessageKind::file);
    CHECK(statement.native_id == sha256(whole).hex());
    CHECK(has_note(statement, "pst:sealed-by-digest"));
    CHECK(statement.body == "kustos-pst 1\nsha256 " + sha256(whole).hex() + "\nbytes " + std::to_string(whole.size()) +
                                "\nbits 64\nencryption compressible\nkind pst\nitems 3\n");
    const std::string page = test::doc_text("pst.md", "statement");
    CHECK(std::count(page.begin(), page.end(), '\n') == std::count(statement.body.begin(), statement.body.end(), '\n'));
    test::MemoryPort port;
    const auto extractor = Extractor::create({});
    ImportOptions options;
    options.progress = false;
    options.context.extractor = extractor->get();
    const SystemClock clock;
    const auto first = run_import(port, clock, {path}, options), second = run_import(port, clock, {path}, options);
    REQUIRE((first.ok() && second.ok()));
    CHECK(first->messages == 4);
    CHECK(first->folders.at("Postfach/Eingang").promised == 2);
    CHECK(first->folders.at("Postfach/Eingang").missing() == 0);
    CHECK(second->messages == 0);
    CHECK(second->duplicates == 4);
}

TEST_CASE("mutated mailbox files end in bounds, and are sealed whole where something could not be read") {
    const test::TempDir dir;
    RealFs fs;
    SeededRandom random(7);
    const Bytes good = content(sample("ansi.pst"));
    int damaged = 0, readable = 0;
    for (int round = 0; round < 60; ++round) {
        Bytes bytes = good;
        for (int n = 0; n < 1 + round % 6; ++n) {
            const std::size_t at = 40 + static_cast<std::size_t>(random.next() % (bytes.size() - 40));
            bytes[at] = static_cast<std::uint8_t>(random.next());
        }
        if (round % 10 == 9) bytes.resize(bytes.size() / 2);
        REQUIRE(replace_file(fs, dir / "m.pst", bytes).ok());
        const Read read(dir / "m.pst", "pst");
        Bytes pieces;
        for (const ParsedItem& item : read.out.items)
            if (item.message.kind == MessageKind::unreadable && has_note(item.message, "piece:1"))
                put(pieces, item.message.raw);
        readable += !read.out.items.empty() && read.out.items.front().message.kind != MessageKind::unreadable;
        damaged += !pieces.empty();
        if (!pieces.empty()) CHECK(pieces == bytes);
        if (pieces.empty()) CHECK(read.out.items.size() >= 1);
    }
    MESSAGE("of 60: " << damaged << " sealed whole, of " << readable << " something was read");
    CHECK(damaged > 3);
    CHECK(readable > 3);
}

TEST_CASE("what only says that it is a mailbox file, and a file without a sandbox, are sealed as they are") {
    const test::TempDir dir;
    RealFs fs;
    Bytes bytes = to_bytes("!BDN....SM and nothing behind it");
    REQUIRE(replace_file(fs, dir / "x.pst", bytes).ok());
    const Read claimed(dir / "x.pst");
    REQUIRE(claimed.out.items.size() == 1);
    CHECK(claimed.out.items[0].message.raw == bytes);
    CHECK(claimed.out.findings.count("pst:damaged") == 1);
    test::Collect out;
    const ReadContext none;
    REQUIRE(read(sample("ansi.pst"), find_format("pst"), none, out).ok());
    REQUIRE(out.items.size() == 1);
    CHECK(has_note(out.items[0].message, "quarantine:no-extractor"));
    CHECK(out.items[0].message.raw == content(sample("ansi.pst")));
}

TEST_CASE("a worker that takes too long is ended, and the file is sealed whole") {
    // A step that takes no time at all: every answer comes too late.
    ExtractorOptions hurried;
    hurried.item_timeout_ms = 0;
    auto extractor = Extractor::create(hurried);
    REQUIRE(extractor.ok());
    test::Collect out;
    ReadContext context;
    context.extractor = extractor->get();
    REQUIRE(read(sample("unicode.pst"), nullptr, context, out).ok());
    CHECK(out.findings.count("pst:time-out") == 1);
    REQUIRE(!out.items.empty());
    Bytes whole;
    for (const ParsedItem& item : out.items)
        if (item.message.kind == MessageKind::unreadable) put(whole, item.message.raw);
    CHECK(whole == content(sample("unicode.pst")));
}
