// The figures of a hit report: against a naive reference on generated lists, and what the index knows of records
// against the messages that it was made of.
#include "search/hit_tally.h"

#include <doctest/doctest.h>

#include <set>

#include "base/crypto.h"
#include "tests/search/archive_of.h"

namespace kustos::search::test {
namespace {

struct World {
    std::vector<EntryIndex> entries;
    std::vector<std::uint32_t> month;
    RecordFacts facts;
};

std::uint64_t below(SeededRandom& random, std::uint64_t n) {
    std::uint8_t bytes[8];
    random.fill(bytes);
    return load_u64(bytes) % n;
}

World random_world(SeededRandom& random) {
    World w;
    const std::uint64_t count = below(random, 40);
    std::uint64_t entry = 0;
    w.facts.families = static_cast<std::uint32_t>(below(random, 5));
    for (std::uint64_t i = 0; i < count; ++i) {
        w.entries.emplace_back(entry += 1 + below(random, 3));
        w.month.push_back(static_cast<std::uint32_t>(below(random, 4)));
        w.facts.sender.push_back(below(random, 5) == 0 ? RecordFacts::kNobody
                                                       : static_cast<std::uint32_t>(below(random, 6)));
        w.facts.files.push_back(static_cast<std::uint32_t>(below(random, 3)));
        w.facts.family.push_back(static_cast<std::uint32_t>(below(random, w.facts.families + 1)));
    }
    return w;
}

// By definition, record by record.
HitFigures naive(const World& w, const std::set<std::uint64_t>& hits,
                 const std::vector<std::set<std::uint64_t>>& others) {
    HitFigures out;
    for (std::size_t i = 0; i < w.entries.size(); ++i) {
        const std::uint64_t entry = w.entries[i].value;
        const bool hit = hits.count(entry) != 0;
        bool related = hit;
        for (std::size_t k = 0; k < w.entries.size() && !related; ++k)
            related =
                w.facts.family[i] != 0 && w.facts.family[i] == w.facts.family[k] && hits.count(w.entries[k].value) != 0;
        out.family += related ? 1 : 0;
        out.files += related ? w.facts.files[i] : 0;
        if (!hit) continue;
        ++out.hits;
        ++out.months[w.month[i]];
        ++out.persons[w.facts.sender[i]];
        const bool elsewhere =
            std::any_of(others.begin(), others.end(), [&](const auto& o) { return o.count(entry) != 0; });
        out.unique += elsewhere ? 0 : 1;
    }
    return out;
}

vault::Message said(const std::string& id, const std::string& who, const std::string& body) {
    vault::Message m;
    m.native_id = id;
    m.sender.address = who;
    m.body = body;
    m.sent_at = UtcTime{1'772'000'000'000};
    return m;
}

vault::Message changes(vault::MessageKind kind, const std::string& id, const std::string& target,
                       const std::string& body) {
    vault::Message m = said(id, "anna@example.org", body);
    m.kind = kind;
    m.target = target;
    return m;
}

vault::Attachment file(const std::string& content) {
    vault::Attachment out;
    out.name = "a.txt";
    out.media_type = "text/plain";
    out.content = to_bytes(content);
    out.sha256 = sha256(out.content);
    return out;
}

}  // namespace

TEST_CASE("hits, family, files, unique, months and persons are what a naive count says, on 2,000 generated lists") {
    SeededRandom random(76);
    for (int round = 0; round < 2'000; ++round) {
        const World w = random_world(random);
        std::vector<std::set<std::uint64_t>> terms(below(random, 6));
        std::set<std::uint64_t> all;
        HitTally tally(w.entries, w.month, w.facts);
        for (auto& term : terms) {
            for (std::uint64_t n = below(random, 30); n > 0; --n)
                term.insert(1 + below(random, 90));  // some are nowhere
            std::vector<EntryIndex> hits;
            for (const std::uint64_t entry : term) hits.emplace_back(entry);
            std::reverse(hits.begin(), hits.end());
            tally.add(hits);
            all.insert(term.begin(), term.end());
        }
        REQUIRE(tally.terms().size() == terms.size());
        std::uint64_t unique = 0;
        for (std::size_t i = 0; i < terms.size(); ++i) {
            auto others = terms;
            others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
            REQUIRE(tally.terms()[i] == naive(w, terms[i], others));
            unique += tally.terms()[i].unique;
        }
        HitFigures wanted = naive(w, all, {});
        wanted.unique = unique;
        REQUIRE(tally.total() == wanted);
        REQUIRE(tally.found().size() == wanted.hits);
    }
}

TEST_CASE("a message, its edits and its deletion are one family over all shards; who answers it is not") {
    SmallArchive a;
    a.options.records_per_shard = 2;
    const EntryIndex first = a.add(said("m1", "Anna@Example.org", "Angebot"));
    auto mail = said("m2", "bert@example.org", "Antwort");
    mail.reply_to = "m1";
    mail.attachments = {file("eins"), file("zwei"), file("eins")};
    const EntryIndex answer = a.add(std::move(mail));
    const EntryIndex edit = a.add(changes(vault::MessageKind::edit, "e1", "m1", "Angebot, neu"));
    const EntryIndex elsewhere = a.add(said("m1", "carla@example.org", "gleiche Nummer"), "other-server");
    const EntryIndex second = a.add(changes(vault::MessageKind::edit, "e2", "e1", "Angebot, noch neuer"));
    const EntryIndex deletion = a.add(changes(vault::MessageKind::deletion, "d1", "m2", ""));
    const EntryIndex orphan_a = a.add(changes(vault::MessageKind::edit, "e8", "m9", "ohne Nachricht"));
    const EntryIndex orphan_b = a.add(changes(vault::MessageKind::edit, "e9", "m9", "noch einmal"));
    auto nobody = said("m7", "", "niemand");
    const EntryIndex alone = a.add(std::move(nobody));
    REQUIRE(a.index_all().ok());
    const std::vector<EntryIndex> of = {first, answer, edit, elsewhere, second, deletion, orphan_a, orphan_b, alone};
    const RecordFacts facts = a.searcher_of().facts(of).value();
    CHECK(facts.persons == std::vector<std::string>{"anna@example.org", "bert@example.org", "carla@example.org"});
    CHECK(facts.sender == std::vector<std::uint32_t>{0, 1, 0, 2, 0, 0, 0, 0, RecordFacts::kNobody});
    CHECK(facts.files == std::vector<std::uint32_t>{0, 2, 0, 0, 0, 0, 0, 0, 0});
    CHECK(facts.family == std::vector<std::uint32_t>{1, 2, 1, 0, 1, 2, 3, 3, 0});
    CHECK(facts.families == 3);

    // Only what is asked about is in a family.
    const RecordFacts few = a.searcher_of().facts({answer, edit, second, alone, EntryIndex(999)}).value();
    CHECK(few.family == std::vector<std::uint32_t>{0, 1, 1, 0, 0});
    CHECK(a.searcher_of().facts({}).value().persons.empty());
    a.keys.closed = true;
    a.searcher_of().forget();
    CHECK(a.searcher_of().facts(of).error().code() == Code::closed);
}

}  // namespace kustos::search::test
