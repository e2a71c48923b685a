// Labels and codes through the house: whose they are, which records get them, what is refused.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "app/house.h"
#include "tests/support/temp_dir.h"
#include "vault/entry_set_code.h"
#include "vault/retention.h"

using namespace kustos;
using namespace kustos::app;

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

TEST_CASE("a set that is not what its entry says is refused, and so is a name that nobody could have given") {
    World w;
    vault::Archive& archive = w.house->archive();
    const auto forge = [&](const std::string& label, std::uint64_t count, const Hash& root) {
        vault::MatterText text;
        text.label = label;
        text.entry_set = vault::encode_entry_set(w.set({0}));
        REQUIRE(archive
                    .record_control(
                        audit::ControlAction::records_coded,
                        [&](audit::Body& body) {
                            body.put_u64(audit::Tag::matter, w.matter.value)
                                .put_u64(audit::Tag::count, count)
                                .put_hash(audit::Tag::list_root, root);
                        },
                        vault::kAccessClass, vault::compose_matter_text(text))
                    .ok());
    };
    const Hash root = vault::entry_set_root(w.set({0}));
    SUBCASE("another hash") {
        forge("g=v", 1, Hash{});
    }
    SUBCASE("another count") {
        forge("g=v", 2, root);
    }
    SUBCASE("no value") {
        forge("g", 1, root);
    }
    SUBCASE("no group") {
        forge("=v", 1, root);
    }
    CHECK(w.house->reviews().coded(w.matter, "g").error().code() == Code::corrupt);
    CHECK(w.decide(ReviewChange::code, "g", "v", w.set({1})).error().code() == Code::corrupt);
    CHECK(w.house->reviews().coded(w.other, "g").error().code() == Code::usage);
}

TEST_CASE("decisions and searches of several threads, and a memory that is dropped between them, lose nothing") {
    World w;
    constexpr int kEach = 12;
    std::atomic<bool> failed = false;
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&w, &failed, t] {
            for (int i = 0; i < kEach; ++i) {
                const std::string name = "t" + std::to_string(t) + "." + std::to_string(i);
                const auto done = w.decide(ReviewChange::tag, name, "", w.set({static_cast<std::size_t>(t)}));
                const auto seen = w.house->reviews().tagged(w.matter, name);
                if (!done.ok() || !seen.ok() || seen->count() != 1) failed = true;
                if (i % 5 == t) w.house->reviews().forget();
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(!failed);
    std::size_t labels = 0;
    REQUIRE(w.house->reviews().look(w.matter, [&](const ReviewState& state) { labels = state.labels().size(); }).ok());
    CHECK(labels == 3 * kEach);
}
