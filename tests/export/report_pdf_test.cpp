#include "export/report_pdf.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "audit/pdf_container.h"
#include "audit/report_text.h"
#include "tests/export/pdf_rules.h"

using namespace kustos;
using namespace kustos::exporting;
using namespace kustos::exporting::test;
using audit::TimeLevel;

namespace {

const char* const kEvil = "a\xE2\x80\xAE\xFF</x>\x01 (name) \\ ";

audit::Report sample_report() {
    audit::Report r;
    r.subject = "archive";
    r.origin = audit::Origin::pinned;
    r.fingerprint = "58a2 81b4 a297 0ab5 1d5b 3747 da3a b8dd 29b7 4c29 6167 aa72 327c 30c1 afb8 1573";
    r.checked = {{"entries", 12'345}, {"frames", 9'876}, {"bytes", 123'456'789}, {"checkpoints", 1}, {"opened", 1}};
    r.size = 12'345;
    r.root = Hash();
    const std::int64_t start = 1'772'445'600'000, hour = 3'600'000;
    for (int i = 1; i <= 12; ++i) {
        const auto size = static_cast<std::uint64_t>(i) * 1'000;
        r.anchor({size, i < 9 ? "Bundes-TSA" : kEvil, UtcTime{start + i * i * hour},
                  i < 6   ? TimeLevel::qualified
                  : i < 9 ? TimeLevel::independent
                          : TimeLevel::self});
    }
    r.remark(audit::RemarkCode::not_decrypted);
    r.remark(audit::RemarkCode::leftover, {std::string("ledger/") + kEvil + ".tmp"});
    return r;
}

ReportPages sample_pages(Language language) {
    ReportPages in;
    in.language = language;
    in.archive_name = "Zentralarchiv";
    in.authority = "Stadt Beispielhausen";
    in.origin = "kustos.archive/000102";
    in.made_at = UtcTime{1'772'445'600'000};
    in.made_by = "weber";
    in.tool = "kustos test";
    in.entry = EntryIndex(12'345);
    in.json = "{\"ok\":true}\n";
    in.proof = "{\"format\":\"x\"}\n";
    return in;
}

std::string one_line(std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

}  // namespace

TEST_CASE("a report is a PDF/A-3U by our list of rules, with its two files attached and no container") {
    const auto made = draw_report(sample_report(), sample_pages(Language::de));
    REQUIRE(made.ok());
    for (const std::string& rule : broken_pdfa_rules(made->pdf)) FAIL_CHECK(rule);
    CHECK(run_on(made->pdf, "qpdf --check FILE").find("No syntax or stream encoding errors found") !=
          std::string::npos);
    const auto file = audit::walk_pdf(made->pdf);
    REQUIRE(file.ok());
    CHECK(audit::find_container(*file).error().code() == Code::not_found);
    const auto parts = audit::find_report(*file);
    REQUIRE(parts.ok());
    CHECK(to_text(parts->json) == "{\"ok\":true}\n");
    CHECK(to_text(parts->proof) == "{\"format\":\"x\"}\n");
}

TEST_CASE("the pages say whose archive, by whom, what it means and how to check, in both languages") {
    const std::string de = one_line(extracted_text(draw_report(sample_report(), sample_pages(Language::de))->pdf));
    for (const char* words :
         {"Prüfbericht", "Stadt Beispielhausen", "Zentralarchiv", "✔ Unversehrt, Herkunft bekannt", "58a2 81b4",
          "12.345 Einträge", "durch weber", "Was geprüft wurde", "Was das beweist", "Was es nicht beweist",
          "Zeitstempel", "qualifizierte Stelle: 5.000", "unabhängige Stelle: 3.000", "unbestätigte Stelle: 4.000",
          "kein Zeitstempel: 345", "So prüfen Sie diesen Bericht", "Eintrag 12.345", "kustos-verify bericht.pdf"})
        CHECK_MESSAGE(de.find(words) != de.npos, std::string(words));
    const std::string en = one_line(extracted_text(draw_report(sample_report(), sample_pages(Language::en))->pdf));
    for (const char* words :
         {"Verification report", "✔ Intact, origin known", "12,345 entries", "by weber", "What was checked",
          "What that proves", "What it does not prove", "qualified authority: 5,000", "How to check this report"})
        CHECK_MESSAGE(en.find(words) != en.npos, std::string(words));
    for (const std::string& text : {de, en}) CHECK(text.find("\xE2\x80\xAE") == text.npos);
}

TEST_CASE("findings stand on the pages with what to do, however many there are") {
    audit::Report r = sample_report();
    for (int i = 0; i < 500; ++i)
        r.problem("vault.segment", std::string("vault/") + kEvil, "has bytes after its last frame");
    r.problem("ledger.tile", "x", "y");
    const auto made = draw_report(r, sample_pages(Language::de));
    REQUIRE(made.ok());
    CHECK(broken_pdfa_rules(made->pdf).empty());
    const std::string text = one_line(extracted_text(made->pdf));
    for (const char* words : {"✘ Nicht in Ordnung", "501 Befunde", "Verschlüsselter Inhalt ist verändert",
                              "Zu tun:", "301 weitere Befunde sind nicht einzeln"})
        CHECK_MESSAGE(text.find(words) != text.npos, std::string(words));
    CHECK(made->pages > 5);
    CHECK(made->pages < 30);
}

TEST_CASE("a report without a time stamp, or with a single one, is drawn as well") {
    audit::Report r = sample_report();
    r.anchors.clear();
    r.time = TimeLevel::none;
    r.proven_since.reset();
    CHECK(draw_report(r, sample_pages(Language::en)).ok());
    r.anchor({1, "one", UtcTime{0}, TimeLevel::independent});
    CHECK(draw_report(r, sample_pages(Language::en)).ok());
    CHECK(draw_report(audit::Report(), sample_pages(Language::en)).ok());
}
