#include <doctest/doctest.h>

#include <fstream>

#include "tests/ingest/collect.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::ingest;
using vault::MessageKind;

namespace {

test::Collect read_text(const std::string& text, ReadContext context = {}) {
    test::Collect out;
    const auto source = memory_source(as_bytes(text));
    REQUIRE(read_mbox(*source, context, out).ok());
    return out;
}

void write_text(const Path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

const std::string kFrom = "From a@x.example Fri Mar  1 10:15:00 2024\n";

}  // namespace

TEST_CASE("mbox dialects of the corpora hold five mails each, and are known by their content") {
    const auto shared = test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    const Path folder = *shared / "corpora/email/authored-mbox";
    for (const char* name : {"mboxo.mbox", "mboxrd.mbox", "mboxcl2.mbox", "mbox_crlf.mbox",
                             "mbox_no_final_newline_truncated.mbox", "mbox_leading_garbage.mbox"}) {
        CAPTURE(name);
        test::Collect out;
        CHECK(detect(folder / name, {}).value().format->name == "mbox");
        REQUIRE(read(folder / name, nullptr, {}, out).ok());
        std::size_t mails = 0;
        for (const auto& item : out.items) {
            if (item.message.kind != MessageKind::mail) continue;
            CHECK(item.message.subject == "Nachricht " + std::to_string(mails));
            if (std::string(name) != "mbox_no_final_newline_truncated.mbox") {
                CHECK(item.message.body.find("\nFrom hier an wird es interessant.\n") != std::string::npos);
            }
            ++mails;
        }
        CHECK(mails == 5);
        CHECK(out.quarantined() == (std::string(name) == "mbox_leading_garbage.mbox" ? 1 : 0));
    }
}

TEST_CASE("raw is what stands in the file, without the From_ line and the separator") {
    const auto out = read_text(kFrom + "Subject: 1\n\n>From here\n\n" + kFrom + "Subject: 2\n\nend\n");
    REQUIRE(out.items.size() == 2);
    CHECK(to_text(out.items[0].message.raw) == "Subject: 1\n\n>From here\n");
    CHECK(out.items[0].message.body == "From here\n");
    CHECK(to_text(out.items[1].message.raw) == "Subject: 2\n\nend\n");
    CHECK(out.items[1].message.feed_position == "offset:" + std::to_string(kFrom.size() + 24));
}

TEST_CASE("a file of one mail keeps its From_ line, an mbox under a mail's name is still an mbox") {
    const test::TempDir dir;
    const std::string mail = kFrom + "Subject: 1\nDate: Fri, 1 Mar 2024 10:15:00 +0100\n\ntext\n\n";
    const Path one = dir / "one.eml", two = dir / "two.eml", box = dir / "box";
    write_text(one, mail);
    write_text(two, mail + mail);
    write_text(box, mail);
    CHECK(detect(one, {}).value().format->name == "eml");
    CHECK(detect(two, {}).value().format->name == "mbox");
    CHECK(detect(box, {}).value().format->name == "mbox");
    test::Collect out;
    REQUIRE(read(one, nullptr, {}, out).ok());
    REQUIRE(out.items.size() == 1);
    CHECK(to_text(out.items[0].message.raw) == mail);
    CHECK(out.items[0].message.subject == "1");
}

TEST_CASE("a paragraph that starts with From is not a new mail") {
    const auto out = read_text(kFrom + "Subject: 1\n\ntext\n\nFrom 10:30 to 11:00 we meet\nas always\n\n" + kFrom +
                               "Subject: 2\n\nx\n");
    REQUIRE(out.items.size() == 2);
    CHECK(out.items[0].message.body.find("as always") != std::string::npos);
}

TEST_CASE("a wrong Content-Length is a finding, not a loss") {
    const auto out = read_text(kFrom + "Subject: 1\nContent-Length: 3\n\nlonger\n\n" + kFrom +
                               "Subject: 2\nContent-Length: 99999\n\nx\n");
    REQUIRE(out.items.size() == 2);
    CHECK(out.items[0].message.body == "longer\n");
    CHECK(out.items[1].message.subject == "2");
    CHECK(out.findings.at("mbox:wrong-content-length") == 1);
}

TEST_CASE("spans of attachments hold in the quoted file") {
    const auto out = read_text(
        kFrom +
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n>From you\n>>From me\n--b\nContent-Type: image/png; "
        "name=a\nContent-Transfer-Encoding: base64\n\nSGFsbG8=\n--b--\n");
    REQUIRE(out.items.size() == 1);
    const auto& m = out.items[0].message;
    CHECK(m.body == "From you\n>From me");
    REQUIRE(m.attachments.size() == 1);
    REQUIRE(m.attachments[0].in_raw);
    CHECK(to_text(ByteView(m.raw).subspan(m.attachments[0].in_raw->offset, m.attachments[0].in_raw->length)) ==
          "SGFsbG8=");
}

TEST_CASE("a mail above the limit is quarantined in pieces, and the next one is read") {
    ReadContext context;
    context.limits.mail = 4096;
    context.limits.quarantine_piece = 1024;
    std::string big = "Subject: big\n\n";
    for (int i = 0; i < 2000; ++i) big += "line\n";
    const auto out = read_text(kFrom + big + "\n" + kFrom + "Subject: small\n\nx\n", context);
    std::string pieces;
    for (const auto& item : out.items)
        if (item.message.kind == MessageKind::unreadable) pieces += to_text(item.message.raw);
    CHECK(pieces == big + "\n");
    CHECK(out.items.back().message.subject == "small");
}

TEST_CASE("a Maildir gives delivered mails with flags and folders, and counts the undelivered") {
    const auto shared = test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    const Path folder = *shared / "corpora/email/authored-maildir";
    CHECK(detect(folder, {}).value().format->name == "maildir");
    test::Collect out;
    REQUIRE(read(folder, nullptr, {}, out).ok());
    CHECK(out.items.size() == 6);
    CHECK(out.findings.at("maildir:undelivered") == 1);
    bool flags = false, title = false;
    for (const auto& item : out.items)
        for (const auto& note : item.message.notes) {
            flags |= note == "flags:RS";
            title |= note ==
                     "folder:Gesendet/\xC3\x9C"
                     "bersicht";
        }
    CHECK(flags);
    CHECK(title);
}
