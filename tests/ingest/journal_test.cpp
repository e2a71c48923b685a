// Journal reports: mail and envelope are two records, and together they are the report that arrived.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "base/clock.h"
#include "base/crypto.h"
#include "tests/ingest/collect.h"
#include "tests/support/doc_example.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"
#include "vault/envelope.h"

using namespace kustos;
using namespace kustos::ingest;
using vault::Message;
using vault::MessageKind;
using vault::Role;

namespace {

Path samples() {
    return test::source_dir() / "tests/data/ingest/journal";
}
Bytes file(const Path& path) {
    RealFs fs;
    auto bytes = read_file(fs, path, 64u << 20);
    REQUIRE(bytes.ok());
    return std::move(*bytes);
}
Bytes sample(const char* name) {
    return file(samples() / name);
}

test::Collect items_of(Bytes raw) {
    test::Collect out;
    REQUIRE(parse_mail_items(std::move(raw), {}, out).ok());
    return out;
}

std::vector<std::string> people(const Message& m, Role role) {
    std::vector<std::string> out;
    for (const auto& r : m.recipients)
        if (r.role == role) out.push_back(r.person.address);
    return out;
}
bool has_note(const Message& m, const std::string& note) {
    return std::find(m.notes.begin(), m.notes.end(), note) != m.notes.end();
}
using Names = std::vector<std::string>;

// The report that the last of these items is the envelope of; a mail that was kept whole is itself.
Bytes whole_again(const std::vector<ParsedItem>& items) {
    const Message& last = items.back().message;
    if (last.kind != MessageKind::envelope) return last.raw;
    const auto layout = vault::report_layout(last);
    REQUIRE(layout);
    const Bytes inner = whole_again({items.begin(), items.end() - 1});
    CHECK(sha256(inner).hex() == last.thread);
    auto joined = vault::join_report(*layout, last.raw, inner);
    REQUIRE(joined.ok());
    return std::move(*joined);
}

std::string report(const std::string& text, const std::string& inner,
                   const std::string& marker = "X-MS-Journal-Report: ", const std::string& part_header = "") {
    return "From: exchange@x.example\r\nTo: <journal@archive.example>\r\nCc: other@archive.example\r\nSubject: "
           "outer\r\n"
           "Message-ID: <outer@x>\r\n" +
           marker +
           "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"r\"\r\n\r\n"
           "--r\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" +
           text + "\r\n--r\r\nContent-Type: message/rfc822\r\n" + part_header + "\r\n" + inner + "\r\n--r--\r\n";
}
const std::string kInner =
    "From: j@x.example\r\nTo: all@x.example\r\nSubject: inner\r\nMessage-ID: <1@x>\r\n\r\nText\r\n";

}  // namespace

TEST_CASE("every sample report comes back byte for byte from what it was sealed as") {
    std::size_t reports = 0;
    std::vector<Path> folders = {samples()};
    if (const auto shared = test::shared_dir())
        folders.push_back(*shared / "corpora/email/authored-journal");
    else
        MESSAGE("skipped in part: ../shared is absent");
    for (const Path& folder : folders)
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            CAPTURE(entry.path().filename().string());
            const Bytes bytes = file(entry.path());
            const auto out = items_of(bytes);
            CHECK(whole_again(out.items) == bytes);
            ++reports;
        }
    CHECK(reports >= 8);
}

TEST_CASE("an envelope has who really got the mail, and the mail is sealed as if it had come alone") {
    const auto out = items_of(sample("exchange2016_basic.eml"));
    REQUIRE(out.items.size() == 2);
    const Message &mail = out.items[0].message, &envelope = out.items[1].message;
    CHECK(mail.kind == MessageKind::mail);
    CHECK(sha256(mail.raw).hex() == "4b616410c6abcc54affd5fc4251753cece3c6d726d61cf21dbac8a0dd12ef249");  // as put in
    CHECK(mail.native_id == "orig-j1@beispiel.example");
    CHECK(people(mail, Role::bcc).empty());
    CHECK(envelope.kind == MessageKind::envelope);
    CHECK(envelope.sender.address == "juergen.weiss@beispiel.example");
    CHECK(people(envelope, Role::to) == Names{"anna.mueller@beispiel.example"});
    CHECK(people(envelope, Role::cc) == Names{"soeren@beispiel.example"});
    CHECK(people(envelope, Role::bcc) == Names{"geheim@beispiel.example"});
    CHECK(envelope.recipients.size() == 3);  // never the journal's own mailbox
    CHECK(envelope.subject == "Vertraulich: Uebernahme");
    CHECK(envelope.target == mail.native_id);
    CHECK(envelope.thread == sha256(mail.raw).hex());
    CHECK(envelope.attachments.empty());
    CHECK(to_text(envelope.raw).find("Sehr geehrte") == std::string::npos);
    CHECK(envelope.body.find("Bcc: geheim@beispiel.example") != std::string::npos);
    CHECK(dedupe_identity(mail, "") == dedupe_identity(parse_mail(Bytes(mail.raw)).message, ""));
}

