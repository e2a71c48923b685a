// From a session into an intake: what is sealed of a mail and its envelope, and what is answered when that fails.
#include <doctest/doctest.h>

#include <algorithm>

#include "base/crypto.h"
#include "ingest/src/smtp_delivery.h"
#include "tests/ingest/fake_intake.h"
#include "tests/support/doc_example.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::ingest;
using vault::MessageKind;

namespace {

const std::string kMail = "From: a@x.example\r\nTo: b@x.example\r\nMessage-ID: <1@x.example>\r\n\r\nText\r\n";

SmtpEnvelope to(std::vector<std::string> recipients) {
    SmtpEnvelope out;
    out.sender = "a@x.example";
    out.commands = "MAIL FROM:<a@x.example>\r\n";
    for (const std::string& one : recipients) out.commands += "RCPT TO:<" + one + ">\r\n";
    out.recipients = std::move(recipients);
    return out;
}

struct Door {
    MailAnswer send(std::string_view mail, const SmtpEnvelope& envelope) {
        MailAnswer answer = delivery.begin_mail();
        for (std::size_t at = 0; at < mail.size() && answer == MailAnswer::sealed; at += 10'000)
            answer = delivery.mail_bytes(as_bytes(mail.substr(at, 10'000)));
        if (answer == MailAnswer::sealed) return delivery.end_mail(envelope);
        delivery.drop_mail();
        return answer;
    }
    bool has_note(std::size_t item, std::string_view note) const {
        const auto& notes = intake.items.at(item).message.notes;
        return std::find(notes.begin(), notes.end(), note) != notes.end();
    }

    test::TempDir dir;
    test::FakeIntake intake{dir.path()};
    LmtpSettings settings;
    MailBudget budget{512u << 20};
    SmtpCounts counts;
    SmtpDelivery delivery{settings, intake, budget, counts};
};

std::string large_mail(std::size_t lines) {
    std::string out =
        "From: a@x.example\r\nMessage-ID: <2@x.example>\r\nMIME-Version: 1.0\r\nContent-Type: application/pdf\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n";
    for (std::size_t i = 0; i < lines; ++i) out += std::string(76, static_cast<char>('A' + i % 26)) + "\r\n";
    return out;
}

}  // namespace

TEST_CASE("the mail and its envelope are sealed together, the envelope behind the mail") {
    Door door;
    CHECK(door.send(kMail, to({"b@x.example", "hidden@x.example"})) == MailAnswer::sealed);
    CHECK(door.intake.takes == 1);
    REQUIRE(door.intake.items.size() == 2);
    const vault::Message& mail = door.intake.items[0].message;
    CHECK(mail.kind == MessageKind::mail);
    CHECK(to_text(mail.raw) == kMail);
    CHECK(door.has_note(0, "smtp-from:a@x.example"));
    REQUIRE(mail.recipients.size() == 3);
    CHECK(mail.recipients[2].role == vault::Role::envelope);
    CHECK(mail.recipients[2].person.address == "hidden@x.example");
    const vault::Message& envelope = door.intake.items[1].message;
    CHECK(envelope.kind == MessageKind::envelope);
    CHECK(envelope.target == "1@x.example");
    CHECK(envelope.thread == sha256(as_bytes(kMail)).hex());
    CHECK(door.counts.sealed == 2);
}

TEST_CASE("a mail that comes again is known; another envelope of it is kept, and the mail is not sealed twice") {
    Door door;
    for (int i = 0; i < 2; ++i) CHECK(door.send(kMail, to({"b@x.example"})) == MailAnswer::sealed);
    CHECK(door.intake.items.size() == 2);
    CHECK(door.send(kMail, to({"late@x.example"})) == MailAnswer::sealed);
    REQUIRE(door.intake.items.size() == 3);
    CHECK(door.intake.items[2].message.kind == MessageKind::envelope);
    CHECK(door.counts.sealed == 3);
}

TEST_CASE("two mails with the same recipients have an envelope each") {
    Door door;
    door.send(kMail, to({"b@x.example"}));
    door.send(kMail + "more\r\n", to({"b@x.example"}));
    CHECK(door.intake.items.size() == 4);
}

TEST_CASE("where the archive's addresses are known, the envelope is on the mail alone") {
    Door door;
    door.settings.recipients = {"Archive@x.example"};
    CHECK(door.delivery.knows_recipient("archive@X.example"));
    CHECK(!door.delivery.knows_recipient("other@x.example"));
    CHECK(door.send(kMail, to({"archive@x.example"})) == MailAnswer::sealed);
    CHECK(door.intake.items.size() == 1);
}

TEST_CASE("a journal report's own envelope names no recipients of the mail inside") {
    Door door;
    std::string report = test::doc_text("journal-reports.md", "report");
    CHECK(door.send(report, to({"journal@archive.example"})) == MailAnswer::sealed);
    REQUIRE(door.intake.items.size() == 2);
    CHECK(door.intake.items[0].message.kind == MessageKind::mail);
    for (const auto& recipient : door.intake.items[0].message.recipients)
        CHECK(recipient.person.address != "journal@archive.example");
    CHECK(door.intake.items[1].message.kind == MessageKind::envelope);
    CHECK(door.has_note(1, "smtp-to:journal@archive.example"));
}

TEST_CASE("what no mail can be is sealed as it came, and odd bytes are noted") {
    Door door;
    SmtpEnvelope envelope = to({"b@x.example"});
    envelope.oddities.bare_lf = envelope.oddities.bare_cr = envelope.oddities.nul = envelope.oddities.long_lines = 1;
    CHECK(door.send("\x01\x02 no mail\r\n", envelope) == MailAnswer::sealed);
    REQUIRE(door.intake.items.size() == 2);
    CHECK(door.intake.items[0].message.kind == MessageKind::unreadable);
    for (const char* note : {"smtp:bare-lf", "smtp:bare-cr", "smtp:nul", "smtp:long-line", "smtp-to:b@x.example"})
        CHECK(door.has_note(0, note));
}

TEST_CASE("nothing is answered as sealed that the intake did not take") {
    const std::pair<Code, MailAnswer> table[] = {{Code::overloaded, MailAnswer::later},
                                                 {Code::environment, MailAnswer::later},
                                                 {Code::read_only, MailAnswer::broken},
                                                 {Code::internal, MailAnswer::broken}};
    for (const auto& [code, answer] : table) {
        Door door;
        door.intake.fails = code;
        CHECK(door.send(kMail, to({"b@x.example"})) == answer);
        door.intake.fails.reset();
        door.intake.full = code;
        CHECK(door.delivery.room() == answer);
        CHECK(door.send(kMail, to({"b@x.example"})) == answer);
        CHECK(door.counts.refused == 3);
        CHECK(door.counts.sealed == 0);
        door.intake.full.reset();
        CHECK(door.send(kMail, to({"b@x.example"})) == MailAnswer::sealed);
        CHECK(door.intake.items.size() == 2);
        CHECK(door.budget.left() == 512u << 20);
    }
}

TEST_CASE("mails for which there is no memory are put off, and give back what they had") {
    Door door;
    CHECK(door.budget.take(510u << 20));
    CHECK(door.send(std::string(kMail) + std::string(2u << 20, 'x'), to({"b@x.example"})) == MailAnswer::no_memory);
    CHECK(door.budget.left() == 2u << 20);
    CHECK(door.send(kMail, to({"b@x.example"})) == MailAnswer::no_memory);  // even a small one has three times a step
    door.budget.give(510u << 20);
    CHECK(door.send(kMail, to({"b@x.example"})) == MailAnswer::sealed);
}

TEST_CASE("a large mail is spooled, and sealed byte for byte with its attachment") {
    Door door;
    door.intake.bounds.in_memory = 1u << 20;
    const std::string mail = large_mail(30'000);
    CHECK(door.send(mail, to({"b@x.example"})) == MailAnswer::sealed);
    REQUIRE(door.intake.items.size() == 2);
    const vault::Message& message = door.intake.items[0].message;
    CHECK(message.raw.empty());
    CHECK(message.raw_spool.size == mail.size());
    CHECK(message.raw_spool.sha256 == sha256(as_bytes(mail)));
    REQUIRE(message.attachments.size() == 1);
    CHECK(message.attachments[0].content_size() == 30'000u * 57);
    CHECK(door.intake.items[1].message.thread == sha256(as_bytes(mail)).hex());
    CHECK(door.intake.items[1].message.target == "2@x.example");
    CHECK(door.budget.left() == 512u << 20);
}

TEST_CASE("the worked example of the envelope's page is what is sealed") {
    Door door;
    SmtpEnvelope envelope = to({"b@x.example", "hidden@x.example"});
    envelope.commands = test::doc_text("smtp-envelope.md", "commands");
    std::string crlf;
    for (const char c : envelope.commands) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
    envelope.commands = crlf;
    std::string mail;
    for (const char c : test::doc_text("smtp-envelope.md", "mail"))
        mail += c == '\n' ? std::string("\r\n") : std::string(1, c);
    CHECK(door.send(mail, envelope) == MailAnswer::sealed);
    REQUIRE(door.intake.items.size() == 2);
    const vault::Message& message = door.intake.items[1].message;
    CHECK(message.format == "smtp-envelope");
    CHECK(to_text(message.raw) == crlf);
    CHECK(message.target + "\n" + message.thread + "\n" == test::doc_text("smtp-envelope.md", "links"));
}
