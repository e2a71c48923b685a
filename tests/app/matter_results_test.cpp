// A matter's scope, its frozen result sets, saved searches, lists of sums and protocol, through the house.
#include <doctest/doctest.h>

#include <atomic>

#include "app/hash_lists.h"
#include "app/house.h"
#include "app/matter_scope.h"
#include "app/result_desk.h"
#include "app/saved_searches.h"
#include "tests/support/doc_example.h"
#include "tests/support/temp_dir.h"
#include "vault/retention.h"

using namespace kustos;
using namespace kustos::app;

namespace {

const Bytes kPassphrase = to_bytes("vier Worte und ein Fisch");

// So much passes each time somebody looks.
struct HurryingClock final : public Clock {
    UtcTime now() const override { return real.now(); }
    std::int64_t monotonic_ms() const override { return real.monotonic_ms() + (ahead += each.load()); }
    SystemClock real;
    std::atomic<std::int64_t> each{0};  // ms
    mutable std::atomic<std::int64_t> ahead{0};
};

struct World {
    RealFs fs;
    HurryingClock clock;
    SystemRandom random;
    test::TempDir dir;
    std::unique_ptr<House> house;
    EntryIndex matter;

    explicit World(const std::string& scope = "") {
        vault::CreateOptions options;
        options.unlock = "passphrase";
        options.passphrase = SecretBytes(kPassphrase);
        REQUIRE(vault::Archive::create({fs, clock, random}, dir / "a", dir / "s", std::move(options)).ok());
        open(true);
        push("rot", 4);
        push("blau", 3);
        matter = house->matter_desk().open_new("Az. 1", "Art. 15", scope).value().entry;
    }
    void open(bool unlocked) {
        house.reset();
        HouseOptions options;
        options.archive = dir / "a";
        options.state = dir / "s";
        options.actor = "tester";
        if (unlocked) options.secret = vault::PassphraseSecret{SecretBytes(kPassphrase)};
        auto opened = House::open({fs, clock, random}, std::move(options));
        if (!opened.ok()) FAIL(opened.error().message());
        house = std::move(*opened);
    }
    void push(const std::string& source, int count) {
        if (!house->archive().find_source(source))
            REQUIRE(house->archive().add_source(source, "http", vault::kDefaultClass).ok());
        web::PushRequest request;
        request.source = source;
        request.token = house->issue_token(house->archive().find_source(source)->id, "tester").value();
        std::string lines;
        for (int i = 0; i < count; ++i)
            lines += R"({"id":")" + std::to_string(sent++) +
                     R"(","kind":"chat","sent_at":"2026-03-02T10:00:00Z","sender":{"id":"u"},"body":"Vertrag )" +
                     source + "\"}\n";
        request.body = to_bytes(lines);
        const auto answer = house->push(request);
        if (!answer.ok()) FAIL(answer.error().message());
        REQUIRE(house->index_all(false).ok());
    }
    SearchOrder order(const std::string& query) const {
        SearchOrder o;
        o.actor = "tester";
        o.matter = access::matter_id(matter);
        o.query = query;
        return o;
    }
    std::vector<EntryIndex> find(const SearchOrder& o) {
        const auto found = house->search(o);
        if (!found.ok()) FAIL(found.error().message());
        std::vector<EntryIndex> out;
        for (const web::Hit& hit : found->report.hits) out.push_back(hit.entry);
        CHECK(out.size() == found->report.total);
        return out;
    }
    std::vector<EntryIndex> find(const std::string& query) { return find(order(query)); }
    EntryIndex freeze(const std::string& query, const std::string& name = "") {
        SearchOrder o = order(query);
        o.freeze = true;
        o.name = name;
        return house->search(o).value().frozen.value();
    }
    void erase(EntryIndex entry) {
        vault::ForgetOrder forget;
        forget.entries = {entry};
        forget.reason = vault::compose_reason({"Art. 17 DSGVO", "clerk", {"one", "two"}, ""});
        REQUIRE(house->archive().forget(std::move(forget)).ok());
    }
    int sent = 0;
};

EntrySet set_of(std::initializer_list<std::uint64_t> numbers) {
    EntrySet set;
    for (const std::uint64_t n : numbers) set.add(EntryIndex(n));
    return set;
}

}  // namespace

