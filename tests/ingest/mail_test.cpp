#include <doctest/doctest.h>

#include <filesystem>

#include "base/clock.h"
#include "base/crypto.h"
#include "tests/ingest/collect.h"
#include "tests/support/shared.h"

using namespace kustos;
using namespace kustos::ingest;
using vault::MessageKind;

namespace {

vault::Message mail(const std::string& text) {
    return parse_mail(to_bytes(text)).message;
}

const std::string kMixed =
    "From: =?utf-8?Q?J=C3=BCrgen?= <j@x.example>\r\n"
    "To: Anna <a@x.example>,\r\n b@x.example\r\n"
    "Cc: Team: c@x.example, d@x.example;\r\n"
    "Subject: =?iso-8859-1?Q?Gr=FC=DFe?=\r\n =?iso-8859-1?Q?_an_alle?=\r\n"
    "Date: Mon, 02 Mar 2026 11:00:00 +0100\r\n"
    "Message-ID: <1@x.example>\r\n"
    "In-Reply-To: <0@x.example>\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=\"b\"\r\n"
    "\r\n"
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHallo\r\nWelt\r\n"
    "--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment;\r\n "
    "filename*=utf-8''Gr%C3%B6%C3%9Fe.pdf\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nJVBERi0x\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
    "--c\r\n\r\ninner text\r\n--c--\r\n"
    "--b--\r\n";

}  // namespace

TEST_CASE("a mail gives its fields, its body, and its attachments with their place in the raw bytes") {
    const auto m = mail(kMixed);
    CHECK(m.kind == MessageKind::mail);
    CHECK(to_text(m.raw) == kMixed);
    CHECK(m.subject ==
          "Gr\xC3\xBC\xC3\x9F"
          "e an alle");
    CHECK(m.sender.name == "J\xC3\xBCrgen");
    CHECK(m.native_id == "1@x.example");
    CHECK(m.reply_to == "0@x.example");
    CHECK(format_rfc3339(*m.sent_at) == "2026-03-02T10:00:00Z");
    REQUIRE(m.recipients.size() == 4);
    CHECK(m.recipients[1].person.address == "b@x.example");
    CHECK(m.recipients[3].role == vault::Role::cc);
    CHECK(m.body == "Hallo\nWelt");
    CHECK(m.headers.size() == 9);
    CHECK(m.headers[1] == "To: Anna <a@x.example>,\r\n b@x.example");
    REQUIRE(m.attachments.size() == 2);
    CHECK(m.attachments[0].name ==
          "Gr\xC3\xB6\xC3\x9F"
          "e.pdf");
    CHECK(to_text(m.attachments[0].content) == "%PDF-1");
    REQUIRE(m.attachments[0].in_raw);
    CHECK(kMixed.substr(m.attachments[0].in_raw->offset, m.attachments[0].in_raw->length) == "JVBERi0x");
    CHECK(m.attachments[0].in_raw->encoding == vault::RawEncoding::base64);
    CHECK(m.attachments[1].media_type == "message/rfc822");
    CHECK(mail(to_text(m.attachments[1].content)).subject == "inner");
    CHECK(to_text(m.attachments[1].content).find("inner text") != std::string::npos);
    CHECK(m.notes.empty());
}

TEST_CASE("what is no mail at all is kept as it came") {
    for (const char* text : {"", "\r\n\r\n", "no header here\n", "\x01\x02\x03"}) {
        const auto m = mail(text);
        CHECK(m.kind == MessageKind::unreadable);
        CHECK(to_text(m.raw) == text);
        REQUIRE(m.notes.size() == 1);
        CHECK(m.notes[0].rfind("quarantine:", 0) == 0);
    }
}

TEST_CASE("two mails with one Message-ID have two identities, the same mail has one") {
    const auto a = mail("Message-ID: <x>\n\none"), b = mail("Message-ID: <x>\n\ntwo"),
               c = mail("Message-ID: <x>\n\none");
    CHECK(dedupe_identity(a, "") != dedupe_identity(b, ""));
    CHECK(dedupe_identity(a, "") == dedupe_identity(c, ""));
}

TEST_CASE("names of attachments are never paths") {
    const auto m = mail("Content-Type: text/plain; name=\"../../etc/passwd\"\nContent-Disposition: attachment\n\nx");
    REQUIRE(m.attachments.size() == 1);
    CHECK(m.attachments[0].name == "passwd");
    CHECK(m.notes == std::vector<std::string>{"no-author", "suspicious:path-name"});
}

TEST_CASE("limits leave a note and everything in raw") {
    Limits limits;
    limits.recipients = 2;
    limits.headers = 3;
    limits.body = 4;
    const auto m =
        parse_mail(
            to_bytes(std::string_view("From: a@x\nTo: b@x, c@x, d@x\nSubject: s\nX-More: 1\n\nlonger than four")),
            limits)
            .message;
    CHECK(m.recipients.size() == 2);
    CHECK(m.headers.size() == 3);
    CHECK(m.body.empty());
    REQUIRE(m.attachments.size() == 1);
    CHECK(to_text(m.attachments[0].content) == "longer than four");
    CHECK(m.notes == std::vector<std::string>{"limit:headers", "limit:recipients", "limit:body"});
}

TEST_CASE("every attachment's span decodes to its content, in all mails of the corpora") {
    const auto shared = test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    RealFs fs;
    std::size_t mails = 0, spans = 0, exact = 0;
    for (const char* folder : {"corpora/email", "corpora/hostile/email"})
        for (const auto& entry : std::filesystem::recursive_directory_iterator(*shared / folder)) {
            if (!entry.is_regular_file()) continue;
            const Bytes bytes = read_file(fs, entry.path(), 64u << 20).value();
            SystemClock clock;
            const std::int64_t before = clock.monotonic_ms();
            const auto m = parse_mail(bytes).message;
            CAPTURE(entry.path().string());
            CHECK(clock.monotonic_ms() - before < 5000);
            CHECK(m.raw == bytes);
            ++mails;
            for (const auto& a : m.attachments) {
                if (!a.in_raw) continue;
                ++spans;
                REQUIRE(a.in_raw->offset + a.in_raw->length <= bytes.size());
                const ByteView span = ByteView(bytes).subspan(a.in_raw->offset, a.in_raw->length);
                if (a.in_raw->encoding == vault::RawEncoding::identity) CHECK(equal(span, a.content));
                if (a.in_raw->encoding == vault::RawEncoding::base64) {
                    std::string packed;
                    for (const auto c : span)
                        if (c > 32) packed += static_cast<char>(c);
                    const auto decoded = parse_base64(packed);
                    if (!decoded) continue;
                    CHECK(equal(*decoded, a.content));
                    ++exact;
                }
            }
        }
    MESSAGE(mails << " files, " << spans << " spans, " << exact << " of base64");
    CHECK(spans > 100);
}

TEST_CASE("a header of a hundred thousand address lines is read in bounds, the recipients up to the limit") {
    std::string raw = "From: a@a.test\r\n";
    for (int i = 0; i < 49'000; ++i) raw += "X: y\r\n";
    for (int i = 0; i < 49'000; ++i) raw += "To: b@b.test\r\n";
    const auto item = parse_mail(to_bytes(as_bytes(raw + "\r\ntext\r\n")));
    CHECK(item.message.recipients.size() == Limits{}.recipients);
}
