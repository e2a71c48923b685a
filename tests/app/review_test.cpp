// Labels and codes of a matter's review: names as they are typed, the replay against a naive one, and the desk over a
// real archive.
#include <doctest/doctest.h>

#include <random>
#include <set>

#include "app/house.h"
#include "app/review_names.h"
#include "app/review_state.h"
#include "tests/support/temp_dir.h"
#include "vault/entry_set_code.h"
#include "vault/entry_sets.h"
#include "vault/retention.h"

using namespace kustos;
using namespace kustos::app;

namespace {

EntrySet few(std::mt19937& chance, std::uint64_t most) {
    EntrySet set;
    const auto runs = chance() % 30;
    for (unsigned i = 0; i < runs; ++i) {
        const std::uint64_t first = chance() % most;
        set.add(EntryIndex(first), EntryIndex(std::min<std::uint64_t>(most - 1, first + chance() % 4)));
    }
    return set;
}

std::set<std::uint64_t> plain(const EntrySet& set, std::uint64_t most) {
    std::set<std::uint64_t> out;
    for (std::uint64_t n = 0; n < most; ++n)
        if (set.contains(EntryIndex(n))) out.insert(n);
    return out;
}

// Of each record by itself.
struct Naive {
    std::map<std::uint64_t, std::set<std::string>> labels;
    std::map<std::uint64_t, std::map<std::string, std::string>> codes;

    void apply(const ReviewDecision& d, std::uint64_t most) {
        for (const std::uint64_t n : plain(d.records, most)) {
            switch (d.change) {
                case ReviewChange::tag:
                    labels[n].insert(d.name);
                    break;
                case ReviewChange::untag:
                    labels[n].erase(d.name);
                    break;
                case ReviewChange::code:
                    codes[n][d.name] = d.value;
                    break;
                case ReviewChange::clear:
                    codes[n].erase(d.name);
                    break;
            }
        }
    }
    std::uint64_t changes(const ReviewDecision& d, std::uint64_t most) {
        Naive after = *this;
        after.apply(d, most);
        std::uint64_t changed = 0;
        for (std::uint64_t n = 0; n < most; ++n)
            changed += after.labels[n] != labels[n] || after.codes[n] != codes[n] ? 1 : 0;
        return changed;
    }
};

ReviewDecision any(std::mt19937& chance, std::uint64_t most) {
    static const std::string kNames[] = {"a", "b", "c"};
    ReviewDecision d;
    d.change = static_cast<ReviewChange>(chance() % 4);
    d.name = kNames[chance() % 3];
    if (d.change == ReviewChange::code) d.value = kNames[chance() % 3];
    d.records = few(chance, most);
    return d;
}

}  // namespace

TEST_CASE("labels and codes after any sequence of decisions are what each record says by itself") {
    constexpr std::uint64_t kMost = 60;
    std::mt19937 chance(20261130);
    for (int round = 0; round < 60; ++round) {
        ReviewState state;
        Naive naive;
        for (std::uint64_t entry = 1; entry < 40; ++entry) {
            const ReviewDecision d = any(chance, kMost);
            REQUIRE(state.changed_by(d) == naive.changes(d, kMost));
            REQUIRE(state.check_room(d).ok());
            const std::size_t room = state.runs() + 2 * d.records.intervals().size();
            state.apply(EntryIndex(entry), d);
            naive.apply(d, kMost);
            REQUIRE(state.runs() <= room);
        }
        std::size_t runs = 0;
        for (const auto& [key, label] : state.labels()) runs += label.records.intervals().size();
        for (const auto& [key, group] : state.groups())
            for (const auto& [of, value] : group.values) runs += value.records.intervals().size();
        CHECK(state.runs() == runs);
        for (std::uint64_t n = 0; n < kMost; ++n) {
            const auto labels = state.labels_of(EntryIndex(n));
            CHECK(std::set<std::string>(labels.begin(), labels.end()) == naive.labels[n]);
            std::vector<std::string> codes;
            for (const auto& [group, value] : naive.codes[n]) codes.push_back(group + "=" + value);
            CHECK(state.codes_of(EntryIndex(n)) == codes);
        }
    }
}

TEST_CASE("a union, an overlap and a difference of sets are those of their numbers") {
    constexpr std::uint64_t kMost = 80;
    std::mt19937 chance(7);
    for (int round = 0; round < 500; ++round) {
        const EntrySet a = few(chance, kMost), b = few(chance, kMost);
        EntrySet added = a;
        added.add(b);
        CHECK(vault::united(a, b) == added);
        CHECK(vault::overlap(a, b) == !vault::intersection(a, b).empty());
        CHECK(vault::united(vault::difference(a, b), vault::intersection(a, b)) == a);
    }
}