TEST_CASE("a question that takes longer than two minutes is ended with a hint, and the next one is answered") {
    World w;
    CHECK(w.find("Vertrag").size() == 7);
    w.clock.each = 130'000;
    const auto late = w.house->search(w.order("Vertrag"));
    REQUIRE_FALSE(late.ok());
    CHECK(late.error().code() == Code::limit);
    CHECK(late.error().message().find("two minutes") != std::string::npos);
    CHECK(late.error().hint().find("period") != std::string::npos);
    w.clock.each = 0;
    CHECK(w.find("Vertrag").size() == 7);
}

TEST_CASE("what the scope leaves out is not found, shown, fetched or exported, and a later scope counts from then on") {
    World w("source:rot");
    const std::string id = access::matter_id(w.matter);
    const auto inside = w.find("Vertrag");
    CHECK(inside.size() == 4);
    CHECK(w.find("Vertrag OR * OR NOT source:rot").size() == 4);
    CHECK(w.find("source:blau").empty());
    const EntryIndex whole = w.house->matter_desk().open_new("Az. 2", "Art. 15").value().entry;
    SearchOrder other = w.order("source:blau");
    other.matter = access::matter_id(whole);
    const EntryIndex outside = w.find(other).at(0);

    const TreeSize before = w.house->archive().head().size;
    CHECK(w.house->record("tester", id, outside, web::Language::english).error().code() == Code::denied);
    CHECK(w.house->original("tester", id, outside).error().code() == Code::denied);
    ExportRequest request;
    request.matter = id;
    request.records = {inside[0], outside};
    request.as = "eml";
    request.out = w.dir / "out";
    CHECK(w.house->export_records(request).error().code() == Code::denied);
    CHECK(w.house->archive().head().size == before);  // it was decided before anything was opened
    CHECK(w.house->record("tester", id, inside[0], web::Language::english).ok());
    request.records = {inside[0]};
    CHECK(w.house->export_records(request).ok());
    request.records.clear();
    request.query = "Vertrag";
    request.out = w.dir / "found";
    CHECK(w.house->export_records(request)->records == 4);

    REQUIRE(w.house->matter_desk().change_scope(w.matter, "source:blau", "Irrtum", "leitung").ok());
    CHECK(w.find("Vertrag").size() == 3);
    CHECK(w.house->record("tester", id, outside, web::Language::english).ok());
    CHECK(w.house->record("tester", id, inside[0], web::Language::english).error().code() == Code::denied);
    w.open(true);
    CHECK(w.find("Vertrag").size() == 3);
    const auto history = w.house->matter_desk().scope_history(w.matter).value();
    REQUIRE(history.size() == 2);
    CHECK(history[0].scope == "source:rot");
    CHECK(history[1].scope == "source:blau");
    CHECK(history[1].reason == "Irrtum");
    CHECK(history[1].actor == "leitung");
    CHECK(w.house->matters()->front().scope == "source:blau");
    w.open(false);
    CHECK(w.house->matters()->front().scope.empty());
    CHECK(w.house->search(w.order("Vertrag")).error().code() == Code::closed);
}

TEST_CASE("a scope is a query that does not hang on address books or on who works on the matter") {
    CHECK(checked_scope("source:rot date:2026", Language::english).value() == "source:rot date:2026");
    CHECK(checked_scope("*", Language::english)->empty());
    for (const char* bad : {"x) OR (y", "\"x", "person:anna", "rot OR from:person:anna", "NOT person:P12", ""})
        CHECK(checked_scope(bad, Language::german).error().code() == Code::usage);
    World w;
    CHECK(w.house->matter_desk().change_scope(w.matter, "rot", "", "x").error().code() == Code::usage);
    CHECK(w.house->matter_desk().change_scope(EntryIndex(0), "rot", "why", "x").error().code() == Code::denied);
    REQUIRE(w.house->matter_desk().close(w.matter).ok());
    CHECK(w.house->matter_desk().change_scope(w.matter, "rot", "why", "x").error().code() == Code::usage);
}