TEST_CASE("reports on one mail seal it once and each envelope; a report that comes again seals nothing") {
    test::MemoryPort port;
    SystemClock clock;
    ImportOptions options;
    options.progress = false;
    const std::vector<Path> paths = {samples() / "exchange2016_basic.eml",
                                     samples() / "journal_same_inner_second_copy.eml",
                                     samples() / "exchange_dl_expanded_forwarded.eml"};
    auto result = run_import(port, clock, paths, options);
    REQUIRE(result.ok());
    CHECK(result->messages == 4);
    CHECK(result->duplicates == 2);
    CHECK(port.messages[0].kind == MessageKind::mail);
    for (std::size_t i = 1; i < 4; ++i) CHECK(port.messages[i].thread == port.messages[1].thread);
    CHECK(people(port.messages[2], Role::to) == Names{"extern@kunde.example"});
    result = run_import(port, clock, paths, options);
    REQUIRE(result.ok());
    CHECK(result->messages == 0);
    CHECK(result->duplicates == 6);
}

TEST_CASE("expanded lists, forwards, labels and senders on behalf are notes") {
    const Message dl = items_of(sample("exchange_dl_expanded_forwarded.eml")).items.at(1).message;
    CHECK(people(dl, Role::to) == Names{"anna.mueller@beispiel.example", "mary@beispiel.example"});
    CHECK(people(dl, Role::cc) == Names{"soeren@beispiel.example"});
    CHECK(people(dl, Role::envelope) == Names{"extern@kunde.example"});
    CHECK(has_note(dl, "expanded:vertrieb@beispiel.example to mary@beispiel.example"));
    CHECK(has_note(dl, "forwarded:chef@beispiel.example to soeren@beispiel.example"));
    const Message o365 = items_of(sample("o365_onbehalf_label.eml")).items.at(1).message;
    CHECK(has_note(o365, "on-behalf-of:vorstand@beispiel.example"));
    CHECK(has_note(o365, "journal-label:Confidential"));
    CHECK(o365.subject ==
          "Vertraulich: \xC3\x9C"
          "bernahme");
    CHECK_FALSE(has_note(o365, "journal:unknown-line"));
    const Message old = items_of(sample("exchange2007_sender_recipient.eml")).items.at(1).message;
    CHECK(people(old, Role::envelope).size() == 3);
}

TEST_CASE("Exchange 2003 and Google are recognised by their own lines") {
    for (const char* marker : {"Content-Identifier: exjournalreport", "Content-Identifer: ExJournalReport"}) {
        const auto out =
            items_of(to_bytes(report("Sender: j@x.example\r\nMessage-ID: <1@x>\r\nRecipients:\r\n"
                                     "\"Anna\" <anna@x.example>\r\nb@x.example\r\n",
                                     kInner, marker)));
        REQUIRE(out.items.size() == 2);
        CHECK(people(out.items[1].message, Role::envelope) == Names{"anna@x.example", "b@x.example"});
        CHECK(out.items[1].message.sender.address == "j@x.example");
    }
    const auto google = items_of(
        to_bytes(report("Sender: j@x.example\r\nRecipient: g@x.example\r\n", kInner, "X-WM-Journal-Report: journal")));
    REQUIRE(google.items.size() == 2);
    CHECK(people(google.items[1].message, Role::envelope) == Names{"g@x.example"});
}

TEST_CASE("a mail that only talks of reports is a plain mail") {
    const auto out = items_of(to_bytes(report("Sender: j@x.example\r\nTo: g@x.example\r\n", kInner, "X-Other: 1")));
    REQUIRE(out.items.size() == 1);
    CHECK(out.items[0].message.kind == MessageKind::mail);
    CHECK(people(out.items[0].message, Role::to) == Names{"journal@archive.example"});
}

