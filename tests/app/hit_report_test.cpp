// Hit reports: what is shown of the figures, and what a verifier says of one that the archive itself forges.
#include "app/hit_report.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <numeric>

#include "app/house.h"
#include "audit/pdf_container.h"
#include "audit/pdf_sign.h"
#include "audit/tlog_proof.h"
#include "audit/verify_report.h"
#include "tests/support/temp_dir.h"
#include "vault/retention.h"

using namespace kustos;
using namespace kustos::app;
using nlohmann::json;

namespace {

// 700 senders: number n has n % 7 hits by the first term and one by the second; 5 hits name none.
HitReport many_persons() {
    HitReport r;
    r.time_zone = "UTC";
    r.months = {"2025-11", "2026-02"};
    r.terms.resize(2);
    for (std::uint32_t n = 0; n < 700; ++n) {
        r.persons.push_back("p" + std::to_string(1000 + n));
        for (std::size_t t = 0; t < 2; ++t) {
            const std::uint64_t hits = t == 0 ? n % 7 : 1;
            if (hits > 0) r.terms[t].figures.persons[n] = hits;
            r.terms[t].figures.hits += hits;
        }
        r.total.persons[n] = n % 7 + 1;
        r.total.hits += n % 7 + 1;
    }
    r.terms[0].figures.persons[search::RecordFacts::kNobody] = 5;
    r.terms[0].figures.hits += 5;
    r.total.persons[search::RecordFacts::kNobody] = 5;
    r.total.hits += 5;
    r.total.months = {{0, 2}, {1, r.total.hits - 2}};
    for (std::size_t t = 0; t < 2; ++t) r.terms[t].term = {t + 1, t == 0 ? "=eins" : "", "wort"};
    r.shown = most_frequent(r);
    return r;
}

std::uint64_t number(const exporting::Cell& cell) {
    return std::get<std::uint64_t>(cell);
}

struct World {
    RealFs fs;
    SystemClock clock;
    SystemRandom random;
    test::TempDir dir;
    std::unique_ptr<House> house;
    EntryIndex matter;

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
        matter = house->matter_desk().open_new("Az. 1", "Art. 15", "").value().entry;
    }

    HitOrder order(const char* file) {
        HitOrder out;
        out.actor = "tester";
        out.matter = access::matter_id(matter);
        out.name = "liste";
        out.terms = search::parse_term_list("eins\nzwei\n").value();
        out.files = {dir / file};
        return out;
    }

    audit::TlogProof proof_of(EntryIndex entry, const std::string& note, TreeSize size) {
        audit::TlogProof proof;
        proof.index = entry;
        proof.note = note;
        proof.proof = house->archive().ledger().proof(entry, size).value();
        return proof;
    }