TEST_CASE("two million records far apart, and ten thousand single decisions on them, are replayed without delay") {
    EntrySet odd, even;
    for (std::uint64_t n = 1; n < 4'000'000; n += 4) {
        odd.add(EntryIndex(n));
        even.add(EntryIndex(n + 2));
    }
    ReviewState state;
    state.apply(EntryIndex(1), {ReviewChange::code, "g", "x", odd});
    state.apply(EntryIndex(2), {ReviewChange::code, "g", "y", even});
    for (std::uint64_t n = 0; n < 10'000; ++n) {
        EntrySet one;
        one.add(EntryIndex(5'000'000 + n));
        state.apply(EntryIndex(3 + n), {ReviewChange::code, "g", n % 2 == 0 ? "x" : "y", one});
    }
    CHECK(all_of(*state.find_group("G")).count() == 2'010'000);
    state.apply(EntryIndex(20'000), {ReviewChange::code, "g", "y", odd});
    CHECK(state.find_group("g")->values.at("x").records.count() == 5'000);
    CHECK(state.find_group("g")->values.at("y").records.count() == 2'005'000);
}

TEST_CASE("more names or more scattered records than a matter may have are refused before they are stored") {
    ReviewState state;
    EntrySet one;
    one.add(EntryIndex(5));
    std::uint64_t entry = 0;
    while (state.check_room({ReviewChange::tag, "x", "", one}).ok()) {
        ++entry;
        state.apply(EntryIndex(entry), {ReviewChange::tag, "label " + std::to_string(entry), "", one});
    }
    CHECK(state.labels().size() == kMaxReviewNames - 1);
    ReviewState wide;
    EntrySet far;
    for (std::uint64_t n = 0; n < kMaxReviewRuns / 2 + 1; ++n) far.add(EntryIndex(2 * n));
    CHECK(wide.check_room({ReviewChange::tag, "x", "", far}).error().code() == Code::limit);
}

TEST_CASE("names are compared without capitals, umlauts and white space, and kept as they were typed first") {
    for (const char* other : {"prüfen", "PRÜFEN", "Pruefen", "  prüfen ",
                              "pru\xCC\x88"
                              "fen"})
        CHECK(review_key(other) == "pruefen");
    CHECK(review_key("Straße  7") == review_key("STRASSE\t7"));
    CHECK(review_key("Mueller") == review_key("Müller"));
    CHECK(review_key("Muller") != review_key("Müller"));
    ReviewState state;
    EntrySet one;
    one.add(EntryIndex(5));
    state.apply(EntryIndex(9), {ReviewChange::tag, "Prüfen", "", one});
    state.apply(EntryIndex(10), {ReviewChange::tag, "PRUEFEN", "", one});
    REQUIRE(state.find_label("prüfen") != nullptr);
    CHECK(state.find_label("prüfen")->name == "Prüfen");
    CHECK(state.find_label("prüfen")->changed == EntryIndex(10));
    CHECK(state.labels().size() == 1);
}

TEST_CASE("GROUP=VALUE is taken apart at its first sign, and what nobody could search for is refused") {
    CHECK(parse_code_with_value("privileg=ja").value() == CodeName{"privileg", "ja"});
    CHECK(parse_code_with_value(" Privileg = zum Teil ").value() == CodeName{"Privileg", "zum Teil"});
    CHECK(parse_code_with_value("a=b=c").value() == CodeName{"a", "b=c"});
    CHECK(parse_code_name("privileg").value() == CodeName{"privileg", std::nullopt});
    const std::string longest(200, 'x');
    CHECK(parse_code_with_value(longest + "=" + longest).ok());
    for (const std::string& bad :
         {std::string(), std::string("="), std::string("=ja"), std::string("privileg="), std::string("  = "),
          std::string("a\"=b"), std::string("a=b\""), std::string("a\nb=c"), std::string("a=b\x01"),
          std::string("a=\x7f"), std::string("a=\xff"), std::string("\xC3=a"), std::string("a\0=b", 4), longest + "x=b",
          "a=" + longest + "x", std::string("\xE2\x80\x83=x")}) {
        INFO(bad);
        const auto parsed = parse_code_name(bad);
        REQUIRE(!parsed.ok());
        CHECK(parsed.error().code() == Code::usage);
        if (bad.size() > 3) CHECK(parsed.error().message().find(bad) == std::string::npos);
    }
    CHECK(parse_code_with_value("privileg").error().code() == Code::usage);
    CHECK(parse_label("  ").error().code() == Code::usage);
    CHECK(parse_label(longest + "x").error().code() == Code::usage);
    CHECK(parse_label(" wichtig ").value() == "wichtig");
}

TEST_CASE("whatever bytes are typed as a code, they are refused or come back as they were") {
    std::mt19937 chance(3);
    static const char kBytes[] = "ab= \"\t\x7f\xC3\xA4\xE2\x80\x83\xFF\x00";
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        const auto size = chance() % 12;
        for (unsigned i = 0; i < size; ++i) text.push_back(kBytes[chance() % (sizeof(kBytes) - 1)]);
        const auto parsed = parse_code_name(text);
        if (!parsed.ok()) continue;
        const std::string again = parsed->group + (parsed->value ? "=" + *parsed->value : "");
        CHECK(parse_code_name(again).value() == *parsed);
        CHECK(!review_key(parsed->group).empty());
    }
}

namespace {

const Bytes kPassphrase = to_bytes("vier Worte und ein Fisch");

struct World {
    RealFs fs;
    SystemClock clock;
    SystemRandom random;
    test::TempDir dir;
    std::unique_ptr<House> house;
    EntryIndex matter, other;
    std::vector<EntryIndex> records;

    World() {
        vault::CreateOptions options;
        options.unlock = "passphrase";
        options.passphrase = SecretBytes(kPassphrase);
        REQUIRE(vault::Archive::create({fs, clock, random}, dir / "a", dir / "s", std::move(options)).ok());
        open();
        REQUIRE(house->archive().add_source("rot", "http", vault::kDefaultClass).ok());
        web::PushRequest request;
        request.source = "rot";
        request.token = house->issue_token(house->archive().find_source("rot")->id, "tester").value();
        std::string lines;
        for (int i = 0; i < 4; ++i)
            lines += R"({"id":")" + std::to_string(i) +
                     R"(","kind":"chat","sent_at":"2026-03-02T10:00:00Z","sender":{"id":"u"},"body":"Vertrag"})" + "\n";
        request.body = to_bytes(lines);
        const auto answer = house->push(request);
        REQUIRE(answer.ok());
        for (const web::PushReceipt& receipt : answer->receipts) records.push_back(receipt.entry);
        REQUIRE(house->index_all(false).ok());
        matter = house->matter_desk().open_new("Az. 1", "Art. 15").value().entry;
        other = house->matter_desk().open_new("Az. 2", "Art. 15").value().entry;
    }
    void open() {
        house.reset();
        HouseOptions options;
        options.archive = dir / "a";
        options.state = dir / "s";
        options.actor = "tester";
        options.secret = vault::PassphraseSecret{SecretBytes(kPassphrase)};
        auto opened = House::open({fs, clock, random}, std::move(options));
        if (!opened.ok()) FAIL(opened.error().message());
        house = std::move(*opened);
    }
    EntrySet set(std::initializer_list<std::size_t> which) const {
        EntrySet out;
        for (const std::size_t i : which) out.add(records.at(i));
        return out;
    }
    Result<ReviewDone> decide(ReviewChange change, const std::string& name, const std::string& value,
                              const EntrySet& on) {
        return house->reviews().decide(matter, "tester", {change, name, value, on});
    }
    Result<std::uint64_t> count(const std::string& query, EntryIndex of) {
        SearchOrder order;
        order.actor = "tester";
        order.matter = access::matter_id(of);
        order.query = query;
        return TRY(house->search(order)).report.total;
    }
};

}  // namespace

