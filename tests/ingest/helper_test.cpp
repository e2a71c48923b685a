// Pictures, scans and old Office documents, by the real programs. Who has none of them is told which tests did not run.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "base/sanitized.h"
#include "ingest/src/extract_wire.h"
#include "ingest/src/sandboxed.h"
#include "tests/ingest/collect.h"
#include "tests/ingest/zip_builder.h"
#include "tests/support/shared.h"

using namespace kustos;
using namespace kustos::ingest;

namespace {

bool is_there(const char* program) {
    if (::access(program, X_OK) == 0) return true;
    MESSAGE("skipped: " << program << " is not installed (./run test installs it)");
    return false;
}

Bytes sample(const char* name) {
    RealFs fs;
    return read_file(fs, test::source_dir() / "tests/data/ingest/attachments" / name, 16u << 20).value();
}

ExtractedText read(Extractor& extractor, ByteView bytes, std::string_view name) {
    auto answer = extractor.text(bytes, name, "application/octet-stream");
    REQUIRE(answer.ok());
    return *answer;
}

bool has(const ExtractedText& got, std::string_view text) {
    return got.text.find(text) != std::string::npos;
}

// A PDF whose pages are each one grey picture, or text, or nothing.
struct PdfPage {
    std::string content, image;  // image: raw grey bytes
    int width = 0, height = 0;
};
std::string pdf_of(const std::vector<PdfPage>& pages) {
    std::string kids, objects;
    int number = 3;
    for (const PdfPage& page : pages) {
        kids += std::to_string(number) + " 0 R ";
        const std::string at = std::to_string(number + 1) + " 0 R", image = std::to_string(number + 2) + " 0 R";
        objects += std::to_string(number) + " 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents " + at +
                   "/Resources<</XObject<</I " + image +
                   ">>/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n";
        objects += std::to_string(number + 1) + " 0 obj<</Length " + std::to_string(page.content.size()) +
                   ">>stream\n" + page.content + "\nendstream endobj\n";
        objects += std::to_string(number + 2) + " 0 obj<</Type/XObject/Subtype/Image/Width " +
                   std::to_string(page.width) + "/Height " + std::to_string(page.height) +
                   "/ColorSpace/DeviceGray/BitsPerComponent 8/Length " + std::to_string(page.image.size()) +
                   ">>stream\n" + page.image + "\nendstream endobj\n";
        number += 3;
    }
    return "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[" + kids + "]/Count " +
           std::to_string(pages.size()) + ">>endobj\n" + objects + "trailer<</Root 1 0 R>>\n";
}

// The pixels of a binary PGM.
PdfPage scan_of(ByteView pgm) {
    PdfPage page;
    const std::string text = to_text(pgm);
    REQUIRE(std::sscanf(text.c_str(), "P5\n%d %d\n255", &page.width, &page.height) == 2);
    page.image =
        text.substr(text.size() - static_cast<std::size_t>(page.width) * static_cast<std::size_t>(page.height));
    page.content = "q 500 0 0 " + std::to_string(500 * page.height / page.width) + " 40 400 cm /I Do Q";
    return page;
}

}  // namespace

TEST_CASE("pictures of every kind are read by OCR in German, and are marked as read by machine" KUSTOS_NEEDS_SANDBOX) {
    if (!is_there("/usr/bin/tesseract")) return;
    for (const char* name : {"brief.png", "brief.jpg", "brief.gif", "brief.bmp", "brief.webp", "brief.tif"}) {
        CAPTURE(name);
        const auto got = read(test::extractor(), sample(name), name);
        CHECK(has(got, "Stra\xC3\x9F\x65nverkehrsamt"));
        CHECK(has(got, "K\xC3\xB6ln"));
        CHECK(got.completeness == Completeness::partial);
        CHECK(got.reason == "ocr");
        CHECK(got.remarks == std::vector<std::string>{"ocr"});
    }
    const auto pages = read(test::extractor(), sample("fax.tif"), "fax.tif");
    CHECK(has(pages, "erste Seite"));
    CHECK(has(pages, "zweite Seite"));
}

