// TNEF and .msg: what Outlook writes. The samples are made by a script that shares no code with the readers.
#include <doctest/doctest.h>

#include <filesystem>

#include "base/crypto.h"
#include "ingest/src/mapi.h"
#include "ingest/src/outlook_msg.h"
#include "ingest/src/tnef.h"
#include "tests/ingest/collect.h"
#include "tests/support/doc_example.h"
#include "tests/support/shared.h"

using namespace kustos;
using namespace kustos::ingest;
using vault::Message;
using vault::MessageKind;
using vault::Role;

namespace {

Bytes file(const Path& path) {
    RealFs fs;
    auto bytes = read_file(fs, path, 64u << 20);
    REQUIRE(bytes.ok());
    return std::move(*bytes);
}
Bytes sample(const char* name) {
    return file(test::source_dir() / "tests/data/ingest/outlook" / name);
}
bool has_note(const Message& m, const std::string& note) {
    return std::find(m.notes.begin(), m.notes.end(), note) != m.notes.end();
}
Bytes lf_only(Bytes text) {
    text.erase(std::remove(text.begin(), text.end(), '\r'), text.end());
    return text;
}
const vault::Attachment* named(const Message& m, const std::string& name) {
    for (const auto& a : m.attachments)
        if (a.name == name) return &a;
    return nullptr;
}

}  // namespace

TEST_CASE("a .msg gives subject, people, time, text and attachments, and stays whole") {
    const Bytes raw = sample("note.msg");
    const ParsedItem item = parse_outlook_msg(raw);
    const Message& m = item.message;
    CHECK(m.kind == MessageKind::mail);
    CHECK(m.raw == raw);
    CHECK(m.subject ==
          "Pr\xC3\xBC"
          "fbericht Spielplatz");
    CHECK(m.sender.name == "Petersen, J\xC3\xBCrgen");
    CHECK(m.sender.address == "petersen@stadt.example");
    REQUIRE(m.sent_at);
    CHECK(format_rfc3339(*m.sent_at) == "2024-03-01T09:15:00Z");
    CHECK(m.native_id == "msg-1@stadt.example");
    CHECK(m.body ==
          "Der Pr\xC3\xBC"
          "fbericht liegt bei.\nGru\xC3\x9F");
    CHECK(m.body_html ==
          "<p>Der Pr\xC3\xBC"
          "fbericht liegt bei.</p>");
    REQUIRE(m.recipients.size() == 3);
    CHECK(m.recipients[0].role == Role::to);
    CHECK(m.recipients[0].person.name == "Anna M\xC3\xBCller");
    CHECK(m.recipients[1].role == Role::cc);
    CHECK(m.recipients[2].role == Role::bcc);
    CHECK(m.recipients[2].person.address == "geheim@stadt.example");
    const auto* text = named(m,
                             "Gr\xC3\xB6\xC3\x9F"
                             "e.txt");
    REQUIRE(text);
    CHECK(to_text(text->content) == "Text");
    const auto* plan = named(m, "plan.bin");
    REQUIRE(plan);
    CHECK(plan->content.size() == 5000);
    REQUIRE(plan->in_raw);  // nothing is stored twice
    CHECK(equal(ByteView(raw).subspan(plan->in_raw->offset, plan->in_raw->length), plan->content));
    const auto* inner = named(m, "Anlage.txt");
    REQUIRE(inner);
    CHECK(to_text(inner->content).find("Innen steht: Rutsche") != std::string::npos);
    CHECK(to_text(inner->content).find("bauhof@stadt.example") != std::string::npos);
    CHECK(m.notes.empty());
}

TEST_CASE("a damaged .msg is kept, whatever is cut off or turned over") {
    const Bytes raw = sample("note.msg");
    SeededRandom random(5);
    for (std::size_t size = 0; size < raw.size(); size += 97) {
        const Bytes cut = to_bytes(ByteView(raw).first(size));
        CHECK(parse_outlook_msg(cut).message.raw == cut);
    }
    for (int round = 0; round < 400; ++round) {
        Bytes damaged = raw;
        for (int i = 0; i < 8; ++i) {
            Bytes at(4);
            random.fill(at);
            damaged[(at[0] << 8 | at[1]) % damaged.size()] = at[2];
        }
        const ParsedItem item = parse_outlook_msg(damaged);
        CHECK(item.message.raw == damaged);
    }
}

TEST_CASE("formats are told apart by content: .msg, and other compound files") {
    test::Collect out;
    REQUIRE(read(test::source_dir() / "tests/data/ingest/outlook/note.msg", nullptr, {}, out).ok());
    REQUIRE(out.items.size() == 1);
    CHECK(out.items[0].message.format == "msg");
    CHECK(out.findings.empty());
}

