// Signed and encrypted mails: the verdict is sealed as notes, the mail stays whole.
#include <doctest/doctest.h>

#include "ingest/src/protection.h"
#include "ingest/src/smime.h"
#include "tests/ingest/collect.h"
#include "tests/support/doc_example.h"
#include "tests/support/shared.h"

using namespace kustos;
using namespace kustos::ingest;
using vault::Message;

namespace {

Bytes sample(const char* name) {
    RealFs fs;
    auto bytes = read_file(fs, test::source_dir() / "tests/data/ingest/protected" / name, 64u << 20);
    REQUIRE(bytes.ok());
    return std::move(*bytes);
}
Message mail(const char* name) {
    const Bytes raw = sample(name);
    Message m = parse_mail(raw).message;
    CHECK(m.raw == raw);
    return m;
}
bool has_note(const Message& m, const std::string& note) {
    return std::find(m.notes.begin(), m.notes.end(), note) != m.notes.end();
}
// openssl x509 -fingerprint -sha256 of the certificate that the samples were signed with
const std::string kSigner = "smime:signer-sha256:c264429b2303f53ab8ff6656d67e6f1e5e9252d462b700ae4d865e932ec93109";

}  // namespace

TEST_CASE("a detached signature is checked over the bytes that were signed, in either line ends") {
    const Message m = mail("smime_clearsigned.eml");
    CHECK(has_note(m, "smime:signature-valid"));
    CHECK(has_note(m, kSigner));
    CHECK_FALSE(has_note(m, "smime:line-ends-restored"));
    Bytes unix_ends = sample("smime_clearsigned.eml");
    unix_ends.erase(std::remove(unix_ends.begin(), unix_ends.end(), '\r'), unix_ends.end());
    const Message n = parse_mail(unix_ends).message;
    CHECK(has_note(n, "smime:signature-valid"));
    CHECK(has_note(n, "smime:line-ends-restored"));
}

TEST_CASE("one changed word makes a signature invalid; a changed signature too") {
    const Message m = mail("smime_tampered.eml");
    CHECK(has_note(m, "smime:signature-invalid"));
    CHECK_FALSE(has_note(m, "smime:signature-valid"));
    std::string text = to_text(sample("smime_clearsigned.eml"));
    const std::size_t at = text.find("5 km");
    text[at] = '6';
    CHECK(has_note(parse_mail(to_bytes(text)).message, "smime:signature-invalid"));
}

TEST_CASE("an opaque signature's content is read as the mail's, and its change is noticed") {
    const Message m = mail("smime_opaque.eml");
    CHECK(has_note(m, "smime:signature-valid"));
    CHECK(has_note(m, kSigner));
    CHECK(m.body.find("Sehr geehrte Frau M\xC3\xBCller") == 0);
    REQUIRE(m.attachments.size() == 1);
    auto opened = open_signed(m.attachments[0].content);
    REQUIRE(opened);
    Bytes changed = m.attachments[0].content;
    const auto km = std::search(changed.begin(), changed.end(), std::begin("5 km"), std::begin("5 km") + 4);
    REQUIRE(km != changed.end());
    *km = '6';
    opened = open_signed(changed);
    REQUIRE(opened);
    CHECK(opened->verdict.state == SignatureVerdict::State::invalid);
    CHECK(to_text(opened->content).find("6 km") != std::string::npos);
}

TEST_CASE("a signature without its signer's certificate is of an unknown signer") {
    // Signed with openssl cms -nocerts.
    const Bytes cms = sample("signature_without_certificate.p7s"), text = sample("signed_text.txt");
    const SignatureVerdict verdict = check_detached(cms, text);
    CHECK(verdict.state == SignatureVerdict::State::unknown_signer);
    CHECK(verdict.signers.empty());
}

TEST_CASE("no signature is no verdict: garbage, cut-off ones, content that is missing") {
    CHECK(check_detached({}, {}).state == SignatureVerdict::State::unreadable);
    CHECK(check_detached(as_bytes("no cms"), as_bytes("text")).state == SignatureVerdict::State::unreadable);
    const Bytes cms = sample("signature_without_certificate.p7s"), text = sample("signed_text.txt");
    CHECK(cms_kind(cms) == CmsKind::signed_data);
    for (std::size_t size = 0; size < cms.size(); size += 7)
        CHECK(check_detached(ByteView(cms).first(size), text).state == SignatureVerdict::State::unreadable);
    CHECK_FALSE(open_signed(cms));
}

TEST_CASE("what is encrypted says so, and what of it") {
    CHECK(mail("smime_encrypted.eml").notes == std::vector<std::string>{"smime:encrypted"});
    CHECK(mail("smime_signed_then_encrypted.eml").notes == std::vector<std::string>{"smime:encrypted"});
    CHECK(has_note(mail("pgp_mime_encrypted.eml"), "pgp:encrypted"));
    CHECK(has_note(mail("pgp_inline_encrypted.eml"), "pgp:encrypted"));
    CHECK(has_note(mail("pgp_mime_signed.eml"), "pgp:signed-unchecked"));
    CHECK(has_note(mail("pgp_inline_clearsigned.eml"), "pgp:signed-unchecked"));
    std::string text = to_text(sample("pgp_inline_encrypted.eml"));
    text += "\r\nund noch ein Satz\r\n";
    const Message m = parse_mail(to_bytes(text)).message;
    CHECK(has_note(m, "pgp:encrypted-part"));
    CHECK_FALSE(has_note(m, "pgp:encrypted"));
}

TEST_CASE("an enclosed mail under Microsoft's rights management is not readable, and says so") {
    RealFs fs;
    auto raw = read_file(fs, test::source_dir() / "tests/data/ingest/journal/journal_encrypted_rms.eml", 1u << 20);
    REQUIRE(raw.ok());
    test::Collect out;
    REQUIRE(parse_mail_items(std::move(*raw), {}, out).ok());
    REQUIRE(out.items.size() == 2);
    CHECK(has_note(out.items[0].message, "rms:encrypted"));
}

TEST_CASE("the extractor has no text of signatures to add, and knows that nothing is missing" KUSTOS_NEEDS_SANDBOX) {
    const Message m = mail("smime_opaque.eml");
    auto text = test::extractor().text(m.attachments[0].content, "smime.p7m", "application/x-pkcs7-mime");
    REQUIRE(text.ok());
    CHECK(text->completeness == Completeness::full);
    text = test::extractor().text(as_bytes("x"), "smime.p7s", "application/pkcs7-signature");
    REQUIRE(text.ok());
    CHECK(text->completeness == Completeness::full);
    const Message hidden = mail("smime_encrypted.eml");
    text = test::extractor().text(hidden.attachments[0].content, "smime.p7m", "application/x-pkcs7-mime");
    REQUIRE(text.ok());
    CHECK(text->completeness == Completeness::opaque);
}

TEST_CASE("the page's example has the notes that the page says") {
    const Message m = parse_mail(to_bytes(test::doc_text("protected-mail.md", "mail"))).message;
    std::string notes;
    for (const std::string& note : m.notes) notes += note + "\n";
    CHECK(notes == test::doc_text("protected-mail.md", "notes"));
}
