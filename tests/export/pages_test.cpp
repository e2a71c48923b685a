#include <doctest/doctest.h>

#include <algorithm>

#include "tests/export/pdf_rules.h"
#include "tests/export/sample.h"

using namespace kustos;
using namespace kustos::exporting;
using namespace kustos::exporting::test;

namespace {

// Lines may break at any blank, so a line end counts as one unless it is looked for.
bool has(const std::string& text, std::string_view what) {
    std::string line = text;
    if (what.find('\n') == std::string_view::npos) std::replace(line.begin(), line.end(), '\n', ' ');
    return line.find(what) != std::string::npos;
}

std::size_t count(const std::string& text, std::string_view what) {
    std::size_t n = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
    return n;
}

}  // namespace

TEST_CASE("a bundle is a PDF/A-3U by our list of rules, and a syntactically sound PDF") {
    const Made made = make(sample_input(), sample_records(), stub_container());
    CHECK(broken_pdfa_rules(made.pdf).empty());
    for (const std::string& rule : broken_pdfa_rules(made.pdf)) MESSAGE(rule);
    CHECK(has(run_on(made.pdf, "qpdf --check FILE"), "No syntax or stream encoding errors found"));
    CHECK(made.facts.bytes == made.pdf.size());
    CHECK(made.facts.records == 18);
}

TEST_CASE("every font is embedded with a map to Unicode") {
    const std::string fonts = run_on(make(sample_input(), sample_records(), stub_container()).pdf, "pdffonts FILE");
    std::size_t lines = 0;
    for (std::size_t at = fonts.find('\n', fonts.find("---")) + 1; at < fonts.size();) {
        const std::size_t end = std::min(fonts.find('\n', at), fonts.size());
        CHECK_MESSAGE(has(fonts.substr(at, end - at), "yes yes yes"), fonts.substr(at, end - at));
        ++lines;
        at = end + 1;
    }
    CHECK(lines > 5);
}

TEST_CASE("the text of every script can be searched and copied, emoji included") {
    const std::string text = extracted_text(make(sample_input(), sample_records(), stub_container()).pdf);
    for (const char* words :
         {"Überweisung", "Straße „Am Äußeren Ring 12“", "1.250,00 €", "حداد", "تحويل", "你好", "合同已经签好了", "שלום",
          "नमस्ते", "👍🏽", "👨‍👩‍👧‍👦", "🇩🇪", "❤️", "Schöne Grüße"})
        CHECK_MESSAGE(has(text, words), std::string(words));
}

TEST_CASE("the cover tells matter, ground, query, coverage that adds up, and the fingerprint") {
    const std::string text = extracted_text(make(sample_input(), sample_records(), stub_container()).pdf);
    for (const char* words :
         {"Beweispaket", "BA-2026/0417-III", "§ 26 BDSG", "from:jaeger", "12.840", "12.201", "318", "204",
          "12 Sprachnachrichten", "02.03.2026", "Stadt Musterstadt", "18 Aufzeichnungen mit 4 Anhängen"})
        CHECK_MESSAGE(has(text, words), std::string(words));
    CHECK(
        has(text, sample_input().proof.fingerprint.substr(0, 8) + " " + sample_input().proof.fingerprint.substr(8, 8)));
}

TEST_CASE("what an older result set does not say is not guessed: the archive's coverage stands for it, and says so") {
    BundleInput input = sample_input();
    CHECK(has(extracted_text(make(input, sample_records(), stub_container()).pdf), "obwohl die Suchanfrage"));
    input.unsearched.reset();
    input.unsearched_words.clear();
    std::string text = extracted_text(make(input, sample_records(), stub_container()).pdf);
    CHECK_FALSE(has(text, "Für diese Suchanfrage"));
    CHECK(has(text, "im ganzen Archiv: 580 Aufzeichnungen"));
    input.query.clear();  // records were named: nothing was searched
    text = extracted_text(make(input, sample_records(), stub_container()).pdf);
    CHECK(has(text, "Abdeckung des Archivs"));
    CHECK_FALSE(has(text, "im ganzen Archiv: 580"));
}

TEST_CASE("an edit shows old and new text, a deletion keeps the content, both name the entry they concern") {
    const std::string text = extracted_text(make(sample_input(), sample_records(), stub_container()).pdf);
    CHECK(has(text, "Das Angebot liegt bei 84.000 €."));
    CHECK(count(text, "Das Angebot liegt bei 48.000 €.") == 2);
    CHECK(has(text, "ändert Nr. 141"));
    CHECK(has(text, "Später bearbeitet: Nr. 144"));
    CHECK(has(text, "Bitte nichts davon in die Akte."));
    CHECK(has(text, "Später gelöscht, Inhalt hier erhalten: Nr. 150"));
    CHECK(has(text, "Antwort auf Nr. 126"));
    CHECK(has(text, "nicht in diesem Paket"));  // the photograph
    CHECK(has(text, "von der Quelle nicht geliefert"));
}