TEST_CASE("scanned pages of a PDF are read, blank ones are nothing, and text beside them stays" KUSTOS_NEEDS_SANDBOX) {
    if (!is_there("/usr/bin/tesseract")) return;
    const PdfPage scan = scan_of(sample("brief.pgm"));
    PdfPage text, blank;
    text.content = "BT /F 12 Tf 60 700 Td (Deckblatt) Tj ET";
    const auto got = read(test::extractor(), as_bytes(pdf_of({text, scan, blank})), "a.pdf");
    CHECK(has(got, "Deckblatt"));
    CHECK(has(got, "Stra\xC3\x9F\x65nverkehrsamt"));
    CHECK(got.reason == "ocr");
    // Each page ends in a form feed; what was read last stands behind a vertical tab, from where pages count anew.
    CHECK(got.text.rfind("Deckblatt\n\f\v\f", 0) == 0);
    CHECK(got.text.find_first_of("\f\v", 13) == std::string::npos);
    const auto empty = read(test::extractor(), as_bytes(pdf_of({text, blank})), "a.pdf");
    CHECK(empty.text == "Deckblatt\n\f");
    PdfPage last;
    last.content = "BT /F 12 Tf 60 700 Td (Schluss) Tj ET";
    CHECK(read(test::extractor(), as_bytes(pdf_of({text, blank, last})), "a.pdf").text == "Deckblatt\n\f\fSchluss\n\f");
    CHECK(empty.completeness == Completeness::full);
    // In an archive, too.
    test::ZipBuilder zip;
    zip.add("scan.pdf", pdf_of({scan}));
    zip.add("brief.png", to_text(sample("brief.png")));
    const auto packed = read(test::extractor(), zip.bytes(), "a.zip");
    CHECK(packed.text.find("verkehrsamt") != packed.text.rfind("verkehrsamt"));
    CHECK(packed.remarks == std::vector<std::string>{"ocr"});
}

TEST_CASE("OCR can be off, absent, postponed or used up, and each is said" KUSTOS_NEEDS_SANDBOX) {
    const Bytes picture = sample("brief.png");
    const auto reason = [&](const std::function<void(ExtractorOptions&)>& change, bool later = false) {
        ExtractorOptions options;
        change(options);
        auto extractor = Extractor::create(options).value();
        extractor->postpone_ocr(later);
        const auto got = read(*extractor, picture, "brief.png");
        CHECK(got.completeness == Completeness::opaque);
        CHECK(got.kind == "png");
        return got.reason;
    };
    CHECK(reason([](ExtractorOptions& o) { o.helpers.ocr = false; }) == "ocr-off");
    CHECK(reason([](ExtractorOptions& o) { o.helpers.tesseract = "/nonexistent"; }) == "no-ocr");
    if (!is_there("/usr/bin/tesseract")) return;
    CHECK(reason([](ExtractorOptions& o) { o.helpers.languages = {"xyz"}; }) == "no-ocr");
    CHECK(reason([](ExtractorOptions&) {}, true) == "ocr-later");
    CHECK(reason([](ExtractorOptions& o) { o.helpers.pictures = 0; }) == "page-limit");
    CHECK(reason([](ExtractorOptions& o) { o.helpers.timeout_ms = 1; }) == "time-out");
    CHECK(reason([](ExtractorOptions& o) { o.helpers.item_ms = 0; }) == "time-limit");
#ifndef KUSTOS_SANITIZED  // then no limit of address space is set
    CHECK(reason([](ExtractorOptions& o) { o.helpers.memory_bytes = 8u << 20; }) == "damaged");
#endif
}

