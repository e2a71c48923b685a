#include "audit/pdf_sign.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "audit/cms_signature.h"
#include "audit/pdf_container.h"
#include "tests/audit/verify_sample.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;
using namespace kustos::test;

namespace {

bool has_program(const char* name) {
    return std::system((std::string("command -v ") + name + " >/dev/null 2>&1").c_str()) == 0;
}

std::string output_of(const TempDir& dir, const std::string& command) {
    RealFs fs;
    const int status = std::system(("cd '" + dir.path().string() + "' && " + command + " >out.txt 2>&1").c_str());
    const auto out = read_file(fs, dir / "out.txt", 1 << 20);
    return (status == 0 ? "" : "failed: ") + (out.ok() ? to_text(*out) : "");
}

struct Signed {
    TempDir dir;
    VerifySample sample{dir.path(), 31};
    Bytes pdf = sample.bundle();
};

}  // namespace

TEST_CASE("the unsigned file stays a prefix, and the signature covers the rest") {
    Signed s;
    const Bytes before = small_pdf(s.sample.zip(s.sample.content()));
    REQUIRE(s.pdf.size() > before.size());
    CHECK(equal(ByteView(s.pdf).first(before.size()), before));
    const auto signature = find_signature(s.pdf);
    REQUIRE(signature.ok());
    CHECK(signature->gap_begin > before.size());
    const auto cms = verify_cms(signature->der, signed_digest(s.pdf, *signature));
    REQUIRE(cms.ok());
    CHECK(cms->certificate == s.sample.signer().evidence_certificate());
}

TEST_CASE("pdfsig finds the signature valid over the whole document, qpdf finds nothing wrong") {
    Signed s;
    RealFs fs;
    REQUIRE(replace_file(fs, s.dir / "b.pdf", s.pdf).ok());
    if (has_program("pdfsig")) {
        const std::string report = output_of(s.dir, "pdfsig -nocert b.pdf");
        INFO(report);
        CHECK(report.find("Signature is Valid") != report.npos);
        CHECK(report.find("Total document signed") != report.npos);
        CHECK(report.find("ETSI.CAdES.detached") != report.npos);
        Bytes changed = s.pdf;
        changed[60] ^= 1;
        REQUIRE(replace_file(fs, s.dir / "b.pdf", changed).ok());
        CHECK(output_of(s.dir, "pdfsig -nocert b.pdf").find("Signature is Valid") == std::string::npos);
        REQUIRE(replace_file(fs, s.dir / "b.pdf", s.pdf).ok());
    } else {
        MESSAGE("skipped: pdfsig is absent");
    }
    if (has_program("qpdf")) {
        const std::string report = output_of(s.dir, "qpdf --check b.pdf");
        INFO(report);
        CHECK(report.rfind("failed", 0) != 0);
        CHECK(report.find("WARNING") == report.npos);
        const std::string list = output_of(s.dir, "qpdf --list-attachments b.pdf");
        CHECK(list.find("evidence.zip") != list.npos);
    } else {
        MESSAGE("skipped: qpdf is absent");
    }
}

TEST_CASE("a page's annotations stay, the signature's widget joins them") {
    std::string text = to_text(small_pdf(as_bytes("zip")));
    text.replace(text.find("/Parent 2 0 R"), 13, "/Parent 2 0 R /Annots [ 9 0 R ]");
    const auto made = append_signature(to_bytes(text), [](const Hash&) -> Result<Bytes> { return Bytes{0x30, 0x00}; });
    REQUIRE(made.ok());
    CHECK(to_text(*made).find("/Annots [ 9 0 R 7 0 R ]") != std::string::npos);
}

TEST_CASE("files that can't be signed this way are refused, a failing signer too") {
    const auto sign = [](Bytes pdf) {
        return append_signature(std::move(pdf), [](const Hash&) -> Result<Bytes> { return Bytes{0x30, 0x00}; });
    };
    const std::string good = to_text(small_pdf(as_bytes("zip")));
    CHECK(sign(to_bytes(good)).ok());
    const auto without = [&](const std::string& what, const std::string& by) {
        std::string text = good;
        const std::size_t at = text.find(what);
        REQUIRE(at != text.npos);
        return to_bytes(text.replace(at, what.size(), by));
    };
    CHECK(!sign({}).ok());
    CHECK(!sign(to_bytes("%PDF-1.7\n")).ok());
    CHECK(!sign(without("/Root 1 0 R", "/Root 9 0 R")).ok());
    CHECK(!sign(without("/Pages 2 0 R", "/Pages 9 0 R")).ok());
    CHECK(!sign(without("/Pages 2 0 R", "/AcroForm << >> /Pages 2 0 R")).ok());
    CHECK(!sign(without("/Kids [ 3 0 R ]", "/Kids [ 2 0 R ]")).ok());
    CHECK(!append_signature(to_bytes(good), [](const Hash&) -> Result<Bytes> {
               return Error(Code::closed, "closed");
           }).ok());
    CHECK(!append_signature(to_bytes(good), [](const Hash&) -> Result<Bytes> { return Bytes(9'000, 1); }).ok());
}
