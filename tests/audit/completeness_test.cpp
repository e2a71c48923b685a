// What entries say of a source in a period: counts between two tallies, promises, silence, findings, and the verdict.
#include "audit/completeness.h"

#include <doctest/doctest.h>

#include <random>

using namespace kustos;
using namespace kustos::audit;

namespace {

constexpr std::int64_t kHour = 3600 * 1000, kDay = 24 * kHour;
constexpr SourceId kSource(10);
constexpr UtcTime kBegin{100 * kDay}, kEnd{101 * kDay};

UtcTime at(std::int64_t hours) {
    return {kBegin.ms + hours * kHour};
}

Hash part(std::uint8_t n) {
    Hash hash;
    hash.bytes[0] = n;
    return hash;
}

// A ledger of one source's entries, in order.
struct Ledger {
    std::vector<std::pair<EntryIndex, Entry>> entries;
    std::uint64_t next = kSource.value;

    EntryIndex add(Body body, UtcTime time) {
        Entry entry;
        entry.header.kind = Kind::control;
        entry.body = body.put_time(Tag::time, time).encode();
        entries.emplace_back(EntryIndex(next), entry);
        return EntryIndex(next++);
    }
    static Body of(ControlAction action, SourceId source = kSource) {
        Body body(action);
        body.put_u64(Tag::entry, source.value);
        return body;
    }
    explicit Ledger(std::string_view kind = "matrix", UtcTime added = at(-1000)) {
        add(Body(ControlAction::source_added).put_text(Tag::name, "s").put_text(Tag::source_kind, kind), added);
    }
    static Bytes tally(const std::map<std::string, std::uint64_t>& counts) {
        Bytes out;
        for (const auto& [code, n] : counts) {
            put_u8(out, static_cast<std::uint8_t>(code.size()));
            put(out, as_bytes(code));
            put_u64(out, n);
        }
        return out;
    }
    EntryIndex counted(UtcTime time, std::uint64_t records, const std::map<std::string, std::uint64_t>& counts) {
        return add(of(ControlAction::source_counted).put_u64(Tag::total, records).put_bytes(Tag::tally, tally(counts)),
                   time);
    }
    EntryIndex promised(UtcTime time, std::uint8_t which, std::uint64_t count, std::uint64_t sealed) {
        return add(of(ControlAction::promise_made)
                       .put_hash(Tag::related_hash, part(which))
                       .put_u64(Tag::count, count)
                       .put_u64(Tag::total, sealed),
                   time);
    }
    EntryIndex heard(UtcTime time, std::uint64_t sent, std::uint64_t received) {
        return add(of(ControlAction::source_heartbeat).put_u64(Tag::count, sent).put_u64(Tag::total, received), time);
    }
    EntryIndex finding(UtcTime time, std::string_view code, std::uint8_t about, std::uint64_t count = 1) {
        return add(of(ControlAction::finding)
                       .put_text(Tag::code, code)
                       .put_hash(Tag::related_hash, part(about))
                       .put_u64(Tag::count, count),
                   time);
    }
    EntryIndex resolved(UtcTime time, std::string_view code, std::uint8_t about) {
        return add(
            of(ControlAction::finding_resolved).put_text(Tag::code, code).put_hash(Tag::related_hash, part(about)),
            time);
    }
    Result<Completeness> judge() const {
        CompletenessBook book(kSource, kBegin, kEnd);
        for (const auto& [index, entry] : entries) TRY(book.take(index, entry));
        return book.judge();
    }
};

}  // namespace