TEST_CASE("winmail.dat is unpacked: text, RTF, files under their long names, and messages inside") {
    const ParsedItem item = parse_mail(sample("winmail.eml"));
    const Message& m = item.message;
    CHECK(has_note(m, "tnef:unpacked"));
    CHECK(m.body ==
          "Der Text in TNEF: Stra\xC3\x9F"
          "e");
    REQUIRE(m.attachments.size() == 5);
    CHECK(m.attachments[0].name == "winmail.dat");
    CHECK(m.attachments[0].in_raw);
    const auto* plan = named(m,
                             "Plan f\xC3\xBCr Gr\xC3\xB6\xC3\x9F"
                             "e.txt");
    REQUIRE(plan);
    CHECK(to_text(plan->content) == "Inhalt des Plans");
    const auto* rtf = named(m, "body.rtf");
    REQUIRE(rtf);
    CHECK(to_text(rtf->content) == "{\\rtf1\\ansi Bericht}");
    const auto* inner = named(m,
                              "Gr\xC3\xB6\xC3\x9F"
                              "e.txt");
    REQUIRE(inner);
    CHECK(to_text(inner->content).find("Der Text in TNEF") != std::string::npos);
    CHECK(item.message.raw == sample("winmail.eml"));
}

TEST_CASE("compressed RTF is unpacked as its specification's example says") {
    // [MS-OXRTFCP] section 3.1.1
    const auto compressed = parse_hex(
        "2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232"
        "0af32068656c090020627705b06c647d0a800fa0");
    REQUIRE(compressed.ok());
    const auto plain = mapi::decompress_rtf(*compressed, 1000);
    REQUIRE(plain);
    CHECK(to_text(*plain) == "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
    CHECK_FALSE(mapi::decompress_rtf(*compressed, 10));
    CHECK_FALSE(mapi::decompress_rtf({}, 10));
}

TEST_CASE("damaged TNEF gives what stands before the damage") {
    const Bytes raw = sample("winmail.tnef");
    for (std::size_t size = 0; size <= raw.size(); ++size) {
        const auto found = parse_tnef(ByteView(raw).first(size));
        CHECK(found.has_value() == (size >= 6));
    }
    Bytes longer = raw;
    put(longer, std::string_view("\x77garbage"));
    const auto found = parse_tnef(longer);
    REQUIRE(found);
    CHECK(found->damaged);
    CHECK(found->attachments.size() == 2);
}

TEST_CASE("files of other programs: names and contents of the corpora's TNEF and .msg") {
    const auto shared = test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    const Path tnef = *shared / "corpora/email/mimekit/tnef";
    std::size_t compared = 0;
    for (const auto& entry : std::filesystem::directory_iterator(tnef)) {
        if (entry.path().extension() != ".tnef") continue;
        CAPTURE(entry.path().filename().string());
        auto parsed = parse_tnef(file(entry.path()));
        REQUIRE(parsed);
        Message m;
        mapi::describe(*parsed, {}, m);
        mapi::add_attachments(*parsed, {}, true, m);
        const Path folder = tnef / entry.path().stem();
        if (!std::filesystem::is_directory(folder)) continue;
        for (const auto& expected : std::filesystem::directory_iterator(folder)) {
            const std::string name = expected.path().filename().string();
            CAPTURE(name);
            if (!expected.is_regular_file()) continue;
            if (const auto* a = named(m, name == "message.rtf" ? "body.rtf" : name)) {
                // The corpus keeps texts with LF; that is what differs, and nothing else.
                CHECK((a->content == file(expected.path()) || lf_only(a->content) == lf_only(file(expected.path()))));
                ++compared;
            }
        }
    }
    CHECK(compared >= 8);
    std::size_t messages = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(*shared / "corpora/email/tika")) {
        const std::string name = entry.path().filename().string();
        if (entry.path().extension() != ".msg") continue;
        const Bytes bytes = file(entry.path());
        const ParsedItem item = parse_outlook_msg(bytes);
        CAPTURE(name);
        CHECK(item.message.raw == bytes);
        if (item.message.kind != MessageKind::mail) continue;
        ++messages;
        CHECK_FALSE(item.message.subject.empty());
        if (name == "test-outlook.msg") CHECK(item.message.subject == "Microsoft Outlook Express 6");
        if (name == "testMSG_att_msg.msg") CHECK(item.message.attachments.size() >= 1);
    }
    CHECK(messages >= 4);
}

TEST_CASE("the page's example is read as the page says") {
    const Bytes bytes = test::doc_example("outlook.md", "tnef");
    const auto found = parse_tnef(bytes);
    REQUIRE(found);
    CHECK_FALSE(found->damaged);
    CHECK(found->properties.text(mapi::kSubject, found->charset()) == "Plan");
}