    // The same report with another text, as who has the archive's keys can make it.
    Bytes forge(const audit::ReportParts& genuine, const std::string& text) {
        vault::Archive& archive = house->archive();
        exporting::HitPages pages;
        pages.frame.json = text;
        const auto named = archive.record_control(audit::ControlAction::hits_reported, [&](audit::Body& body) {
            body.put_u64(audit::Tag::matter, matter.value)
                .put_u64(audit::Tag::count, 2)
                .put_u64(audit::Tag::total, 0)
                .put_hash(audit::Tag::related_hash, sha256(as_bytes(text)));
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
        return audit::append_signature(exporting::draw_hit_report(pages).value().pdf,
                                       [&](const Hash& digest) { return archive.signer().sign_cms(digest, ground); })
            .value();
    }
};

}  // namespace

TEST_CASE("beyond 500 persons the others are counted together, and every column still adds up") {
    const HitReport r = many_persons();
    REQUIRE(r.shown.size() == 500);
    CHECK(r.persons[r.shown[0]] == "p1006");  // most hits first, then by name
    CHECK(r.persons[r.shown[1]] == "p1013");
    const auto tables = hit_tables(r, false);
    REQUIRE(tables.size() == 4);
    const auto& rows = tables[3].rows;
    REQUIRE(rows.size() == 502);
    CHECK(std::get<std::string>(rows[500][0]) == "(others)");
    CHECK(std::get<std::string>(rows[501][0]) == "(no sender)");
    const std::uint64_t wanted[] = {r.total.hits, r.terms[0].figures.hits, r.terms[1].figures.hits};
    for (std::size_t column = 0; column < 3; ++column) {
        std::uint64_t sum = 0;
        for (const auto& row : rows) sum += number(row[column + 1]);
        CHECK(sum == wanted[column]);
    }
    const json j = json::parse(hit_json(r, true));
    CHECK(j["persons"].size() == 500);
    std::uint64_t named = 0;
    for (const auto& one : j["total"]["persons"].items()) named += one.value().get<std::uint64_t>();
    CHECK(named + j["total"]["other_persons"].get<std::uint64_t>() + 5 == r.total.hits);
    const exporting::HitPages pages = hit_pages(r, "", true);
    CHECK(pages.persons.size() == 40);
    CHECK(pages.persons_note.find("CSV, XLSX") != std::string::npos);
}

TEST_CASE("months between the first and the last are shown, too, unless they would be more than 600") {
    HitReport r = many_persons();
    CHECK(months_shown(r) == std::vector<std::string>{"2025-11", "2025-12", "2026-01", "2026-02"});
    CHECK(hit_tables(r, false)[2].rows.size() == 4);
    r.months = {"0001-01", "9999-12"};
    CHECK(months_shown(r) == r.months);
    r.total.months.clear();
    CHECK(months_shown(r).empty());
}

TEST_CASE(
    "a hit report that its entry does not name is found, though the archive signed it; nothing in it ends the "
    "verifier") {
    World w;
    const auto made = w.house->report_hits(w.order("h.pdf"));
    if (!made.ok()) FAIL(made.error().message());
    const Bytes pdf = read_file(w.fs, w.dir / "h.pdf", 64u << 20).value();
    const auto genuine = audit::verify_report(pdf, std::nullopt);
    REQUIRE(genuine.has_value());
    CHECK(genuine->ok);
    CHECK(genuine->reported == "hits");
    const audit::PdfFile file = audit::walk_pdf(pdf).value();
    const audit::ReportParts parts = audit::find_report(file).value();
    const json content = json::parse(as_text(parts.json));
    CHECK(as_text(parts.json) == made->frame.json);

    const auto judged = [&](const std::string& text) {
        const auto report = audit::verify_report(w.forge(parts, text), std::nullopt);
        REQUIRE(report.has_value());
        return report->ok ? report->reported : report->problems.front().code + ": " + report->problems.front().text;
    };
    const auto changed = [&](const char* where, const json& value) {
        json j = content;
        j[json::json_pointer(where)] = value;
        return judged(j.dump());
    };
    CHECK(judged(content.dump()) == "hits");  // the forger's way itself is right
    const std::string found = "report.proof: the entry does not name this report";
    CHECK(changed("/total/hits", 1) == found);
    CHECK(changed("/total/hits", -1) == found);
    CHECK(changed("/total/hits", "0") == found);
    CHECK(changed("/total", json::array()) == found);
    CHECK(changed("/total", json::object()) == found);
    CHECK(changed("/terms", json::object()) == found);
    CHECK(changed("/terms", json::array()) == found);
    CHECK(changed("/format", 1) == found);
    CHECK(changed("/format", "kustos-certificate-1") == found);
    for (const char* text : {"", "[]", "null", "{}", "{\"format\":\"kustos-hits-1\"}"}) CHECK(judged(text) == found);
}

TEST_CASE("where the entry can't be stored, or a file would have no folder, nothing is run and nothing is written") {
    World w;
    const TreeSize before = w.house->archive().head().size;
    CHECK(w.house->report_hits(w.order("none/h.csv")).error().code() == Code::usage);
    CHECK(w.house->report_hits(w.order("h.doc")).error().code() == Code::usage);
    HitOrder nameless = w.order("h.csv");
    nameless.name.clear();
    CHECK(w.house->report_hits(nameless).error().code() == Code::usage);
    HitOrder elsewhere = w.order("h.csv");
    elsewhere.matter = "M0";
    CHECK_FALSE(w.house->report_hits(elsewhere).ok());
    REQUIRE(w.house->matter_desk().close(w.matter).ok());
    CHECK(w.house->report_hits(w.order("h.csv")).error().code() == Code::denied);
    CHECK(w.house->archive().head().size.value == before.value + 1);  // the closing
    CHECK_FALSE(w.fs.exists(w.dir / "h.csv"));
}