TEST_CASE("a report whose mail is encoded or missing stays one record, and says so; its people are found") {
    const auto missing = items_of(sample("journal_without_inner.eml"));
    REQUIRE(missing.items.size() == 1);
    CHECK(missing.items[0].message.kind == MessageKind::mail);
    CHECK(has_note(missing.items[0].message, "journal:inner-missing"));
    CHECK(missing.findings.at("journal:inner-missing") == 1);
    CHECK(people(missing.items[0].message, Role::envelope) == Names{"c@d.example"});
    const std::string text = report("Sender: j@x.example\r\nBcc: g@x.example\r\n", base64(as_bytes(kInner)),
                                    "X-MS-Journal-Report:", "Content-Transfer-Encoding: base64\r\n");
    const auto encoded = items_of(to_bytes(text));
    REQUIRE(encoded.items.size() == 1);
    const Message& m = encoded.items[0].message;
    CHECK(to_text(m.raw) == text);
    CHECK(has_note(m, "journal:inner-encoded"));
    CHECK(has_note(m, "envelope-sender:j@x.example"));
    CHECK(people(m, Role::envelope) == Names{"g@x.example"});
}

TEST_CASE("what is enclosed and no mail is kept as it came, and the envelope says so") {
    const auto out = items_of(sample("journal_inner_malformed.eml"));
    REQUIRE(out.items.size() == 2);
    CHECK(out.items[0].message.kind == MessageKind::unreadable);
    CHECK(has_note(out.items[1].message, "journal:inner-unreadable"));
    CHECK(out.items[1].message.target == "x@y");
}

TEST_CASE("a cut-off report still gives its mail") {
    std::string text = report("Sender: j@x.example\r\nTo: g@x.example\r\n", kInner);
    text.resize(text.find("\r\n--r--"));
    const auto out = items_of(to_bytes(text));
    REQUIRE(out.items.size() == 2);
    CHECK(to_text(out.items[0].message.raw) == kInner);
    CHECK(has_note(out.items[1].message, "journal:unterminated"));
    CHECK(to_text(whole_again(out.items)) == text);
}

TEST_CASE("a report on a report is taken apart too, and no deeper than four") {
    // The boundaries must differ, or the first end would end them all.
    std::string text = kInner;
    for (int i = 0; i < 8; ++i) {
        std::string outer = report("Sender: j@x.example\r\nTo: g@x.example\r\n", text);
        for (std::size_t at = 0; (at = outer.find("--r", at)) != std::string::npos; at += 5)
            if (outer[at + 3] == '\r' || outer[at + 3] == '-') outer.insert(at + 3, std::to_string(i) + "x");
        const std::size_t named = outer.find("boundary=\"r\"");
        outer.replace(named, 12, "boundary=\"r" + std::to_string(i) + "x\"");
        text = outer;
        const auto so_far = items_of(to_bytes(text));
        CHECK(so_far.items.size() == std::min(i + 2, 5));
        CHECK(to_text(whole_again(so_far.items)) == text);
    }
    const auto out = items_of(to_bytes(text));
    CHECK(has_note(out.items[0].message, "journal:inner-not-split"));
}

TEST_CASE("mbox and Maildir give the same two records; mbox keeps what stands in the file") {
    test::TempDir dir;
    const std::string inner = "From: j@x.example\nSubject: inner\nMessage-ID: <1@x>\n\n>From here on\n\nText\n";
    std::string outer = report("Sender: j@x.example\r\nTo: g@x.example\r\n", inner);
    outer.erase(std::remove(outer.begin(), outer.end(), '\r'), outer.end());
    std::ofstream(dir / "box.mbox") << "From x@x.example Fri Mar  1 10:15:00 2024\n" << outer << "\n";
    std::filesystem::create_directories(dir / "md/cur");
    std::filesystem::create_directories(dir / "md/new");
    std::ofstream(dir / "md/cur/1.h:2,S") << outer;
    for (const char* name : {"box.mbox", "md"}) {
        CAPTURE(name);
        test::Collect out;
        REQUIRE(read(dir / name, nullptr, {}, out).ok());
        REQUIRE(out.items.size() == 2);
        const Message &mail = out.items[0].message, &envelope = out.items[1].message;
        CHECK(mail.format == (name[0] == 'b' ? "mbox" : "maildir"));
        CHECK(envelope.format == mail.format);
        CHECK(envelope.feed_position == mail.feed_position);
        CHECK(to_text(mail.raw) == inner);
        CHECK(mail.body == (name[0] == 'b' ? "From here on\n\nText\n" : ">From here on\n\nText\n"));
        CHECK(to_text(whole_again(out.items)) == outer);
    }
}