TEST_CASE("a label is found in its own matter alone, and again after a restart") {
    World w;
    CHECK(w.count("tag:wichtig", w.matter).error().code() == Code::usage);
    CHECK(w.decide(ReviewChange::tag, "Wichtig", "", w.set({0, 2}))->changed == 2);
    CHECK(w.decide(ReviewChange::tag, "wichtig", "", w.set({2, 3}))->changed == 1);
    CHECK(w.decide(ReviewChange::code, "Privileg", "ja", w.set({0, 1}))->changed == 2);
    CHECK(w.decide(ReviewChange::code, "privileg", "nein", w.set({1}))->changed == 1);
    for (int again = 0; again < 2; ++again) {
        CHECK(w.count("tag:WICHTIG", w.matter).value() == 3);
        CHECK(w.count("* NOT tag:wichtig", w.matter).value() == 1);
        CHECK(w.count("bewertung:privileg=ja", w.matter).value() == 1);
        CHECK(w.count("code:privileg=\"NEIN\" OR code:\"Privileg=ja\"", w.matter).value() == 2);
        CHECK(w.count("code:privileg schlagwort:wichtig", w.matter).value() == 1);
        CHECK(w.count("code:privileg=vielleicht", w.matter).error().code() == Code::usage);
        CHECK(w.count("code:=ja", w.matter).error().code() == Code::usage);
        CHECK(w.count("tag:wichtig", w.other).error().code() == Code::usage);
        CHECK(w.count("code:privileg", w.other).error().code() == Code::usage);
        w.open();
    }
    const auto report =
        w.house->record("tester", access::matter_id(w.matter), w.records[0], web::Language::english).value();
    CHECK(report.labels == std::vector<std::string>{"Wichtig"});
    CHECK(report.codes == std::vector<std::string>{"Privileg=ja"});
    CHECK(w.house->record("tester", access::matter_id(w.other), w.records[0], web::Language::english)->labels.empty());
    CHECK(w.decide(ReviewChange::untag, "Wichtig", "", w.set({1})).error().code() == Code::usage);
    CHECK(w.decide(ReviewChange::untag, "nie", "", w.set({1})).error().code() == Code::usage);
    CHECK(w.decide(ReviewChange::clear, "privileg", "", w.set({0, 1, 2}))->changed == 2);
    CHECK(w.count("code:privileg", w.matter).value() == 0);
    CHECK(w.decide(ReviewChange::untag, "wichtig", "", w.set({0, 1, 2}))->changed == 2);
    CHECK(w.count("tag:wichtig", w.matter).value() == 1);
}

