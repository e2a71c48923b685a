// Text of small documents made here: what is shown of each part, and what is refused.
#include <doctest/doctest.h>

#include "tests/ingest/collect.h"
#include "tests/ingest/zip_builder.h"

using namespace kustos;
using namespace kustos::ingest;

namespace {

ExtractedText read(ByteView bytes, std::string_view name = "x") {
    auto answer = test::extractor().text(bytes, name, "application/octet-stream");
    REQUIRE(answer.ok());
    return *answer;
}

// An OOXML package: each part with its content type behind the last '|'.
Bytes package(const std::vector<std::array<std::string, 3>>& parts) {
    test::ZipBuilder zip;
    std::string types = "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'>";
    for (const auto& [name, type, content] : parts) {
        types += "<Override PartName='/" + name + "' ContentType='" + type + "'/>";
        zip.add(name, content);
    }
    zip.add("[Content_Types].xml", types + "</Types>");
    return zip.bytes();
}

const std::string kWord = "application/vnd.openxmlformats-officedocument.wordprocessingml.";
const std::string kSheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.";

std::string paragraph(const std::string& runs) {
    return "<w:p>" + runs + "</w:p>";
}
std::string run(const std::string& text) {
    return "<w:r><w:rPr><w:b/></w:rPr><w:t>" + text + "</w:t></w:r>";
}
Bytes word(const std::string& body) {
    return package({{"word/document.xml", kWord + "document.main+xml",
                     "<w:document xmlns:w='w'><w:body>" + body + "</w:body></w:document>"}});
}
std::string shown(const std::string& cells, const std::string& formats = "") {
    return read(package({{"xl/worksheets/sheet1.xml", kSheet + "worksheet+xml",
                          "<worksheet><sheetData><row>" + cells + "</row></sheetData></worksheet>"},
                         {"xl/workbook.xml", kSheet + "sheet.main+xml", "<workbook/>"},
                         {"xl/styles.xml", kSheet + "styles+xml", "<styleSheet>" + formats + "</styleSheet>"}}))
        .text;
}

}  // namespace

TEST_CASE(
    "a word document gives text, header, footnote, comment with author, and tracked deletions in "
    "marks" KUSTOS_NEEDS_SANDBOX) {
    const auto got = read(package(
        {{"word/document.xml", kWord + "document.main+xml",
          "<w:document xmlns:w='w'><w:body>" +
              paragraph(run("Stra\xC3\x9F") + run("e &amp; Weg") +
                        "<w:del w:author='A'><w:r><w:delText> alt</w:delText></w:r></w:del>" +
                        "<w:ins><w:r><w:t> neu</w:t></w:r></w:ins>") +
              "</w:body></w:document>"},
         {"word/header1.xml", kWord + "header+xml", "<w:hdr xmlns:w='w'>" + paragraph(run("Kopf")) + "</w:hdr>"},
         {"word/footnotes.xml", kWord + "footnotes+xml", "<w:footnotes>" + paragraph(run("Note")) + "</w:footnotes>"},
         {"word/comments.xml", kWord + "comments+xml",
          "<w:comments><w:comment w:author='Petra'>" + paragraph(run("Bitte l\xC3\xB6schen")) +
              "</w:comment></w:comments>"}}));
    CHECK(got.completeness == Completeness::full);
    CHECK(got.text ==
          "Stra\xC3\x9F"
          "e & Weg[- alt-] neu\nKopf\nNote\nPetra: Bitte l\xC3\xB6schen");
}

TEST_CASE("the main part of a document is found by its type, wherever it is kept" KUSTOS_NEEDS_SANDBOX) {
    const auto got = read(package({{"verborgen/a.bin", kWord + "document.main+xml",
                                    "<w:document>" + paragraph(run("Inhalt")) + "</w:document>"}}));
    CHECK(got.text == "Inhalt");
}

TEST_CASE("a text box tears no sentence and its fallback is not read twice" KUSTOS_NEEDS_SANDBOX) {
    const std::string box = "<w:txbxContent>" + paragraph(run("Kasten")) + "</w:txbxContent>";
    const auto got =
        read(word(paragraph(run("vor ") + "<mc:AlternateContent><mc:Choice>" + box + "</mc:Choice><mc:Fallback>" + box +
                            "</mc:Fallback></mc:AlternateContent>" + run("nach"))));
    CHECK(got.text == "vor nach\nKasten");
}

TEST_CASE("an embedded object makes a document partial" KUSTOS_NEEDS_SANDBOX) {
    auto parts = std::vector<std::array<std::string, 3>>{
        {"word/document.xml", kWord + "document.main+xml", "<w:document>" + paragraph(run("x")) + "</w:document>"},
        {"word/embeddings/oleObject1.bin", "application/x", "object"}};
    CHECK(read(package(parts)).reason == "embedded-object");
}

