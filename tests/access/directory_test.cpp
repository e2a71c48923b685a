#include "access/directory.h"

#include <doctest/doctest.h>

#include "tests/support/doc_example.h"

namespace kustos::access {
namespace {

UtcTime day(const char* text) {
    return utc_midnight(*parse_day(text)).value();
}

DatedCard card(std::uint64_t entry, std::uint32_t source, const char* key, const char* sealed, const char* name,
               std::vector<std::string> emails, const char* number = "") {
    DatedCard c;
    c.entry = EntryIndex(entry);
    c.source = SourceId(source);
    c.sealed = day(sealed);
    c.card.key = key;
    c.card.names = {name};
    c.card.emails = std::move(emails);
    c.card.number = number;
    return c;
}

DatedCard gone(std::uint64_t entry, std::uint32_t source, const char* key, const char* sealed) {
    DatedCard c = card(entry, source, key, sealed, "", {});
    c.card.names.clear();
    c.card.gone = true;
    return c;
}

vault::PersonDecision decision(std::uint64_t entry, std::uint64_t a, std::uint64_t b, bool joined) {
    return {EntryIndex(entry), UtcTime{}, EntryIndex(a), EntryIndex(b), joined};
}

}  // namespace

TEST_CASE("the card on the page is what the program writes and reads") {
    const std::string page = test::doc_text("persons.md", "card");
    const PersonCard read = parse_card(page).value();
    CHECK(read.names == std::vector<std::string>{"Anna Müller", "Anna Schmidt"});
    CHECK(read.ids == std::vector<std::string>{"matrix:@anna:example.org"});
    CHECK(read.number == "4711");
    CHECK(read.from == CivilDate{2024, 5, 1});
    CHECK(encode_card(read) == page);
    const std::string left = test::doc_text("persons.md", "gone");
    CHECK(parse_card(left).value().gone);
    CHECK(encode_card(parse_card(left).value()) == left);
}

TEST_CASE("a card's text has no control characters and no endless values") {
    PersonCard c;
    c.key = "k1";
    c.names = {std::string("a\nemail: evil@example.org"), std::string(5'000, 'x')};
    for (int i = 0; i < 1'000; ++i) c.emails.push_back("a" + std::to_string(i) + "@example.org");
    const PersonCard back = parse_card(encode_card(c)).value();
    CHECK(back.names[0] == "a email: evil@example.org");
    CHECK(back.names[1].size() <= kMaxCardValue);
    CHECK(back.emails.size() < kMaxCardLines);
    CHECK(back.emails.front() == "a0@example.org");
    CHECK(!parse_card("person-card 1\nno colon\n").ok());
    CHECK(!parse_card("person-card 1\nname: without a key\n").ok());
    CHECK(!parse_card("").ok());
}

TEST_CASE("versions of one card are one person, and an address ends when a later version lacks it") {
    const auto all = gather({card(5, 1, "k1", "2024-01-01", "Anna Schmidt", {"anna.schmidt@example.org"}),
                             card(9, 1, "k1", "2025-06-01", "Anna Müller", {"anna.mueller@example.org"})},
                            {});
    REQUIRE(all.size() == 1);
    CHECK(all[0].id == EntryIndex(5));
    CHECK(all[0].name() == "Anna Müller");
    CHECK(all[0].names.size() == 2);
    REQUIRE(all[0].handles.size() == 2);
    CHECK(!all[0].handles[0].from);
    CHECK(all[0].handles[0].until == day("2025-06-01"));
    CHECK(all[0].handles[0].holds_at(day("2020-01-01")));
    CHECK(!all[0].handles[0].holds_at(day("2025-06-01")));
    CHECK(all[0].handles[1].from == day("2025-06-01"));
    CHECK(!all[0].handles[1].until);
}

TEST_CASE("who left has addresses until then, and who comes back has them again") {
    const auto left =
        gather({card(5, 1, "k1", "2024-01-01", "A", {"a@example.org"}), gone(7, 1, "k1", "2025-01-01")}, {});
    REQUIRE(left.size() == 1);
    CHECK(left[0].gone);
    CHECK(left[0].handles[0].until == day("2025-01-01"));
    const auto back = gather({card(5, 1, "k1", "2024-01-01", "A", {"a@example.org"}), gone(7, 1, "k1", "2025-01-01"),
                              card(9, 1, "k1", "2026-01-01", "A", {"a@example.org"})},
                             {});
    CHECK(!back[0].gone);
    REQUIRE(back[0].handles.size() == 2);
    CHECK(back[0].handles[1].from == day("2026-01-01"));
}

TEST_CASE("an employee number joins across sources, an address does, and a UUID does") {
    CHECK(
        gather({card(1, 1, "k1", "2024-01-01", "A", {}, "4711"), card(2, 2, "x", "2024-01-01", "A", {}, " 4711 ")}, {})
            .size() == 1);
    CHECK(gather({card(1, 1, "k1", "2024-01-01", "A", {"A@Example.org"}),
                  card(2, 2, "x", "2024-01-01", "B", {"a@example.org"})},
                 {})
              .size() == 1);
    auto a = card(1, 1, "k1", "2024-01-01", "A", {}), b = card(2, 2, "x", "2024-01-01", "B", {});
    a.card.uid = "urn:uuid:4FBE8971-0BC3-424C-9C26-36C3E1EFF6B1";
    b.card.uid = "{4fbe8971-0bc3-424c-9c26-36c3e1eff6b1}";
    CHECK(gather({a, b}, {}).size() == 1);
    b.card.uid = a.card.uid = "17";
    CHECK(gather({a, b}, {}).size() == 2);  // anybody's counter
}

TEST_CASE("a contradiction is told and never merged") {
    // two employee numbers
    auto all = gather({card(1, 1, "k1", "2024-01-01", "A", {"post@example.org"}, "1"),
                       card(2, 2, "x", "2024-01-01", "B", {"post@example.org"}, "2")},
                      {});
    REQUIRE(all.size() == 2);
    REQUIRE(all[0].conflicts.size() == 1);
    CHECK(all[0].conflicts[0].code == "person:number-differs");
    CHECK(all[1].conflicts == all[0].conflicts);
    // one source says they are two
    all = gather({card(1, 1, "k1", "2024-01-01", "A", {"post@example.org"}),
                  card(2, 1, "k2", "2024-01-01", "B", {"post@example.org"})},
                 {});
    REQUIRE(all.size() == 2);
    CHECK(all[0].conflicts[0].code == "person:address-shared");
    all = gather({card(1, 1, "k1", "2024-01-01", "A", {}, "7"), card(2, 1, "k2", "2024-01-01", "B", {}, "7")}, {});
    REQUIRE(all.size() == 2);
    CHECK(all[0].conflicts[0].code == "person:number-shared");
    // not by a third either
    all = gather(
        {card(1, 1, "k1", "2024-01-01", "A", {"a@example.org"}), card(2, 1, "k2", "2024-01-01", "B", {"b@example.org"}),
         card(3, 2, "x", "2024-01-01", "AB", {"a@example.org", "b@example.org"})},
        {});
    CHECK(all.size() == 2);
}

TEST_CASE("a directory that was set up anew has new uids, and its persons stay who they were") {
    const auto all =
        gather({card(1, 1, "k1", "2024-01-01", "A", {"a@example.org"}, "7"),
                card(5, 1, "k2", "2025-01-01", "A", {"a@example.org"}, "7"), gone(6, 1, "k1", "2025-01-01")},
               {});
    REQUIRE(all.size() == 1);
    CHECK(!all[0].gone);
    CHECK(all[0].conflicts.empty());
}

TEST_CASE("an address that passed from one to another joins nobody, and each search has its time") {
    const auto all = gather({card(1, 1, "k1", "2023-01-01", "Anna", {"anna@example.org", "leitung@example.org"}),
                             card(4, 1, "k1", "2024-01-01", "Anna", {"anna@example.org"}),
                             card(5, 2, "k2", "2025-01-01", "Zoe", {"zoe@example.org"}),
                             card(6, 2, "k2", "2025-02-01", "Zoe", {"zoe@example.org", "leitung@example.org"})},
                            {});
    REQUIRE(all.size() == 2);
    CHECK(all[0].conflicts.empty());
    const auto anna = search_handles(all[0], all), zoe = search_handles(all[1], all);
    REQUIRE(anna.size() == 2);
    CHECK(!anna[0].until);
    CHECK(anna[1].text == "leitung@example.org");
    CHECK(anna[1].until == day("2025-02-01"));  // when somebody else had it, not when Anna's card lost it
    CHECK(!anna[1].from);
    CHECK(zoe[1].from == day("2024-01-01"));
    CHECK(!zoe[1].shared);
}

TEST_CASE("hands win over rules, the newest hand counts, and a split holds against third cards") {
    const std::vector<DatedCard> cards{card(1, 1, "k1", "2024-01-01", "A", {"a@example.org"}, "1"),
                                       card(2, 2, "x", "2024-01-01", "A", {}, "2"),
                                       card(3, 3, "y", "2024-01-01", "A", {"a@example.org"})};
    CHECK(gather(cards, {}).size() == 2);
    CHECK(gather(cards, {decision(10, 1, 2, true)}).size() == 1);
    CHECK(gather(cards, {decision(10, 1, 2, true), decision(11, 1, 2, false)}).size() == 2);
    CHECK(gather(cards, {decision(10, 1, 3, false)}).size() == 3);
    CHECK(gather(cards, {decision(10, 1, 3, false), decision(11, 2, 3, true), decision(12, 1, 2, true)}).size() == 2);
    CHECK(gather(cards, {decision(10, 1, 99, true)}).size() == 2);  // a card that was erased
}

TEST_CASE("messenger ids are searched as they are sent, and a login that is a name is left out") {
    auto c = card(1, 1, "k1", "2024-01-01", "Anna Müller", {"anna@example.org"});
    c.card.given = "Anna";
    c.card.ids = {"matrix:@anna:example.org"};
    c.card.logins = {"anna", "amueller7", "mmustermann"};
    c.card.phones = {"+49 (30) 1234-567"};
    const auto all = gather({c}, {});
    std::vector<std::string> taken, left;
    for (const SearchHandle& h : search_handles(all[0], all)) (h.left_out ? left : taken).push_back(h.text);
    CHECK(taken == std::vector<std::string>{"anna@example.org", "@anna:example.org", "amueller7", "mmustermann",
                                            "+49 (30) 1234-567", "+49301234567"});
    CHECK(left == std::vector<std::string>{"anna"});
}

TEST_CASE("a thousand cards with one address are done at once") {
    std::vector<DatedCard> cards;
    for (std::uint64_t i = 0; i < 1'000; ++i)
        cards.push_back(card(i, 1, ("k" + std::to_string(i)).c_str(), "2024-01-01", "X", {"all@example.org"}));
    CHECK(gather(cards, {}).size() == 1'000);
}

TEST_CASE("persons are named by P and the number of any of their cards") {
    CHECK(person_id(EntryIndex(12)) == "P12");
    CHECK(parse_person_id("p12") == EntryIndex(12));
    CHECK(!parse_person_id("P"));
    CHECK(!parse_person_id("Paul"));
    CHECK(!parse_person_id("P12x"));
    CHECK(!parse_person_id("12"));
}

TEST_CASE("days are read as people and programs write them") {
    CHECK(parse_day("2026-03-31") == CivilDate{2026, 3, 31});
    CHECK(parse_day("31.03.2026") == CivilDate{2026, 3, 31});
    CHECK(parse_day("20260331T120000Z") == CivilDate{2026, 3, 31});
    CHECK(!parse_day("31.02.2026"));
    CHECK(!parse_day(""));
}

}  // namespace kustos::access