TEST_CASE("only records of the archive that may be opened for the matter are chosen") {
    World w;
    ReviewChoice choice;
    choice.matter = w.matter;
    choice.actor = "tester";
    CHECK(w.house->choose_records(choice).error().code() == Code::usage);
    choice.query = "Vertrag";
    CHECK(w.house->choose_records(choice)->records == w.set({0, 1, 2, 3}));
    choice.records = w.set({0});
    CHECK(w.house->choose_records(choice).error().code() == Code::usage);  // in one way
    choice.query.clear();
    CHECK(w.house->choose_records(choice)->records == w.set({0}));
    choice.records.add(EntryIndex(1));  // the evidence key
    CHECK(w.house->choose_records(choice).error().code() == Code::usage);
    choice.records = w.set({0});
    choice.records.add(EntryIndex(999'999));
    CHECK(w.house->choose_records(choice).error().code() == Code::usage);

    SearchOrder freeze;
    freeze.actor = "tester";
    freeze.matter = access::matter_id(w.matter);
    freeze.query = "Vertrag";
    freeze.freeze = true;
    const EntryIndex frozen = w.house->search(freeze)->frozen.value();
    vault::ForgetOrder forget;
    forget.entries = {w.records[3]};
    forget.reason = vault::compose_reason({"Art. 17 DSGVO", "clerk", {"one", "two"}, ""});
    REQUIRE(w.house->archive().forget(std::move(forget)).ok());
    choice.records = {};
    choice.result = frozen;
    CHECK(w.house->choose_records(choice)->records == w.set({0, 1, 2}));
    CHECK(w.house->choose_records(choice)->erased == 1);
    choice.matter = w.other;
    CHECK(w.house->choose_records(choice).error().code() == Code::denied);
    choice.matter = w.matter;
    choice.result.reset();
    choice.records = w.set({3});
    CHECK(w.house->choose_records(choice).error().code() == Code::erased);
    REQUIRE(w.house->matter_desk().close(w.matter).ok());
    choice.records = w.set({0});
    CHECK(w.house->choose_records(choice).error().code() == Code::denied);
}

TEST_CASE("what is kept of a matter is forgotten when the vault closes") {
    World w;
    REQUIRE(w.decide(ReviewChange::tag, "wichtig", "", w.set({0})).ok());
    CHECK(w.house->reviews().tagged(w.matter, "wichtig")->count() == 1);
    REQUIRE(w.house->archive().lock("key holder").ok());
    CHECK(w.house->reviews().tagged(w.matter, "wichtig").error().code() == Code::closed);
    CHECK(w.house->reviews().look(w.matter, [](const ReviewState&) { FAIL("it is closed"); }).error().code() ==
          Code::closed);
    CHECK(w.decide(ReviewChange::tag, "wichtig", "", w.set({1})).error().code() == Code::closed);
}
