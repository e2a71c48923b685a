// Labels and codes of a matter's review: names as they are typed, and the replay against a naive one.
#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>

#include "app/review_names.h"
#include "app/review_state.h"
#include "vault/entry_sets.h"

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
