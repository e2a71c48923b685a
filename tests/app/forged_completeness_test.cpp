// A certificate of completeness that the archive itself forges: named by its ledger, signed with its key, and wrong.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "app/house.h"
#include "audit/pdf_container.h"
#include "audit/pdf_sign.h"
#include "audit/tlog_proof.h"
#include "audit/verify_report.h"
#include "base/crypto.h"
#include "export/certificate_pdf.h"
#include "tests/support/temp_dir.h"
#include "vault/retention.h"
#include "vault/retention_dates.h"

using namespace kustos;
using namespace kustos::app;
using nlohmann::json;

namespace {

struct World {
    RealFs fs;
    SystemClock clock;
    SystemRandom random;
    test::TempDir dir;
    std::unique_ptr<House> house;
    SourceId source;

    World() {
        vault::CreateOptions create;
        create.with_builtin_authority = true;
        REQUIRE(vault::Archive::create({fs, clock, random}, dir / "a", dir / "s", std::move(create)).ok());
        REQUIRE(replace_file(fs, dir / "a" / "config.yaml", as_bytes(config_template({"builtin"}))).ok());
        HouseOptions options;
        options.archive = dir / "a";
        options.state = dir / "s";
        options.actor = "tester";
        house = House::open({fs, clock, random}, std::move(options)).value();
        source = house->archive().add_source("live", "http", vault::kDefaultClass).value().id;
        REQUIRE(house->heartbeat("live", 3).ok());  // none has arrived
    }
    std::string today() { return vault::format_date(vault::german_date(clock.now())); }

    Bytes certified() {
        ReportRequest request;
        request.files = {dir / "c.pdf"};
        const auto made = house->certify_completeness({"live", today(), today()}, request);
        if (!made.ok()) FAIL(made.error().message());
        CHECK(made->found.verdict == "gaps");
        return read_file(fs, dir / "c.pdf", 64u << 20).value();
    }

    audit::TlogProof proof_of(EntryIndex entry, const std::string& note, TreeSize size) {
        audit::TlogProof proof;
        proof.index = entry;
        proof.note = note;
        proof.proof = house->archive().ledger().proof(entry, size).value();
        return proof;
    }

    // The same certificate with other words in it, as who has the archive's keys can make it.
    Bytes forge(const audit::ReportParts& genuine, const json& content) {
        vault::Archive& archive = house->archive();
        exporting::CertificatePages pages;
        pages.title = "x";
        pages.verdict = "x";
        pages.frame.json = content.dump() + "\n";
        const auto named = archive.record_control(audit::ControlAction::completeness_certified, [&](audit::Body& body) {
            body.put_u64(audit::Tag::entry, source.value)
                .put_hash(audit::Tag::related_hash, sha256(as_bytes(pages.frame.json)))
                .put_u32(audit::Tag::day, vault::date_number(vault::german_date(clock.now())))
                .put_time(audit::Tag::until, parse_rfc3339(content.at("end").get<std::string>()).value());
        });
        REQUIRE(named.ok());
        const TreeSize size = archive.publish().value();
        audit::ReportProof proof = audit::ReportProof::parse(genuine.proof).value();
        const Bytes entry = archive.ledger().entry_bytes(named->index).value();
        proof.report = {entry, proof_of(named->index, archive.published_note(size).value(), size).format()};
        pages.frame.proof = proof.to_json();
        const std::string note = archive.signer().note().value();
        const TreeSize head = audit::open_checkpoint(as_bytes(note), archive.signer().verifier()).value().size;
        const audit::SigningGround ground{entry, proof_of(named->index, note, head).format()};
        return audit::append_signature(exporting::draw_certificate(pages).value().pdf,
                                       [&](const Hash& digest) { return archive.signer().sign_cms(digest, ground); })
            .value();
    }
};

}  // namespace

TEST_CASE("numbers that the ledger's entries do not give are found, though the archive named and signed them") {
    World w;
    const Bytes pdf = w.certified();
    const auto genuine = audit::verify_report(pdf, std::nullopt);
    REQUIRE(genuine.has_value());
    CHECK(genuine->ok);
    CHECK(genuine->reported == "completeness:gaps");
    const audit::PdfFile file = audit::walk_pdf(pdf).value();
    const audit::ReportParts parts = audit::find_report(file).value();
    const json content = json::parse(as_text(parts.json));
    CHECK(content.at("promises").at("missing") == 3);

    const auto judged = [&](const std::function<void(json&)>& change) {
        json changed = content;
        change(changed);
        const Bytes forged = w.forge(parts, changed);
        const auto report = audit::verify_report(forged, std::nullopt);
        REQUIRE(report.has_value());
        return report->ok ? report->reported : report->problems.front().code + ": " + report->problems.front().text;
    };
    CHECK(judged([](json&) {}) == "completeness:gaps");  // the forger's way itself is right
    const std::string found = "report.proof: the ledger's entries do not say what this certificate says";
    CHECK(judged([](json& j) { j["verdict"] = "complete"; }) == found);
    CHECK(judged([](json& j) { j["promises"]["missing"] = 0; }) == found);
    CHECK(judged([](json& j) { j["records"] = 3; }) == found);
    CHECK(judged([](json& j) { j["findings"]["open"] = 0; }) == found);
    CHECK(judged([](json& j) { j["left_out"]["room"] = 3; }) == found);
    CHECK(judged([](json& j) { j.erase("heartbeats"); }) == found);
    CHECK(judged([](json& j) { j["entries"].erase(j["entries"].size() - 1); }) == found);
    CHECK(judged([](json& j) { j["entries"].push_back(j["entries"].back()); }) == found);
    CHECK(judged([](json& j) { j["from"] = "2020-01-01"; }) == "report.proof: the entry does not name this report");
    CHECK(judged([](json& j) { j["source_entry"] = 1; }) == "report.proof: the entry does not name this report");
    CHECK(judged([](json& j) { j["begin"] = "2020-01-01T00:00:00Z"; }) ==
          "report.proof: the entry does not name this report");
}
