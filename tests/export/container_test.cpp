#include <doctest/doctest.h>

#include <cstdlib>

#include "base/crypto.h"
#include "tests/export/pdf_rules.h"
#include "tests/export/sample.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::exporting;
using namespace kustos::exporting::test;

namespace {

Bytes contents(const EvidenceContainer& container) {
    Bytes out;
    CHECK(container
              .write([&](ByteView part) {
                  put(out, part);
                  return ok_status();
              })
              .ok());
    return out;
}

}  // namespace

TEST_CASE("the container stands in the file as it is, once, with a direct length and the marker key") {
    const EvidenceContainer container = stub_container();
    const Bytes pdf = make(sample_input(), sample_records(), container).pdf;
    const std::string_view text = as_text(pdf);
    const Bytes zip = contents(container);
    const std::size_t at = text.find(as_text(zip));
    REQUIRE(at != std::string_view::npos);
    const std::size_t object = text.rfind(" obj", at);
    const std::string_view dict = text.substr(object, at - object);
    CHECK(dict.find("/KustosEvidence 1") != std::string_view::npos);
    CHECK(dict.find("/Length " + std::to_string(zip.size()) + " ") != std::string_view::npos);
    CHECK(dict.find("/Filter") == std::string_view::npos);
    CHECK(dict.substr(dict.size() - 8) == "\nstream\n");
    CHECK(text.substr(at + zip.size(), 10) == "\nendstream");
    CHECK(text.find("/KustosEvidence") == text.rfind("/KustosEvidence"));
}

TEST_CASE("pdfdetach lists the files and gives the container back byte for byte") {
    kustos::test::TempDir dir;
    BundleInput in = sample_input();
    in.people_attachments = {{"Übersicht.csv", "text/csv", to_bytes("a;b\n1;2\n"), "Übersicht"},
                             {"../../böse\u202Egpj.exe", "nonsense (", to_bytes("x"), ""},
                             {"Übersicht.csv", "text/csv", to_bytes("zweite"), ""},
                             {"evidence.zip", "application/zip", to_bytes("falsch"), ""}};
    const EvidenceContainer container = stub_container();
    const Bytes pdf = make(in, sample_records(), container).pdf;
    CHECK(broken_pdfa_rules(pdf).empty());
    const std::string list = run_on(pdf, "pdfdetach -list FILE");
    CHECK(list.find("5 embedded files") != std::string::npos);
    CHECK(list.find("Übersicht.csv") != std::string::npos);
    CHECK(list.find("Übersicht (2).csv") != std::string::npos);
    CHECK(list.find("evidence (2).zip") != std::string::npos);
    CHECK(list.find("..") != std::string::npos);  // dots are harmless without a slash
    CHECK(list.find('/') == std::string::npos);
    run_on(pdf, "pdfdetach -saveall -o " + dir.path().string() + " FILE");
    RealFs fs;
    const auto zip = read_file(fs, dir / "evidence.zip", 1'000'000);
    REQUIRE(zip.ok());
    CHECK(*zip == contents(container));
}

TEST_CASE("a container of any size keeps the cross-reference table right") {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{93}, std::size_t{94}, std::size_t{95},
                                   std::size_t{1000}, std::size_t{3'000'000}}) {
        CAPTURE(size);
        const Bytes pdf = make(sample_input(), {}, container_in_memory(Bytes(size, 'z'))).pdf;
        CHECK(broken_pdfa_rules(pdf).empty());
    }
}

TEST_CASE("a container that changes while it is written is noticed") {
    RecordsInMemory none({});
    const ByteSink nowhere = [](ByteView) { return ok_status(); };
    EvidenceContainer container = container_in_memory(to_bytes("PK one"));
    container.write = [](const ByteSink& out) { return out(as_bytes("PK two")); };
    auto result = write_pdf(sample_input(), none, container, nowhere);
    REQUIRE(!result.ok());
    CHECK(result.error().code() == Code::corrupt);
}