TEST_CASE("the proof page says what is not proven: unknown signer, builtin time, what was not searched") {
    const std::string text = extracted_text(make(sample_input(), sample_records(), stub_container()).pdf);
    for (const char* words : {"Was nicht bewiesen ist", "Wessen Archiv das ist", "nur das Wort des Archivs selbst",
                              "41 Aufzeichnungen (Abdeckung auf Seite 1)", "kustos-verify paket.pdf"})
        CHECK_MESSAGE(has(text, words), std::string(words));
    BundleInput none = sample_input();
    none.proof.anchors.clear();
    CHECK(has(extracted_text(make(none, sample_records(), stub_container()).pdf), "Kein Zeitstempel bestätigt"));
    CHECK(!has(text, "deckt noch kein Zeitstempel"));
    BundleInput early = sample_input();
    for (AnchorFacts& anchor : early.proof.anchors) anchor.covers = TreeSize(150);
    CHECK(has(extracted_text(make(early, sample_records(), stub_container()).pdf),
              "Einträge ab Nr. 150 deckt noch kein Zeitstempel"));
}

TEST_CASE("an English bundle has no German frame") {
    const std::string text = extracted_text(make(sample_input(Language::en), sample_records(), stub_container()).pdf);
    for (const char* words : {"Evidence bundle", "Coverage of the search", "12,840", "What is not proven", "page 1 of"})
        CHECK_MESSAGE(has(text, words), std::string(words));
    for (const char* words : {"Beweispaket", "Seite ", "Abdeckung", "Nachrichten", "Aufzeichnung"})
        CHECK_MESSAGE(!has(text, words), std::string(words));
}

TEST_CASE("the same input gives the same bytes, another container another identifier") {
    const Bytes first = make(sample_input(), sample_records(), stub_container()).pdf;
    const Bytes second = make(sample_input(), sample_records(), stub_container()).pdf;
    CHECK(first == second);
    const Bytes other = make(sample_input(), sample_records(), container_in_memory(to_bytes("PK another"))).pdf;
    const auto id = [](const Bytes& pdf) {
        const std::string_view text = as_text(pdf);
        return std::string(text.substr(text.rfind("/ID [<"), 40));
    };
    CHECK(id(first) != id(other));
}

TEST_CASE("hostile content stays in its place and shows what it hides") {
    const Made made = make(sample_input(), hostile_records(), stub_container());
    CHECK(broken_pdfa_rules(made.pdf).empty());
    for (const std::string& rule : broken_pdfa_rules(made.pdf)) MESSAGE(rule);
    CHECK(has(run_on(made.pdf, "qpdf --check FILE"), "No syntax or stream encoding errors found"));
    const std::string text = extracted_text(made.pdf);
    CHECK(has(text, "U+202E"));
    CHECK(!has(text, "\u202E"));
    CHECK(has(text, "Zeile 500 einer langen Mail"));
    CHECK(has(text, "Fortsetzung"));
    CHECK(has(text, "(ohne Text)"));
    CHECK(has(text, "(nur Leerraum)"));
    CHECK(has(text, "bleibt lesbar"));
    CHECK(has(text, "und 401 weitere"));  // of 601 people in Cc
}

TEST_CASE("a bundle without records, custody or query is still whole") {
    BundleInput in = sample_input();
    in.custody.clear();
    in.query.clear();
    in.coverage = {};
    in.time_zone = "Mars/Olympus";
    const Made made = make(in, {}, container_in_memory(to_bytes("PK")));
    CHECK(broken_pdfa_rules(made.pdf).empty());
    const std::string text = extracted_text(made.pdf);
    CHECK(has(text, "keine; Aufzeichnungen einzeln benannt"));
    CHECK(has(text, "die gewünschte Zeitzone ist hier nicht bekannt"));
}

TEST_CASE("every entry number stands on a page") {
    const Made made = make(sample_input(), many_records(3000), stub_container());
    CHECK(made.facts.pages > 100);
    const std::string text = extracted_text(made.pdf);
    std::size_t missing = 0;
    for (const BundleRecord& record : many_records(3000)) {
        std::string number = std::to_string(record.entry.value);
        if (number.size() > 3) number.insert(number.size() - 3, ".");
        if (text.find("\n" + number + "\n") == std::string::npos) ++missing;
    }
    CHECK(missing == 0);
    CHECK(has(text, "Seite " + std::to_string(made.facts.pages) + " von " + std::to_string(made.facts.pages)));
}

TEST_CASE("coverage that does not add up is refused, and so are too many attachments") {
    RecordsInMemory none({});
    BundleInput in = sample_input();
    in.coverage.sealed += 1;
    const ByteSink nowhere = [](ByteView) { return ok_status(); };
    auto result = write_pdf(in, none, stub_container(), nowhere);
    REQUIRE(!result.ok());
    CHECK(result.error().code() == Code::bad_input);
    in = sample_input();
    in.people_attachments.resize(kMaxPeopleAttachments + 1);
    CHECK(!write_pdf(in, none, stub_container(), nowhere).ok());
}