TEST_CASE("counts are what came between the last count before the period and the first behind it") {
    Ledger l;
    l.counted(at(-30), 10, {{"kind:chat", 10}, {"duplicate", 1}});
    l.counted(at(-2), 20, {{"kind:chat", 19}, {"kind:unreadable", 1}, {"duplicate", 1}});
    l.counted(at(5), 25, {{"kind:chat", 24}, {"kind:unreadable", 1}, {"duplicate", 1}});
    l.counted(at(26), 33, {{"kind:chat", 29}, {"kind:unreadable", 4}, {"duplicate", 1}, {"dropped:room", 7}});
    l.counted(at(50), 99, {{"kind:chat", 99}});
    const Completeness c = l.judge().value();
    CHECK(c.records == 13);
    CHECK(c.counts ==
          std::map<std::string, std::uint64_t>{{"kind:chat", 10}, {"kind:unreadable", 3}, {"dropped:room", 7}});
    CHECK(c.counted_from == at(-2));
    CHECK(c.counted_until == at(26));
    CHECK(c.verdict == "no_promise");
    CHECK(c.entries == std::vector<EntryIndex>{EntryIndex(10), EntryIndex(12), EntryIndex(14)});
}

TEST_CASE("a source that was added within the period is counted from then, and one without a count is not judged") {
    Ledger l("import", at(3));
    CHECK(l.judge().error().code() == Code::not_found);
    l.counted(at(4), 2, {{"kind:mail", 2}, {"attachment", 3}, {"attachment-missing", 1}});
    const Completeness c = l.judge().value();
    CHECK(c.records == 2);
    CHECK(c.counted_from == at(3));
    CHECK(c.silent_from == at(3));
    CHECK(c.silence_ms == kHour);  // as far as it was counted
    CHECK(c.verdict == "gaps");    // an attachment is known to be missing
}

TEST_CASE(
    "a promise that was met in the period makes it complete, an older one does not, and one that was not is a gap") {
    Ledger l;
    l.counted(at(25), 5, {});
    l.promised(at(-20), 1, 100, 100);
    CHECK(l.judge().value().verdict == "no_promise");
    l.promised(at(2), 2, 5, 5);
    Completeness c = l.judge().value();
    CHECK(c.verdict == "complete");
    CHECK(c.parts == 1);  // the older one says nothing of this period
    l.promised(at(-1), 3, 9, 7);
    c = l.judge().value();
    CHECK(c.verdict == "gaps");
    CHECK(c.parts == 2);
    CHECK(c.parts_short == 1);
    CHECK(c.missing == 2);
    CHECK(c.promised == 14);
    l.promised(at(3), 3, 9, 9);
    CHECK(l.judge().value().verdict == "complete");
    l.promised(at(24), 3, 20, 9);  // behind the period
    CHECK(l.judge().value().verdict == "complete");
}

TEST_CASE("heartbeats are promises only where the source itself says what it has sent") {
    Ledger pushing("http"), pulled("folder");
    for (Ledger* l : {&pushing, &pulled}) {
        l->counted(at(25), 3, {});
        l->heard(at(1), 5, 3);
    }
    CHECK(pushing.judge().value().verdict == "gaps");
    CHECK(pushing.judge().value().missing == 2);
    CHECK(pulled.judge().value().verdict == "no_promise");
    pushing.heard(at(2), 5, 5);
    CHECK(pushing.judge().value().verdict == "complete");
}

TEST_CASE("the longest silence counts the period's edges") {
    Ledger l;
    l.counted(at(30), 1, {});
    Completeness c = l.judge().value();
    CHECK(c.silence_ms == kDay);
    CHECK(c.heartbeats == 0);
    l.heard(at(-1), 0, 0);
    for (const std::int64_t h : {2, 3, 9, 10, 20}) l.heard(at(h), 0, 0);
    l.heard(at(24), 0, 0);
    c = l.judge().value();
    CHECK(c.heartbeats == 5);
    CHECK(c.first_heartbeat == at(2));
    CHECK(c.last_heartbeat == at(20));
    CHECK(c.silent_from == at(10));
    CHECK(c.silence_ms == 10 * kHour);
}