TEST_CASE("a frozen result set stays what it was, over new records, an erasure and a restart") {
    World w("Vertrag");
    const EntryIndex first = w.freeze("source:rot", "erste");
    const ResultDesk desk(w.house->archive());
    const FrozenSet frozen = desk.open(first).value();
    CHECK(frozen.records.count() == 4);
    CHECK(frozen.note.count == 4);
    CHECK(frozen.name == "erste");
    CHECK(frozen.actor == "tester");
    CHECK(frozen.query == "source:\"rot\"");
    CHECK(frozen.scope == "Vertrag");
    CHECK(frozen.coverage[0] == 7);
    CHECK(frozen.note.size.value <= first.value);
    std::vector<EntryIndex> ids;
    for (const auto& run : frozen.records.intervals())
        for (auto n = run.first.value; n <= run.last.value; ++n) ids.emplace_back(n);
    CHECK(frozen.note.list_root == search::result_set_hash(ids));

    w.push("rot", 2);
    w.erase(ids[1]);
    w.open(true);
    const ResultDesk again(w.house->archive());
    CHECK(again.open(first)->records == frozen.records);
    const EntryIndex second = w.freeze("source:rot");
    const FrozenSet later = again.open(second).value();
    CHECK(later.records.count() == 5);
    const auto found = compare(frozen.records, later.records, *w.house->archive().erased().value());
    CHECK(found.added.count() == 2);
    CHECK(found.removed.empty());
    CHECK(found.erased == set_of({ids[1].value}));
    CHECK(found.both.count() == 3);

    SearchOrder within = w.order("Vertrag");
    within.within = first;
    CHECK(w.find(within) == std::vector<EntryIndex>{ids[3], ids[2], ids[0]});
    ExportRequest request;
    request.result = first;
    request.as = "eml";
    request.out = w.dir / "out";
    const ExportReport report = w.house->export_records(request).value();
    CHECK(report.records == 3);
    CHECK(report.erased == set_of({ids[1].value}));

    const EntryIndex other = w.house->matter_desk().open_new("Az. 2", "Art. 15").value().entry;
    CHECK(again.of_matter(first, other).error().code() == Code::denied);
    CHECK(again.open(EntryIndex(0)).error().code() == Code::usage);
    CHECK(again.list(w.matter)->size() == 2);
    CHECK(again.list(other)->empty());
    // A scope that was narrowed since counts for what is opened.
    REQUIRE(w.house->matter_desk().change_scope(w.matter, "source:blau", "enger", "leitung").ok());
    CHECK(w.house->export_records(request).error().code() == Code::denied);
    CHECK(w.find(within).empty());
    w.open(false);
    const auto closed = ResultDesk(w.house->archive()).list(w.matter).value();
    REQUIRE(closed.size() == 2);
    CHECK(!closed[0].open);
    CHECK(closed[0].note.count == 4);
    CHECK(ResultDesk(w.house->archive()).open(first).error().code() == Code::closed);
}

TEST_CASE("two result sets are compared without what is erased") {
    const auto found = compare(set_of({1, 2, 3, 4}), set_of({3, 4, 5, 6}), set_of({2, 4, 6, 9}));
    CHECK(found.added == set_of({5}));
    CHECK(found.removed == set_of({1}));
    CHECK(found.both == set_of({3}));
    CHECK(found.erased == set_of({2, 4, 6}));
}