TEST_CASE("a picture that unpacks to more pixels than the limit is refused unread, a spacer too" KUSTOS_NEEDS_SANDBOX) {
    Bytes bomb = sample("brief.png");
    store_u32(bomb.data() + 16, 60'000);
    store_u32(bomb.data() + 20, 60'000);
    CHECK(read(test::extractor(), bomb, "a.png").reason == "picture-limit");
    store_u32(bomb.data() + 16, 8);
    CHECK(read(test::extractor(), bomb, "a.png").reason == "picture-small");
    store_u32(bomb.data() + 16, 0xFFFF'FFFFu);
    store_u32(bomb.data() + 20, 0xFFFF'FFFFu);
    CHECK(read(test::extractor(), bomb, "a.png").reason == "picture-limit");
}

TEST_CASE("old Word, Excel and PowerPoint files are read by catdoc and its kin" KUSTOS_NEEDS_SANDBOX) {
    if (!is_there("/usr/bin/catdoc") || !is_there("/usr/bin/xls2csv") || !is_there("/usr/bin/catppt")) return;
    const auto sheet = read(test::extractor(), sample("haushalt.xls"), "haushalt.xls");
    CHECK(sheet.kind == "xls");
    CHECK(sheet.completeness == Completeness::full);
    CHECK(has(sheet, "Stra\xC3\x9F\x65"));
    CHECK(has(sheet, "Gr\xC3\xBC\xC3\x9F\x65 aus K\xC3\xB6ln"));
    CHECK(has(sheet, "K\xC3\xBChlschrank"));  // on the second sheet
    const auto slides = read(test::extractor(), sample("vortrag.ppt"), "vortrag.ppt");
    CHECK(slides.kind == "ppt");
    CHECK(has(slides, "Stra\xC3\x9F\x65nbau"));
    // An old document that is damaged is said to be, and nothing hangs.
    Bytes cut = sample("haushalt.xls");
    std::fill(cut.begin() + 1024, cut.end(), std::uint8_t{0xFF});
    const auto broken = read(test::extractor(), cut, "haushalt.xls");
    CHECK(broken.reason != "crashed");
    CHECK(broken.completeness != Completeness::full);
    ExtractorOptions options;
    options.helpers.xls2csv = "/nonexistent";
    auto without = Extractor::create(options).value();
    CHECK(read(*without, sample("haushalt.xls"), "a.xls").reason == "no-reader");
    const auto shared = test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    RealFs fs;
    const Bytes word = read_file(fs, *shared / "corpora/attachments/tika/testWORD.doc", 16u << 20).value();
    const auto got = read(test::extractor(), word, "testWORD.doc");
    CHECK(got.kind == "doc");
    CHECK(has(got, "Sample Word Document Title"));
    options.helpers.catdoc = "/usr/bin/false";  // then antiword's turn
    if (!is_there("/usr/bin/antiword")) return;
    auto second = Extractor::create(options).value();
    CHECK(has(read(*second, word, "testWORD.doc"), "Sample Word Document Title"));
}

TEST_CASE(
    "a program behind the walls opens no socket, starts no other, writes no file and sees nothing of the "
    "machine" KUSTOS_NEEDS_SANDBOX) {
    if (!is_there("/usr/bin/perl")) return;
    ExtractorOptions options;
    options.program = default_extractor_program();
    // perl in the place of tesseract, with a script on standard input; what it could do is its exit code.
    const auto run = [&](const std::string& code) {
        std::string command;
        for (const std::string& word : sandboxed(options, {"run", "1000000000", "10", "/usr/bin/perl"}))
            command += "'" + word + "' ";
        const int status = std::system(("echo '" + code + "' | " + command + ">/dev/null 2>&1").c_str());
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    };
    CHECK(run("exit 7") == 7);  // it runs at all
    CHECK(run("exit(socket(S, 2, 1, 0) ? 1 : 20)") == 20);
    CHECK(run("exit(socket(S, 1, 1, 0) ? 1 : 20)") == 20);
    CHECK(run("my $p = fork(); exit(defined($p) ? 1 : 20)") == 20);
    CHECK(run("exec(\"/usr/bin/true\"); exit 20") == 20);
    CHECK(run("exit(open(F, \">\", \"/x\") ? 1 : 20)") == 20);
    CHECK(run("exit(open(F, \">>\", \"/kustos-extract\") ? 1 : 20)") == 20);
    CHECK(run("exit(open(F, \"<\", \"/usr/bin/perl\") ? 20 : 1)") == 20);
    CHECK(run("exit((-e \"/etc/passwd\" || -e \"/home\" || -e \"/dev/null\") ? 1 : 20)") == 20);
    CHECK(run("exit(kill(0, 1) ? 1 : 20)") == 20);
    // And nothing runs where the walls are not there.
    const std::string program = options.program;
    CHECK(WEXITSTATUS(std::system(
              (program + " run 1000000000 10 /usr/bin/perl -e 'exit 7' >/dev/null 2>&1").c_str())) == wire::kNoWalls);
}