TEST_CASE("findings that were open at some time in the period are told, with what became of them by its end") {
    Ledger l;
    l.counted(at(25), 1, {});
    l.promised(at(1), 1, 1, 1);
    l.finding(at(-50), "a:gap", 1);
    l.resolved(at(-40), "a:gap", 1);
    const EntryIndex old = l.finding(at(-30), "a:gap", 2);
    const EntryIndex fresh = l.finding(at(1), "b:gap", 3, 7);
    l.resolved(at(2), "a:gap", 2);
    l.resolved(at(2), "b:gap", 9);  // about something else
    Completeness c = l.judge().value();
    REQUIRE(c.findings.size() == 2);
    CHECK(c.findings[0].entry == old);
    CHECK(c.findings[0].resolved == at(2));
    CHECK(c.findings[1].entry == fresh);
    CHECK(c.findings[1].count == 7);
    CHECK((c.opened == 1 && c.resolved == 1 && c.open == 1));
    CHECK(c.verdict == "gaps");
    l.add(Ledger::of(ControlAction::finding_resolved).put_text(Tag::code, "b:gap").put_u64(Tag::finding, fresh.value),
          at(3));
    CHECK(l.judge().value().verdict == "complete");
}

TEST_CASE("entries of other sources change nothing") {
    Ledger l;
    l.counted(at(25), 1, {});
    const std::string before = l.judge().value().to_json();
    l.add(Body(ControlAction::finding).put_u64(Tag::entry, 11).put_text(Tag::code, "x:gap"), at(1));
    l.add(Body(ControlAction::finding).put_text(Tag::code, "opener:rate"), at(1));
    l.add(Ledger::of(ControlAction::promise_made, SourceId(77)).put_u64(Tag::count, 5).put_u64(Tag::total, 0), at(1));
    CHECK(l.judge().value().to_json() == before);
}

// What a verifier does: it has only the entries that the answer rests on.
TEST_CASE("the entries that an answer rests on give the same answer alone, whatever the ledger holds") {
    for (unsigned seed = 0; seed < 300; ++seed) {
        std::mt19937 random(seed);
        const auto below = [&](std::int64_t n) {
            return static_cast<std::int64_t>(random() % static_cast<unsigned>(n));
        };
        Ledger l(below(2) == 0 ? "http" : "matrix", at(-60 + below(70)));
        std::uint64_t records = 0;
        std::map<std::string, std::uint64_t> counts;
        for (std::int64_t hour = -50; hour < 60; ++hour) {
            const auto which = static_cast<std::uint8_t>(below(4));
            switch (below(8)) {
                case 0:
                    records += static_cast<std::uint64_t>(below(5));
                    counts[below(2) == 0 ? "kind:chat" : "dropped:kind"] += static_cast<std::uint64_t>(below(3));
                    l.counted(at(hour), records, counts);
                    break;
                case 1:
                    l.promised(at(hour), which, 10, static_cast<std::uint64_t>(8 + below(3)));
                    break;
                case 2:
                    l.heard(at(hour), 10, static_cast<std::uint64_t>(8 + below(3)));
                    break;
                case 3:
                    l.finding(at(hour), "a:gap", which);
                    break;
                case 4:
                    l.resolved(at(hour), "a:gap", which);
                    break;
                case 5:
                    l.add(Ledger::of(ControlAction::profile_set)
                              .put_u32(Tag::version, static_cast<std::uint32_t>(hour + 100)),
                          at(hour));
                    break;
                default:
                    break;
            }
        }
        l.counted(at(61), records, counts);
        const Completeness whole = l.judge().value();
        Ledger few;
        few.entries.clear();
        for (const auto& entry : l.entries)
            if (std::binary_search(whole.entries.begin(), whole.entries.end(), entry.first))
                few.entries.push_back(entry);
        REQUIRE(few.entries.size() == whole.entries.size());
        const Completeness again = few.judge().value();
        CHECK(again.to_json() == whole.to_json());
        CHECK(again.entries == whole.entries);
    }
}
