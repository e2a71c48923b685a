// docs/format/retention.md: its examples, and what a reader refuses.
#include <doctest/doctest.h>

#include <random>

#include "tests/support/doc_example.h"
#include "vault/duplicates.h"
#include "vault/entry_sets.h"
#include "vault/retention.h"
#include "vault/retention_book.h"
#include "vault/retention_entries.h"

using namespace kustos;
using namespace kustos::vault;
using audit::Body;
using audit::ControlAction;
using audit::Tag;
using test::doc_example;

namespace {

constexpr UtcTime kTime{1'772'445'600'000};

audit::Entry control(const Body& body) {
    audit::Entry entry;
    entry.header.kind = audit::Kind::control;
    entry.header.retention_class = kControlClass;
    entry.body = body.encode();
    return entry;
}
audit::Entry control(Bytes body) {
    return control(Body::decode(body).value());
}
Body timed(ControlAction action) {
    Body body(action);
    body.put_time(Tag::time, kTime);
    return body;
}
EntrySet set_of(std::initializer_list<EntrySet::Interval> intervals) {
    EntrySet set;
    for (const auto& i : intervals) set.add(i.first, i.last);
    return set;
}
Bytes with_time(const Draft& draft) {
    return Body::decode(draft.body).value().put_time(Tag::time, kTime).encode();
}

}  // namespace

TEST_CASE("retention.md: a class") {
    const Bytes page = doc_example("retention.md", "class");
    RetentionBook book;
    REQUIRE(book.apply(EntryIndex(9), control(page)).ok());
    const ClassDefinition* d = book.classes().find("Vergabe");
    REQUIRE(d != nullptr);
    CHECK(d->code == ClassCode(200));
    CHECK(d->months == 120);
    CHECK(d->start == Start::process_end);
    CHECK(d->at_end == AtEnd::offer_then_erase);
    CHECK(d->legal_basis == "§ 8 VgV");
    CHECK(with_time(class_draft(*d, {}).front()) == page);
    // Only the next version is one.
    CHECK(book.apply(EntryIndex(10), control(page)).error().code() == Code::corrupt);
}

TEST_CASE("retention.md: a hold's list") {
    const Bytes page = doc_example("retention.md", "hold");
    RetentionBook book;
    REQUIRE(book.apply(EntryIndex(50), control(page)).ok());
    const HoldInfo* hold = book.holds().find(EntryIndex(50));
    REQUIRE(hold != nullptr);
    const EntrySet list = set_of({{EntryIndex(17), EntryIndex(17)}, {EntryIndex(20), EntryIndex(44)}});
    CHECK(hold->records == list);
    CHECK(hold->standing);
    CHECK(hold->matter == EntryIndex(12));
    const auto drafts =
        list_drafts(ControlAction::hold_set, list,
                    [](Body& body) {
                        body.put_u64(Tag::matter, 12).put_text(Tag::method, "person").put_text(Tag::code, "standing");
                    },
                    {});
    REQUIRE(drafts.size() == 1);
    CHECK(with_time(drafts.front()) == page);
}

TEST_CASE("retention.md: a rule") {
    const Bytes page = doc_example("retention.md", "rule");
    const auto rule = decode_rule(page);
    REQUIRE(rule.ok());
    CHECK(encode(*rule) == page);
    const Bytes key(32, 0x66);
    const RuleMac mac = [&key](ByteView identity) { return duplicate_mac(key, SourceId(0), identity); };
    CHECK(rule->mac == mac(rule_identity(AssignmentRule::Who::participant, "Anna@Example.org")));
    for (std::size_t i = 0; i < page.size(); ++i) CHECK_FALSE(decode_rule(ByteView(page).first(i)).ok());
    Bytes unknown = page;
    unknown[7] = 3;
    CHECK_FALSE(decode_rule(unknown).ok());
    unknown = page;
    unknown[6] = 13;
    CHECK_FALSE(decode_rule(unknown).ok());

    Message m;
    m.kind = MessageKind::mail;
    m.sender.address = "bert@example.org";
    const std::vector<AssignmentRule> rules{*rule};
    CHECK_FALSE(assign_class(rules, SourceId(3), m, mac).has_value());
    m.recipients.push_back({Role::bcc, {"", "Anna", "ANNA@example.ORG", "", false}});
    CHECK(assign_class(rules, SourceId(3), m, mac) == ClassCode(200));
    CHECK_FALSE(assign_class(rules, SourceId(4), m, mac).has_value());
    m.kind = MessageKind::chat;
    CHECK_FALSE(assign_class(rules, SourceId(3), m, mac).has_value());
}