TEST_CASE("result-sets.md: a set of entries, and sets of every shape come back as they were") {
    const Bytes page = test::doc_example("result-sets.md", "entry set");
    const EntrySet expected = set_of({3, 4, 5, 9, 300});
    CHECK(vault::encode_entry_set(expected) == page);
    CHECK(vault::decode_entry_set_code(page, 10).value() == expected);
    CHECK(vault::decode_entry_set_code(page, 4).error().code() == Code::limit);
    SeededRandom random(9);
    for (int round = 0; round < 200; ++round) {
        EntrySet set;
        for (std::uint64_t n = random.next() % 50; n > 0; --n) {
            const std::uint64_t at = random.next() >> (20 + random.next() % 40);
            set.add(EntryIndex(at), EntryIndex(at + random.next() % 5));
        }
        const Bytes bytes = vault::encode_entry_set(set);
        CHECK(vault::decode_entry_set_code(bytes, 1'000).value() == set);
        // One encoding: what is read from damaged bytes is written as these bytes.
        Bytes damaged = bytes;
        if (damaged.empty()) continue;
        damaged[random.next() % damaged.size()] ^= static_cast<std::uint8_t>(1 + random.next() % 255);
        if (const auto read = vault::decode_entry_set_code(damaged, 1'000'000); read.ok())
            CHECK(vault::encode_entry_set(*read) == damaged);
    }
}

TEST_CASE("result-sets.md: a list of sums is read as sha256sum prints it, and other sums are refused by their line") {
    const auto sums = parse_sums(test::doc_text("result-sets.md", "sums")).value();
    REQUIRE(sums.size() == 2);
    CHECK(sums[0].substr(0, 8) == "60303ae2");
    CHECK(sums[1].substr(0, 8) == "9f86d081");
    const auto refused = [](const std::string& text) {
        const auto read = parse_sums(text);
        REQUIRE(!read.ok());
        return read.error().message();
    };
    CHECK(refused("#\n\nd41d8cd98f00b204e9800998ecf8427e  a.txt\n").find("line 3: this is as long as an MD5") == 0);
    CHECK(refused("da39a3ee5e6b4b0d3255bfef95601890afd80709").find("line 1: this is as long as a SHA-1") == 0);
    CHECK(refused(sums[0] + "0\n").find("line 1: this is not a SHA-256") == 0);
    CHECK(refused("SHA256 (a) = " + sums[0]).find("line 1") == 0);
    CHECK(parse_sums("# nothing\n").error().code() == Code::bad_input);
    CHECK(parse_sums("\xEF\xBB\xBF" + sums[0] + "\r\n")->size() == 1);
}

TEST_CASE("saved searches and lists of sums are kept by name, replaced by name and gone by name") {
    World w;
    vault::Archive& archive = w.house->archive();
    SavedSearches saved(archive);
    REQUIRE(saved.save(w.matter, "alles", "*", "tester").ok());
    REQUIRE(saved.save(w.matter, "alles", "source:rot", "tester").ok());
    REQUIRE(saved.list(w.matter)->size() == 1);
    CHECK(saved.find(w.matter, "alles")->query == "source:rot");
    CHECK(saved.find(w.matter, "nichts").error().code() == Code::usage);
    CHECK(saved.save(w.matter, "", "*", "tester").error().code() == Code::usage);
    REQUIRE(saved.forget(w.matter, "alles").ok());
    CHECK(saved.list(w.matter)->empty());
    CHECK(saved.forget(w.matter, "alles").error().code() == Code::usage);

    HashLists lists(archive);
    const std::vector<std::string> sums = {std::string(64, '0'), std::string(64, 'f')};
    CHECK(lists.add(w.matter, "pläne", sums, "tester")->note.count == 2);
    CHECK(lists.add(w.matter, "pläne", {sums[1]}, "tester").ok());
    CHECK(lists.sums(w.matter, "pläne").value() == std::vector<std::string>{sums[1]});
    w.open(true);
    HashLists again(w.house->archive());
    CHECK(again.sums(w.matter, "pläne")->size() == 1);
    CHECK(again.sums(EntryIndex(0), "pläne").error().code() == Code::usage);
    REQUIRE(again.remove(w.matter, "pläne").ok());
    CHECK(again.list(w.matter)->empty());
    CHECK(again.sums(w.matter, "pläne").error().code() == Code::usage);
}

TEST_CASE("the protocol of a matter says who searched what, with which coverage, and is in itself") {
    World w("Vertrag");
    const auto found = w.find("source:rot");
    REQUIRE(w.house->record("tester", access::matter_id(w.matter), found[0], web::Language::english).ok());
    w.freeze("source:blau", "blau");
    REQUIRE(w.house->protocol("prüferin", w.matter, "").ok());
    const auto rows = w.house->protocol("prüferin", w.matter, "Nachschau").value();
    std::vector<std::string> actions;
    for (const ProtocolRow& r : rows) actions.push_back(r.action);
    CHECK(actions ==
          std::vector<std::string>{"matter_opened", "search", "open", "search", "results_frozen", "audit_read"});
    CHECK(rows[1].actor == "tester");
    CHECK(rows[1].query == "source:rot");
    CHECK(rows[1].scope == "Vertrag");
    CHECK(rows[1].total == 4u);
    CHECK(rows[1].opened == 4u);
    REQUIRE(rows[1].coverage.has_value());
    CHECK((*rows[1].coverage)[0] == 7);
    CHECK(rows[4].label == "blau");
    CHECK(rows[4].total == 3u);
    CHECK(rows[5].actor == "prüferin");
    CHECK(rows[5].query == "Art. 15");
    CHECK(w.house->protocol("prüferin", EntryIndex(0), "x").error().code() == Code::denied);
    w.open(false);
    CHECK(w.house->protocol("prüferin", w.matter, "x").error().code() == Code::closed);
}
