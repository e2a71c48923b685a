// What an attachment says it is, against what it is.
#include <doctest/doctest.h>

#include "ingest/extractor/claim.h"
#include "tests/ingest/collect.h"
#include "tests/ingest/zip_builder.h"

using namespace kustos;
using namespace kustos::ingest;
using extractor::contradicted_claim;

TEST_CASE("a name or a type that is not so is named; where the bytes have no signature nothing is") {
    CHECK(contradicted_claim("pdf", "a.docx", "") == "docx");
    CHECK(contradicted_claim("pdf", "a.PDF", "application/pdf; name=x") == "");
    CHECK(contradicted_claim("docx", "a.docx", "application/pdf") == "pdf");
    CHECK(contradicted_claim("exe", "rechnung.pdf", "application/octet-stream") == "pdf");
    CHECK(contradicted_claim("", "rechnung.pdf", "") == "pdf");
    CHECK(contradicted_claim("exe", "setup.bin", "application/octet-stream") == "");
    CHECK(contradicted_claim("html", "a.txt", "text/plain") == "");
    CHECK(contradicted_claim("", "a.html", "text/html") == "");
    CHECK(contradicted_claim("", "ton.mp3", "audio/mpeg") == "");
    CHECK(contradicted_claim("encrypted-office", "a.xlsx", "") == "");
    CHECK(contradicted_claim("encrypted-office", "a.pdf", "") == "pdf");
    CHECK(contradicted_claim("zip", "a.kmz", "application/vnd.google-earth.kmz") == "");
    CHECK(contradicted_claim("jpeg", "a.png", "image/png") == "png");
    CHECK(contradicted_claim("rtf", "brief.doc", "application/msword") == "doc");
    CHECK(contradicted_claim("pdf", "notiz.txt", "text/plain") == "text");
}

TEST_CASE(
    "the kind is found by content, and a contradiction is a remark, also of what lies in an "
    "archive" KUSTOS_NEEDS_SANDBOX) {
    const auto read = [](ByteView bytes, std::string_view name, std::string_view type) {
        return test::extractor().text(bytes, name, type).value();
    };
    using Remarks = std::vector<std::string>;
    auto got = read(as_bytes("{\\rtf1 Anlage}"), "brief.doc", "application/msword");
    CHECK(got.kind == "rtf");
    CHECK(got.text == "Anlage");
    CHECK(got.completeness == Completeness::full);
    CHECK(got.remarks == Remarks{"type-mismatch:rtf-as-doc"});
    got = read(as_bytes("MZ\x90 program"), "rechnung.pdf", "application/pdf");
    CHECK(got.kind == "exe");
    CHECK(got.remarks == Remarks{"type-mismatch:exe-as-pdf"});
    got = read(as_bytes("nur Text"), "rechnung.pdf", "application/octet-stream");
    CHECK(got.kind == "");
    CHECK(got.remarks == Remarks{"type-mismatch:unknown-as-pdf"});
    got = read(as_bytes("nur Text"), "notiz.txt", "text/plain");
    CHECK(got.remarks.empty());
    test::ZipBuilder zip;
    zip.add("innen.pdf", "MZ\x90 program");
    zip.add("noch.pdf", "MZ\x90 program");
    got = read(zip.bytes(), "alles.zip", "application/zip");
    CHECK(got.kind == "zip");
    CHECK(got.remarks == Remarks{"type-mismatch:exe-as-pdf"});
    test::ZipBuilder odt;
    odt.add("mimetype", "application/vnd.oasis.opendocument.text");
    odt.add("content.xml", "<office:document-content/>");
    CHECK(read(odt.bytes(), "a.odt", "application/vnd.oasis.opendocument.text").remarks.empty());
    CHECK(read(odt.bytes(), "a.docx", "").remarks == Remarks{"type-mismatch:odt-as-docx"});
}

TEST_CASE("a declared charset is used where the bytes can be it, and corrected where they can't" KUSTOS_NEEDS_SANDBOX) {
    const auto read = [](std::string_view bytes, std::string_view type) {
        return test::extractor().text(as_bytes(bytes), "a.txt", type).value();
    };
    // "Łódź" in ISO 8859-2, "Привет" in KOI8-R and windows-1251, "日本" in Shift_JIS, "Grüße €" in ISO 8859-15.
    CHECK(read("\xA3\xF3\x64\xBC", "text/plain; charset=iso-8859-2").text == "\xC5\x81\xC3\xB3\x64\xC5\xBA");
    CHECK(read("\xF0\xD2\xC9\xD7\xC5\xD4", "text/plain; charset=\"KOI8-R\"").text ==
          "\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82");
    CHECK(read("\xCF\xF0\xE8\xE2\xE5\xF2", "text/csv;charset=windows-1251").text ==
          "\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82");
    CHECK(read("\x93\xFA\x96\x7B", "text/plain; charset=shift_jis").text == "\xE6\x97\xA5\xE6\x9C\xAC");
    CHECK(read("\x1B$BF|K\\\x1B(B", "text/plain; charset=iso-2022-jp").text == "\xE6\x97\xA5\xE6\x9C\xAC");
    const auto euro = read("Gr\xFC\xDF\x65 \xA4", "text/plain; charset=iso-8859-15");
    CHECK(euro.text == "Gr\xC3\xBC\xC3\x9F\x65 \xE2\x82\xAC");
    CHECK(euro.completeness == Completeness::full);
    CHECK(euro.remarks.empty());
    // Wrong declarations.
    const auto wrong = read("Gr\xC3\xBC\xC3\x9F\x65", "text/plain; charset=iso-8859-2");
    CHECK(wrong.text == "Gr\xC3\xBC\xC3\x9F\x65");
    CHECK(wrong.remarks == std::vector<std::string>{"charset-corrected"});
    CHECK(read("Gr\xFC\xDF\x65", "text/plain; charset=utf-8").reason == "charset");
    CHECK(read("einfach", "text/plain; charset=utf-16").text == "einfach");
    CHECK(read("einfach", "text/plain; charset=no-such-charset").text == "einfach");
    const auto unknown = read("Gr\xFC\xDF\x65", "text/plain; charset=no-such-charset");
    CHECK(unknown.text == "Gr\xC3\xBC\xC3\x9F\x65");
    CHECK(unknown.reason == "charset");
    // UTF-16 without a mark, whatever was said.
    CHECK(read(std::string_view("G\0r\0\xFC\0\xDF\0e\0", 10), "text/plain; charset=utf-8").text ==
          "Gr\xC3\xBC\xC3\x9F\x65");
    CHECK(read(std::string_view("\0G\0r\0\xFC\0\xDF\0e", 10), "text/plain").text == "Gr\xC3\xBC\xC3\x9F\x65");
}

TEST_CASE("a mail's text attachment carries its declared charset to the extractor" KUSTOS_NEEDS_SANDBOX) {
    const auto item = parse_mail(to_bytes(
        "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: "
        "text/plain\r\n\r\nHallo\r\n--b\r\nContent-Type: text/plain; charset=\"ISO-8859-2\"; name=a.txt\r\n"
        "Content-Disposition: attachment; filename=a.txt\r\nContent-Transfer-Encoding: "
        "base64\r\n\r\no/NkvA==\r\n--b--\r\n"));
    REQUIRE(item.message.attachments.size() == 1);
    const auto& attachment = item.message.attachments[0];
    CHECK(attachment.media_type == "text/plain; charset=iso-8859-2");
    CHECK(test::extractor().text(attachment.content, attachment.name, attachment.media_type)->text ==
          "\xC5\x81\xC3\xB3\x64\xC5\xBA");
}