TEST_CASE("the first rule that fits decides") {
    const RuleMac mac = [](ByteView identity) { return sha256(identity); };
    AssignmentRule chat, everything, talk;
    chat.to = ClassCode(201);
    chat.kind = MessageKind::chat;
    everything.to = ClassCode(202);
    talk.to = ClassCode(203);
    talk.who = AssignmentRule::Who::conversation;
    talk.mac = mac(rule_identity(talk.who, "room 7"));
    Message m;
    m.conversation.id = "Room 7";
    CHECK(assign_class({chat, everything, talk}, SourceId(1), m, mac) == ClassCode(201));
    CHECK(assign_class({talk, chat, everything}, SourceId(1), m, mac) == ClassCode(203));
    m.conversation.id = "Room 8";
    CHECK(assign_class({talk, chat, everything}, SourceId(1), m, mac) == ClassCode(201));
    m.kind = MessageKind::mail;
    CHECK(assign_class({talk, chat, everything}, SourceId(1), m, mac) == ClassCode(202));
    CHECK_FALSE(assign_class({talk, chat}, SourceId(1), m, mac).has_value());
}

TEST_CASE("a long list goes on in further entries, and comes back whole") {
    EntrySet list;
    for (std::uint64_t n = 0; n < 2 * kRangesPerEntry + 5; ++n) list.add(EntryIndex(3 * n + 1));
    for (const ControlAction action : {ControlAction::hold_set, ControlAction::restriction_set,
                                       ControlAction::record_reclassified, ControlAction::disposition_listed}) {
        const auto drafts = list_drafts(action, list,
                                        [](Body& body) {
                                            body.put_text(Tag::method, "records")
                                                .put_text(Tag::code, "frozen")
                                                .put_u16(Tag::retention_class, kDefaultClass.value);
                                        },
                                        {});
        REQUIRE(drafts.size() == 3);
        RetentionBook book;
        std::uint64_t index = 1'000'000;
        for (const Draft& d : drafts) {
            CHECK(d.body.size() <= audit::kMaxBody);
            REQUIRE(book.apply(EntryIndex(index++), control(with_time(d))).ok());
        }
        if (action == ControlAction::hold_set) CHECK(book.holds().find(EntryIndex(1'000'000))->records == list);
        if (action == ControlAction::restriction_set)
            CHECK(book.restrictions().at(EntryIndex(1'000'000)).records == list);
        if (action == ControlAction::disposition_listed) CHECK(book.lists().at(EntryIndex(1'000'000)).listed == list);
        if (action == ControlAction::record_reclassified) {
            for (std::uint64_t n = 0; n < 3 * (2 * kRangesPerEntry + 5); ++n)
                REQUIRE(book.input_of(EntryIndex(n), kDefaultClass).reclassified.has_value() == (n % 3 == 1));
        }
    }
}