TEST_CASE(
    "elements deeper than the limit and entity definitions end a document's part, not the "
    "reader" KUSTOS_NEEDS_SANDBOX) {
    std::string deep = paragraph(run("oben"));
    for (int i = 0; i < 2'000; ++i) deep += "<w:x>";
    const auto got = read(word(deep));
    CHECK(got.text == "oben");
    CHECK(got.reason == "depth-limit");
    const auto entity =
        read(package({{"word/document.xml", kWord + "document.main+xml",
                       "<!DOCTYPE a [<!ENTITY b 'bb'>]><w:document>" + paragraph(run("&b;")) + "</w:document>"}}));
    CHECK(entity.completeness == Completeness::opaque);
    CHECK(entity.reason == "document-type");
}

TEST_CASE("cells are shown as a German spreadsheet shows them" KUSTOS_NEEDS_SANDBOX) {
    const std::string formats =
        "<numFmts><numFmt numFmtId='164' formatCode='#,##0.00\\ &quot;\xE2\x82\xAC&quot;'/>"
        "<numFmt numFmtId='165' formatCode='dddd, d. mmmm yyyy'/><numFmt numFmtId='166' formatCode='000'/></numFmts>"
        "<cellXfs><xf numFmtId='0'/><xf numFmtId='14'/><xf numFmtId='10'/><xf numFmtId='164'/><xf numFmtId='165'/>"
        "<xf numFmtId='166'/><xf numFmtId='22'/><xf numFmtId='46'/></cellXfs>";
    const auto cell = [&](const std::string& value, int style) {
        return shown("<c s='" + std::to_string(style) + "'><v>" + value + "</v></c>", formats);
    };
    CHECK(cell("1234.5", 0) == "1234,5");
    CHECK(cell("45351", 1) == "29.02.2024");
    CHECK(cell("1", 1) == "01.01.1900");
    CHECK(cell("0.1234", 2) == "12,34%");
    CHECK(cell("-1234567.891", 3) == "-1.234.567,89 \xE2\x82\xAC");
    CHECK(cell("45351", 4) == "Donnerstag, 29. Februar 2024");
    CHECK(cell("7", 5) == "007");
    CHECK(cell("45351.75", 6) == "29.02.2024 18:00");
    CHECK(cell("1.5", 7) == "36:00:00");
    CHECK(cell("1e999", 1) == "1e999");
    CHECK(cell("-5", 1) == "-5");
    CHECK(shown("<c t='b'><v>1</v></c><c t='inlineStr'><is><t>Text</t></is></c><c t='str'><v>Summe</v></c>") ==
          "WAHR\tText\tSumme");
}

TEST_CASE(
    "an OpenDocument text gives annotations, deletions, spaces, and the footer of its master "
    "page" KUSTOS_NEEDS_SANDBOX) {
    test::ZipBuilder zip;
    zip.add("mimetype", "application/vnd.oasis.opendocument.text");
    zip.add("content.xml",
            "<office:document-content><office:body><office:text><text:tracked-changes><text:deletion>"
            "<text:p>gestrichen</text:p></text:deletion></text:tracked-changes><text:p>Die<text:s text:c='2'/>Akte"
            "<office:annotation><dc:creator>Petra</dc:creator><dc:date>2024</dc:date><text:p>pr\xC3\xBC"
            "fen</text:p>"
            "</office:annotation> liegt vor</text:p></office:text></office:body></office:document-content>");
    zip.add("styles.xml",
            "<office:document-styles><office:styles><text:p>unsichtbar</text:p></office:styles><office:master-styles>"
            "<style:footer><text:p>Fu\xC3\x9Fzeile</text:p></style:footer></office:master-styles></"
            "office:document-styles>");
    const auto got = read(zip.bytes());
    CHECK(got.completeness == Completeness::full);
    CHECK(got.text ==
          "[-gestrichen\n-]\nDie  Akte liegt vor\nPetra: pr\xC3\xBC"
          "fen\nFu\xC3\x9Fzeile");
}

TEST_CASE("a protected OpenDocument file is opaque" KUSTOS_NEEDS_SANDBOX) {
    test::ZipBuilder zip;
    zip.add("mimetype", "application/vnd.oasis.opendocument.text");
    zip.add("content.xml", "\x01\x02\x03");
    zip.add("META-INF/manifest.xml", "<manifest:encryption-data/>");
    CHECK(read(zip.bytes()).reason == "encrypted");
}

TEST_CASE(
    "rich text gives letters of its code pages and Unicode, and neither pictures nor field "
    "codes" KUSTOS_NEEDS_SANDBOX) {
    const auto got = read(as_bytes(
        "{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0\\fcharset0 Arial;}{\\f1\\fcharset238 Arial CE;}}"
        "{\\*\\generator x;}Gr\\'fc\\'dfe \\u8364?\\u-10179?\\u-8704? {\\f1 \\'b9}{\\pict\\wmetafile8 0102ab}"
        "{\\field{\\*\\fldinst HYPERLINK x}{\\fldrslt Link}}\\par a\\{b\\}{\\*\\unknown zu}{\\footnote Fu\\'df}c}"));
    CHECK(got.completeness == Completeness::full);
    CHECK(got.text ==
          "Gr\xC3\xBC\xC3\x9F"
          "e \xE2\x82\xAC\xF0\x9F\x98\x80 \xC4\x85Link\na{b}c\nFu\xC3\x9F");
}

TEST_CASE("HTML is read in its declared charset, without scripts and styles" KUSTOS_NEEDS_SANDBOX) {
    const auto got =
        read(as_bytes("<html><head><meta charset='iso-8859-1'><style>p{}</style><script>alert(1)</script>"
                      "</head><body><p>Gr\xFC\xDF"
                      "e&nbsp;&auml;</p></body></html>"));
    CHECK(got.completeness == Completeness::full);
    CHECK(got.text ==
          "Gr\xC3\xBC\xC3\x9F"
          "e\xC2\xA0\xC3\xA4");
}

TEST_CASE("an archive gives names and texts of its members, down to three archives" KUSTOS_NEEDS_SANDBOX) {
    test::ZipBuilder innermost;
    innermost.add("d.txt", "zu tief");
    Bytes inner = innermost.bytes();
    for (const char* name : {"c.zip", "b.zip", "a.zip"}) {
        test::ZipBuilder outer;
        outer.add("text.txt", std::string("in ") + name);
        outer.add(name, to_text(inner));
        inner = outer.bytes();
    }
    const auto got = read(inner);
    CHECK(got.text == "text.txt\nin a.zip\na.zip\ntext.txt\nin b.zip\nb.zip\ntext.txt\nin c.zip\nc.zip");
    CHECK(got.completeness == Completeness::partial);
    CHECK(got.reason == "depth-limit");
}

TEST_CASE("a mail in a mail gives its people, its HTML as text, and its attachments' text" KUSTOS_NEEDS_SANDBOX) {
    const auto got = test::extractor().text(
        as_bytes("Subject: Bescheid\r\nFrom: Petra <p@a.example>\r\nTo: Otto <o@a.example>\r\nMIME-Version: 1.0\r\n"
                 "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n"
                 "<p>Hallo</p>\r\n--x\r\nContent-Type: application/rtf; name=a.rtf\r\nContent-Disposition: attachment; "
                 "filename=a.rtf\r\n\r\n{\\rtf1 Anlage}\r\n--x--\r\n"),
        "", "message/rfc822");
    REQUIRE(got.ok());
    CHECK(got->completeness == Completeness::full);
    CHECK(got->text == "Bescheid\nPetra p@a.example\nOtto o@a.example\nHallo\na.rtf\nAnlage");
}

TEST_CASE("an archive of more members than the limit gives those below it" KUSTOS_NEEDS_SANDBOX) {
    test::ZipBuilder zip;
    for (int i = 0; i < 20'010; ++i) zip.add("m" + std::to_string(i), "x");
    const auto got = read(zip.bytes());
    CHECK(got.reason == "member-limit");
    CHECK(got.text.find("m19999\n") != std::string::npos);
    CHECK(got.text.find("m20001\n") == std::string::npos);
}

TEST_CASE("a workbook that names hundreds of thousands of sheets is read in bounded time" KUSTOS_NEEDS_SANDBOX) {
    std::string sheets = "<w>", relations = "<r>";
    std::vector<std::array<std::string, 3>> parts;
    for (int i = 0; i < 100'000; ++i) {
        const std::string n = std::to_string(i);
        sheets += "<sheet name='n" + n + "' r:id='r" + n + "'/>";
        relations += "<Relationship Id='r" + n + "' Target='q" + n + ".xml'/>";
    }
    for (int i = 0; i < 2'000; ++i)
        parts.push_back({"s" + std::to_string(i) + ".xml", kSheet + "worksheet+xml", "<c><v>1</v></c>"});
    parts.push_back({"w.xml", kSheet + "sheet.main+xml", sheets + "</w>"});
    parts.push_back({"workbook.xml.rels", "relations", relations + "</r>"});
    const auto got = read(package(parts));
    CHECK(got.completeness == Completeness::full);
    CHECK(got.text.rfind("n0\nn1\n", 0) == 0);
}