TEST_CASE("a large report is spooled and gives the same two records") {
    test::TempDir dir, spool;
    SeededRandom random(7);
    Bytes noise(400'000);
    random.fill(noise);
    std::string lines;
    const std::string encoded = base64(noise);
    for (std::size_t at = 0; at < encoded.size(); at += 76) lines += encoded.substr(at, 76) + "\r\n";
    const std::string inner =
        "From: j@x.example\r\nSubject: inner\r\nMessage-ID: <1@x>\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n"
        "--i\r\nContent-Type: application/octet-stream; name=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
        lines + "--i--\r\n";
    const std::string text = report("Sender: j@x.example\r\nBcc: g@x.example\r\n", inner);
    std::ofstream(dir / "r.eml", std::ios::binary) << text;
    ReadContext context;
    context.limits.in_memory = 64u << 10;
    context.spool_folder = spool.path();
    test::Collect out;
    REQUIRE(read(dir / "r.eml", nullptr, context, out).ok());
    REQUIRE(out.items.size() == 2);
    const Message &mail = out.items[0].message, &envelope = out.items[1].message;
    REQUIRE(mail.raw_spool);
    Bytes back(static_cast<std::size_t>(mail.raw_spool.size));
    REQUIRE(mail.raw_spool.read(0, back).ok());
    CHECK(to_text(back) == inner);
    CHECK(mail.raw_spool.sha256 == sha256(back));
    REQUIRE(mail.attachments.size() == 1);
    Bytes content(static_cast<std::size_t>(mail.attachments[0].spool.size));
    REQUIRE(mail.attachments[0].spool.read(0, content).ok());
    CHECK(content == noise);
    CHECK(people(envelope, Role::bcc) == Names{"g@x.example"});
    auto joined = vault::join_report(*vault::report_layout(envelope), envelope.raw, back);
    REQUIRE(joined.ok());
    CHECK(to_text(*joined) == text);
    CHECK(dedupe_identity(mail, "") == dedupe_identity(items_of(to_bytes(text)).items[0].message, ""));
}

TEST_CASE("a mail that is not the enclosed one is not joined") {
    const auto out = items_of(to_bytes(report("Sender: j@x.example\r\nTo: g@x.example\r\n", kInner)));
    const Message& envelope = out.items.at(1).message;
    const auto layout = vault::report_layout(envelope);
    REQUIRE(layout);
    Bytes other = out.items[0].message.raw;
    other.back() ^= 1;
    CHECK(vault::join_report(*layout, envelope.raw, other).error().code() == Code::bad_input);
    other.pop_back();
    CHECK(vault::join_report(*layout, envelope.raw, other).error().code() == Code::bad_input);
    CHECK(vault::join_report(*layout, {}, out.items[0].message.raw).error().code() == Code::bad_input);
    for (const char* bad : {"inner:1", "inner::5", "inner:-1:5", "inner:1:99999999999999999999", "whole-sha256:00"}) {
        Message damaged = envelope;
        for (std::string& note : damaged.notes)
            if (note.rfind(std::string_view(bad).substr(0, 5), 0) == 0) note = bad;
        CHECK_FALSE(vault::report_layout(damaged));
    }
}

TEST_CASE("the page's example is read as the page says") {
    const auto out = items_of(to_bytes(test::doc_text("journal-reports.md", "report")));
    REQUIRE(out.items.size() == 2);
    const Message &mail = out.items[0].message, &envelope = out.items[1].message;
    CHECK(people(mail, Role::to) == Names{"all@x.example"});
    CHECK(people(envelope, Role::to) == Names{"anna@x.example"});
    CHECK(people(envelope, Role::bcc) == Names{"chief@x.example"});
    REQUIRE(envelope.notes.size() == 3);
    CHECK(envelope.notes[0] + "\n" + envelope.notes[1] + "\n" == test::doc_text("journal-reports.md", "notes"));
    CHECK(envelope.notes[2].rfind("whole-sha256:", 0) == 0);
    CHECK(mail.raw.size() + envelope.raw.size() == 516);
}