TEST_CASE("entries that lack what they must have, or name what is not there, are refused") {
    const auto refused = [](const Body& body) {
        RetentionBook book;
        return book.apply(EntryIndex(5), control(body)).ok() ? false : true;
    };
    CHECK(refused(timed(ControlAction::class_defined)));
    CHECK(refused(timed(ControlAction::hold_released)));
    CHECK(refused(timed(ControlAction::hold_released).put_u64(Tag::entry, 3)));
    CHECK(refused(timed(ControlAction::hold_set).put_text(Tag::method, "query")));
    CHECK(refused(timed(ControlAction::hold_set).put_u32(Tag::part, 1)));
    CHECK(refused(timed(ControlAction::record_reclassified).put_u32(Tag::part, 1)));
    CHECK(refused(timed(ControlAction::start_event).put_text(Tag::start, "birth").put_u32(Tag::day, 20'260'302)));
    CHECK(refused(timed(ControlAction::start_event).put_text(Tag::start, "created").put_u32(Tag::day, 20'260'230)));
    CHECK(refused(timed(ControlAction::disposition_released).put_u64(Tag::entry, 3)));
    CHECK(refused(timed(ControlAction::disposition_reviewed).put_u64(Tag::entry, 3).put_text(Tag::code, "taken")));
    CHECK(refused(timed(ControlAction::restriction_lifted).put_u64(Tag::entry, 3)));
    CHECK(refused(timed(ControlAction::record_succeeded).put_u64(Tag::entry, 9).put_u64(Tag::successor, 4)));
    const EntrySet::Interval twice[] = {{EntryIndex(4), EntryIndex(9)}, {EntryIndex(9), EntryIndex(12)}};
    CHECK(refused(timed(ControlAction::restriction_set).put_entry_ranges(twice)));
    const EntrySet::Interval good[] = {{EntryIndex(4), EntryIndex(9)}};
    CHECK_FALSE(refused(timed(ControlAction::restriction_set).put_entry_ranges(good)));
}

TEST_CASE("a successor is held, restricted and dated with the record before") {
    RetentionBook book;
    const EntrySet::Interval ten[] = {{EntryIndex(10), EntryIndex(10)}};
    REQUIRE(
        book.apply(EntryIndex(20),
                   control(timed(ControlAction::record_succeeded).put_u64(Tag::entry, 10).put_u64(Tag::successor, 19)))
            .ok());
    REQUIRE(book.apply(EntryIndex(21), control(timed(ControlAction::hold_set)
                                                   .put_text(Tag::method, "records")
                                                   .put_text(Tag::code, "frozen")
                                                   .put_entry_ranges(ten)))
                .ok());
    REQUIRE(book.apply(EntryIndex(22),
                       control(timed(ControlAction::restriction_set).put_u64(Tag::matter, 3).put_entry_ranges(ten)))
                .ok());
    const PlanInput in = book.input_of(EntryIndex(19), kDefaultClass);
    CHECK(in.holds == std::vector{EntryIndex(21)});
    CHECK(in.restriction == EntryIndex(22));
    CHECK(in.dates_of == EntryIndex(10));
    CHECK(book.restriction_for(EntryIndex(19), EntryIndex(3)) == std::nullopt);
    CHECK(book.restriction_for(EntryIndex(19), EntryIndex(4)) == EntryIndex(22));
    CHECK(book.restriction_for(EntryIndex(18), EntryIndex(4)) == std::nullopt);
    CHECK(book.with_successors(set_of({{EntryIndex(10), EntryIndex(10)}})).contains(EntryIndex(19)));
}

TEST_CASE("arithmetic of entry sets agrees with single entries") {
    std::mt19937 chance(3);
    for (int round = 0; round < 2'000; ++round) {
        EntrySet sets[2];
        for (EntrySet& set : sets) {
            for (auto n = chance() % 5; n > 0; --n) {
                const std::uint64_t first = chance() % 30;
                set.add(EntryIndex(first), EntryIndex(first + chance() % 8));
            }
        }
        const EntrySet both = intersection(sets[0], sets[1]), less = difference(sets[0], sets[1]);
        for (std::uint64_t n = 0; n < 45; ++n) {
            const EntryIndex e(n);
            REQUIRE(both.contains(e) == (sets[0].contains(e) && sets[1].contains(e)));
            REQUIRE(less.contains(e) == (sets[0].contains(e) && !sets[1].contains(e)));
        }
    }
}
