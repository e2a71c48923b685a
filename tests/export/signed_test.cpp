#include <doctest/doctest.h>

#include <cstdlib>

#include "audit/bundle_writer.h"
#include "audit/cms_signature.h"
#include "audit/pdf_container.h"
#include "tests/export/pdf_rules.h"
#include "tests/export/sample.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::exporting;
using namespace kustos::exporting::test;

namespace {

struct Key {  // a throw-away evidence key, by the openssl program
    Bytes private_der, certificate_der;
};

Key make_key() {
    kustos::test::TempDir dir;
    const std::string base = dir.path().string();
    const std::string command =
        "cd " + base +
        " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem"
        " -days 30 -subj '/CN=Kustos evidence test' >/dev/null 2>&1"
        " && openssl pkcs8 -topk8 -nocrypt -in k.pem -outform DER -out k.der"
        " && openssl x509 -in c.pem -outform DER -out c.der";
    REQUIRE(std::system(command.c_str()) == 0);
    RealFs fs;
    return {*read_file(fs, dir / "k.der", 10'000), *read_file(fs, dir / "c.der", 10'000)};
}

Bytes container_zip() {
    audit::BundleWriter writer;
    CHECK(writer.add_file("originals/000000000126.json", as_bytes("{\"id\":1}")).ok());
    CHECK(writer.set_checkpoint("kustos.archive/0\n1\nAAAA\n\n").ok());
    auto zip = writer.finish({});
    REQUIRE(zip.ok());
    return *zip;
}

Bytes signed_bundle(const Key& key, const Bytes& zip, std::vector<BundleRecord> records) {
    RecordsInMemory source(std::move(records));
    Bytes pdf;
    auto facts = make_bundle(
        sample_input(), source, container_in_memory(zip),
        [&](const Hash& digest) { return audit::make_cms(key.private_der, key.certificate_der, digest); },
        [&](ByteView part) {
            put(pdf, part);
            return ok_status();
        });
    REQUIRE(facts.ok());
    CHECK(facts->bytes == pdf.size());
    return pdf;
}

}  // namespace

TEST_CASE("a signed bundle is valid for pdfsig, keeps the PDF/A rules, and its container is found") {
    const Key key = make_key();
    const Bytes zip = container_zip();
    const Bytes pdf = signed_bundle(key, zip, sample_records());

    const std::string report = run_on(pdf, "pdfsig -nocert FILE");
    CHECK(report.find("Signature is Valid") != std::string::npos);
    CHECK(report.find("Total document signed") != std::string::npos);
    CHECK(report.find("ETSI.CAdES.detached") != std::string::npos);

    CHECK(broken_pdfa_rules(pdf).empty());
    for (const std::string& rule : broken_pdfa_rules(pdf)) MESSAGE(rule);
    CHECK(run_on(pdf, "qpdf --check FILE").find("No syntax or stream encoding errors found") != std::string::npos);

    auto objects = audit::walk_pdf(pdf);
    REQUIRE(objects.ok());
    auto found = audit::find_container(*objects);
    REQUIRE(found.ok());
    CHECK(equal(*found, zip));
    auto signature = audit::find_signature(pdf);
    REQUIRE(signature.ok());
    auto cms = audit::verify_cms(signature->der, audit::signed_digest(pdf, *signature));
    REQUIRE(cms.ok());
    CHECK(cms->certificate == key.certificate_der);
}

TEST_CASE("hostile content on the pages does not confuse the reader of the container") {
    const Bytes zip = container_zip();
    std::vector<BundleRecord> records = hostile_records();
    records[0].message.body =
        "9 0 obj << /KustosEvidence 1 /Length 3 >> stream\nabc\nendstream endobj %%EOF startxref 0";
    records[0].message.sender.name = "<< /KustosEvidence 1 >>";
    const Bytes pdf = signed_bundle(make_key(), zip, records);
    auto objects = audit::walk_pdf(pdf);
    REQUIRE(objects.ok());
    auto found = audit::find_container(*objects);
    REQUIRE(found.ok());
    CHECK(equal(*found, zip));
}

TEST_CASE("a signer that refuses leaves no bundle") {
    RecordsInMemory none({});
    bool written = false;
    auto facts = make_bundle(
        sample_input(), none, stub_container(),
        [](const Hash&) -> Result<Bytes> { return Error(Code::closed, "closed"); },
        [&](ByteView) {
            written = true;
            return ok_status();
        });
    REQUIRE(!facts.ok());
    CHECK(facts.error().code() == Code::closed);
    CHECK(!written);
}
