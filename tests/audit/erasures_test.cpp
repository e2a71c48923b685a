// Erasure entries taken together: what may be missing, what must be, and which entries are refused.
#include "audit/erasures.h"

#include <doctest/doctest.h>

#include <chrono>
#include <set>

#include "base/random.h"

using namespace kustos;
using namespace kustos::audit;

namespace {

using Id = ErasureId;
constexpr Id kOne = {1}, kTwo = {2};

LeafSpan span(std::uint32_t tree, std::uint32_t first, std::uint32_t last) {
    return {KeyTreeId{tree}, LeafNumber{first}, LeafNumber{last}};
}

// A ledger of records: entry n uses leaf n of tree 1; from 1,000 on leaf n - 1,000 of tree 2.
Result<EntryHeader> header_of(EntryIndex entry) {
    EntryHeader h;
    h.kind = Kind::record;
    h.suite = Suite::aes256_gcm;
    h.tree = KeyTreeId{entry.value < 1'000 ? 1U : 2U};
    h.leaf = LeafNumber{static_cast<std::uint32_t>(entry.value % 1'000)};
    return h;
}

class Ledger {
public:
    Ledger() : all(header_of) {
        all.counts_from(EntryIndex{0});
        for (std::uint64_t i = 0; i < 2'000; ++i) CHECK(all.seal(*header_of(EntryIndex{i})));
    }
    Status take(Body body, Kind kind = Kind::erasure) {
        Entry entry;
        entry.header.kind = kind;
        entry.body = body.put_time(Tag::time, UtcTime{5}).encode();
        return all.take(EntryIndex{next++}, entry);
    }
    static Body begun(const Id& id, std::vector<LeafRange> ranges, std::uint32_t part = 0, std::uint32_t parts = 1) {
        Body body(ErasureAction::begun);
        body.put_bytes(Tag::erasure, id).put_text(Tag::method, "erasure").put_u32(Tag::generation, 2);
        body.put_u32(Tag::part, part).put_u32(Tag::parts, parts);
        for (const LeafRange& r : ranges) body.put_leaf_range(r);
        return body;
    }
    static Body done(const Id& id, std::uint64_t count, std::uint32_t generation = 2) {
        return Body(ErasureAction::done)
            .put_bytes(Tag::erasure, id)
            .put_u32(Tag::generation, generation)
            .put_hash(Tag::keyring_hash, Hash{})
            .put_u64(Tag::count, count);
    }
    static Body removed(std::uint64_t size, std::uint64_t count) {
        return Body(ErasureAction::ciphertext_removed).put_u64(Tag::checkpoint_size, size).put_u64(Tag::count, count);
    }
    Status generation(std::uint32_t number = 2) {
        return take(
            Body(ControlAction::generation_opened).put_u32(Tag::generation, number).put_hash(Tag::keyring_hash, Hash{}),
            Kind::control);
    }
    Erasures all;
    std::uint64_t next = 2'000;
};

LeafRange range(std::uint32_t first, std::uint32_t last, std::uint64_t first_entry, std::uint64_t last_entry,
                std::uint32_t tree = 1) {
    return {KeyTreeId{tree}, LeafNumber{first}, LeafNumber{last}, EntryIndex{first_entry}, EntryIndex{last_entry}};
}
LeafRange record(std::uint32_t leaf) {
    return range(leaf, leaf, leaf, leaf);
}

bool refused(const Status& status) {
    return !status.ok() && status.error().code() == Code::bad_input;
}

}  // namespace

TEST_CASE("a set of leaves is what a plain set would be") {
    SeededRandom random(3);
    LeafSet set, other;
    std::set<std::pair<std::uint32_t, std::uint32_t>> plain, plain_other;
    const auto put = [&](LeafSet& to, auto& into, std::uint32_t tree, std::uint32_t first, std::uint32_t last) {
        to.add(span(tree, first, last));
        for (std::uint32_t i = first; i <= last; ++i) into.insert({tree, i});
    };
    for (int i = 0; i < 400; ++i) {
        const auto first = static_cast<std::uint32_t>(random.next() % 20'000);
        const auto length = static_cast<std::uint32_t>(random.next() % 3 == 0 ? random.next() % 9'000 : 0);
        put(i % 2 == 0 ? set : other, i % 2 == 0 ? plain : plain_other, 1 + random.next() % 2, first, first + length);
    }
    const auto check = [](const LeafSet& s, const auto& p) {
        CHECK(s.count() == p.size());
        std::uint64_t n = 0;
        for (const LeafSpan& x : s.spans()) {
            for (std::uint32_t i = x.first.value; i <= x.last.value; ++i, ++n) CHECK(p.count({x.tree.value, i}) == 1);
        }
        CHECK(n == p.size());
    };
    check(set, plain);
    for (std::uint32_t leaf = 0; leaf < 30'000; leaf += 7)
        CHECK(set.contains(KeyTreeId{1}, LeafNumber{leaf}) == (plain.count({1, leaf}) == 1));
    auto minus = plain, both = plain;
    std::erase_if(minus, [&](const auto& x) { return plain_other.count(x) == 1; });
    std::erase_if(both, [&](const auto& x) { return plain_other.count(x) == 0; });
    check(set.without(other), minus);
    check(set.common(other), both);
    std::uint64_t in = 0, common = 0;
    for (const auto& [tree, leaf] : plain) in += tree == 2 && leaf >= 100 && leaf <= 15'000 ? 1 : 0;
    for (const auto& [tree, leaf] : both) common += tree == 2 && leaf >= 100 && leaf <= 15'000 ? 1 : 0;
    CHECK(set.count_in(span(2, 100, 15'000)) == in);
    CHECK(set.count_common_in(span(2, 100, 15'000), other) == common);
    set.add(other);
    plain.insert(plain_other.begin(), plain_other.end());
    check(set, plain);
    set.add(span(3, 0, kLeavesPerKeyTree - 1));
    set.add(KeyTreeId{3}, LeafNumber{17});
    CHECK(set.count_in(span(3, 0, kLeavesPerKeyTree - 1)) == kLeavesPerKeyTree);
    const LeafSet moved = std::move(set);
    CHECK(moved.contains(KeyTreeId{3}, LeafNumber{kLeavesPerKeyTree - 1}));
}

TEST_CASE("ten million scattered leaves are taken and asked for in seconds") {
    LeafSet set;
    const auto begin = std::chrono::steady_clock::now();
    for (std::uint32_t tree = 1; tree <= 20; ++tree) {
        for (std::uint32_t leaf = 0; leaf < kLeavesPerKeyTree; leaf += 2) set.add(KeyTreeId{tree}, LeafNumber{leaf});
    }
    std::uint64_t found = 0;
    for (std::uint32_t leaf = 0; leaf < kLeavesPerKeyTree; ++leaf)
        found += set.contains(KeyTreeId{7}, LeafNumber{leaf}) ? 1 : 0;
    const auto took = std::chrono::steady_clock::now() - begin;
    CHECK(found == kLeavesPerKeyTree / 2);
    CHECK(set.count() == 10 * std::uint64_t{kLeavesPerKeyTree});
    CHECK(took < std::chrono::seconds(20));
    MESSAGE(std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms");
}

TEST_CASE("a run allows from its done on, and asks from the compaction on that looked as far") {
    Ledger l;
    REQUIRE(l.take(Ledger::begun(kOne, {record(5), range(10, 19, 10, 19)})).ok());
    CHECK(!l.all.covered(KeyTreeId{1}, LeafNumber{5}));  // begun is no permission
    CHECK(state_of(*l.all.find(kOne)) == RunState::begun);
    REQUIRE(l.generation().ok());
    REQUIRE(l.take(Ledger::done(kOne, 11)).ok());
    const std::uint64_t done = l.next - 1;
    CHECK(l.all.covered(KeyTreeId{1}, LeafNumber{5}));
    CHECK(l.all.covered(KeyTreeId{1}, LeafNumber{19}));
    CHECK(!l.all.covered(KeyTreeId{1}, LeafNumber{20}));
    CHECK(!l.all.covered(KeyTreeId{2}, LeafNumber{5}));
    CHECK(!l.all.must_be_missing(KeyTreeId{1}, LeafNumber{5}));
    CHECK(l.all.destroyed_below() == 2);
    REQUIRE(l.take(Ledger::removed(done, 0)).ok());  // a compaction that had seen the ledger before it
    CHECK(!l.all.must_be_missing(KeyTreeId{1}, LeafNumber{5}));
    REQUIRE(l.take(Ledger::removed(done + 1, 11)).ok());
    CHECK(l.all.must_be_missing(KeyTreeId{1}, LeafNumber{5}));
    CHECK(state_of(*l.all.find(kOne)) == RunState::unreadable);
    REQUIRE(
        l.take(Body(ErasureAction::terms_removed).put_u64(Tag::checkpoint_size, done + 1).put_u64(Tag::count, 1)).ok());
    CHECK(state_of(*l.all.find(kOne)) == RunState::ciphertext_gone);
    const auto final_of = [&](std::uint32_t generation) {
        return Body(ErasureAction::final_).put_u64(Tag::checkpoint_size, done + 1).put_u32(Tag::generation, generation);
    };
    REQUIRE(l.take(final_of(1)).ok());  // a copy of the one before is left
    CHECK(!l.all.find(kOne)->final_entry);
    REQUIRE(l.take(final_of(2)).ok());
    CHECK(state_of(*l.all.find(kOne)) == RunState::final_);
    CHECK(!l.all.seal(*header_of(EntryIndex{5})));  // used again
    CHECK(l.all.seal(*header_of(EntryIndex{6})));
}

TEST_CASE("a whole tree goes in one range, and its unused leaves with it") {
    Ledger l;
    REQUIRE(l.generation().ok());
    REQUIRE(l.take(Ledger::begun(kOne, {range(0, kLeavesPerKeyTree - 1, 1'000, 1'999, 2)})).ok());
    REQUIRE(l.take(Ledger::done(kOne, 1'000)).ok());
    CHECK(l.all.covered(KeyTreeId{2}, LeafNumber{kLeavesPerKeyTree - 1}));
}

TEST_CASE("a list over several parts counts when all are there, in order") {
    Ledger l;
    REQUIRE(l.generation().ok());
    REQUIRE(l.take(Ledger::begun(kOne, {record(1)}, 0, 3)).ok());
    REQUIRE(l.take(Ledger::begun(kOne, {record(2)}, 1, 3)).ok());
    CHECK(refused(l.take(Ledger::done(kOne, 2))));
    CHECK(!l.all.covered(KeyTreeId{1}, LeafNumber{1}));
    REQUIRE(l.take(Ledger::begun(kTwo, {record(1)}, 0, 2)).ok());
    CHECK(refused(l.take(Ledger::begun(kTwo, {record(2)}, 0, 2))));  // again
    CHECK(l.take(Ledger::done(kTwo, 1)).ok());                       // said once
    CHECK(!l.all.covered(KeyTreeId{1}, LeafNumber{1}));
    const Id three = {3}, four = {4};
    CHECK(refused(l.take(Ledger::begun(three, {record(2)}, 1, 2))));
    CHECK(refused(l.take(Ledger::begun(four, {record(2)}, 2, 2))));
}

TEST_CASE("entries that do not fit the ledger are refused and allow nothing") {
    const auto tries = [](const Body& begun, const std::optional<Body>& done = std::nullopt) {
        Ledger l;
        REQUIRE(l.generation().ok());
        const bool first = refused(l.take(begun));
        const bool second = refused(l.take(done.value_or(Ledger::done(kOne, 1))));
        CHECK(!l.all.covered(KeyTreeId{1}, LeafNumber{5}));
        CHECK(l.all.destroyed_below() == 0);
        return first || second;
    };
    CHECK(tries(Ledger::begun(kOne, {range(5, 5, 6, 6)})));             // another's leaf
    CHECK(tries(Ledger::begun(kOne, {range(5, 5, 5, 5, 2)})));          // another tree
    CHECK(tries(Ledger::begun(kOne, {range(4, 6, 6, 4)})));             // the wrong way round (not canonical)
    CHECK(tries(Ledger::begun(kOne, {range(5, 5, 5, 9'999)})));         // beyond the ledger
    CHECK(tries(Ledger::begun(kOne, {range(5, 6, 5, 7)})));             // the last is outside
    CHECK(tries(Ledger::begun(kOne, {range(5, 5, 5, 5, 0)})));          // no tree
    CHECK(tries(Ledger::begun(kOne, {})));                              // nothing
    CHECK(tries(Ledger::begun(kOne, {record(5), range(7, 7, 8, 8)})));  // one of several
    CHECK(tries(Ledger::begun(kOne, {record(5)}).remove(Tag::part)));
    CHECK(tries(Ledger::begun(kOne, {record(5)}).remove(Tag::erasure).put_bytes(Tag::erasure, Bytes(15, 1))));
    CHECK(tries(Ledger::begun(kTwo, {record(5)})));  // done of another
    CHECK(tries(Ledger::begun(kOne, {record(5)}), Ledger::done(kOne, 2)));
    CHECK(tries(Ledger::begun(kOne, {record(5)}), Ledger::done(kOne, 0)));
    CHECK(tries(Ledger::begun(kOne, {record(5)}), Ledger::done(kOne, 1, 3)));  // never opened
    CHECK(tries(Ledger::begun(kOne, {record(5)}), Ledger::done(kOne, 1, 1)));  // the one before
    CHECK(tries(Ledger::begun(kOne, {record(5)}), Ledger::done(kOne, 1).remove(Tag::keyring_hash)));
    CHECK(tries(Ledger::begun(kOne, {record(5)}),
                Ledger::done(kOne, 1).remove(Tag::keyring_hash).put_hash(Tag::keyring_hash, Hash{{9}})));

    Ledger l;
    REQUIRE(l.generation().ok());
    REQUIRE(l.take(Ledger::begun(kOne, {record(5)})).ok());
    REQUIRE(l.take(Ledger::done(kOne, 1)).ok());
    CHECK(refused(l.take(Ledger::done(kOne, 1))));
    CHECK(refused(l.take(Ledger::begun(kOne, {record(6)}, 0, 1))));
    CHECK(l.all.covered(KeyTreeId{1}, LeafNumber{5}));  // what was done stays done
    CHECK(refused(l.take(Ledger::removed(l.next + 1, 1))));
    CHECK(refused(l.take(Ledger::removed(l.next, 2))));  // more than there was
    CHECK(refused(l.take(Ledger::removed(l.next, 1).remove(Tag::count))));
    CHECK(!l.all.must_be_missing(KeyTreeId{1}, LeafNumber{5}));
    // Destroyed once, named again with its neighbours: counted or not, both are right.
    for (const std::uint8_t count : {3, 2}) {
        Ledger again;
        REQUIRE(again.generation().ok());
        REQUIRE(again.take(Ledger::begun(kOne, {record(5)})).ok());
        REQUIRE(again.take(Ledger::done(kOne, 1)).ok());
        REQUIRE(again.take(Ledger::begun(kTwo, {range(4, 6, 4, 6)})).ok());
        CHECK(again.take(Ledger::done(kTwo, count)).ok());
    }
}
