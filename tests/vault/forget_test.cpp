// Erasure runs: what is destroyed opens nowhere, what is not stays, and whatever happens on the way is finished.
#include <doctest/doctest.h>

#include <filesystem>
#include <map>

#include "audit/verify_archive.h"
#include "tests/audit/failing_fs.h"
#include "tests/support/temp_dir.h"
#include "vault/archive.h"
#include "vault/erasure.h"
#include "vault/retention.h"

using namespace kustos;
using namespace kustos::vault;

namespace {

struct World {
    RealFs fs;
    SystemClock clock;
    SystemRandom random;
    test::TempDir dir;
    std::string name = "a";
    Fs* disk = &fs;
    Environment environment() { return {*disk, clock, random}; }
    Path keys() const { return dir / name / "keys"; }

    void make(const std::string& unlock = "auto", std::string_view passphrase = {}) {
        CreateOptions options;
        options.unlock = unlock;
        options.passphrase = SecretBytes(as_bytes(passphrase));
        const Status made = Archive::create(environment(), dir / "a", dir / "state-a", std::move(options));
        if (!made.ok()) FAIL(made.error().message());
    }
    std::unique_ptr<Archive> open(std::optional<std::string> passphrase = std::nullopt) {
        auto archive = try_open(std::move(passphrase));
        if (!archive.ok()) FAIL(archive.error().message());
        return std::move(*archive);
    }
    Result<std::unique_ptr<Archive>> try_open(std::optional<std::string> passphrase = std::nullopt) {
        OpenOptions options;
        options.state = dir / ("state-" + name);
        if (passphrase) options.passphrase = SecretBytes(as_bytes(*passphrase));
        return Archive::open(environment(), dir / name, std::move(options));
    }
    void copy_to(const std::string& other) {
        for (const std::string prefix : {"", "state-"})
            std::filesystem::copy(dir / (prefix + name), dir / (prefix + other),
                                  std::filesystem::copy_options::recursive);
    }
    void remove() {
        for (const std::string prefix : {"", "state-"}) std::filesystem::remove_all(dir / (prefix + name));
    }
};

Draft chat(const SourceInfo& source, const std::string& body) {
    Message m;
    m.native_id = body;
    m.body = body;
    m.received_at = UtcTime{1'772'445'600'000};
    m.raw = to_bytes("{\"body\":\"" + body + "\"}");
    Draft d;
    d.source = source.id;
    d.retention_class = source.retention_class;
    d.content = compose(std::move(m)).value();
    return d;
}

std::vector<EntryIndex> fill(Archive& archive, int count, ClassCode retention_class = kDefaultClass) {
    const std::string name = "chat" + std::to_string(retention_class.value);
    const auto known = archive.find_source(name);
    const SourceInfo source = known ? *known : archive.add_source(name, "import", retention_class).value();
    std::vector<Draft> drafts;
    for (int i = 0; i < count; ++i) drafts.push_back(chat(source, "Text " + std::to_string(i)));
    std::vector<EntryIndex> entries;
    const std::vector<Receipt> receipts = archive.seal(std::move(drafts)).value();
    for (const Receipt& r : receipts) entries.push_back(r.index);
    REQUIRE(archive.indexed_below(EntryIndex(entries.back().value + 1)).ok());
    return entries;
}

ForgetOrder order_of(std::vector<EntryIndex> entries) {
    ForgetOrder order;
    order.entries = std::move(entries);
    order.reason = compose_reason({"Art. 17 DSGVO", "clerk", {"one", "two"}, ""});
    return order;
}

// "" where it opens, else the code.
std::string state_of(const Archive& archive, EntryIndex index) {
    const auto entry = archive.entry(index);
    REQUIRE(entry.ok());
    const auto opened = archive.open_payload(index, *entry);
    return opened.ok() ? "" : std::string(code_name(opened.error().code()));
}

}  // namespace

TEST_CASE("an erased record opens no more, at once and after a restart; its neighbours do") {
    World w;
    w.make();
    std::vector<EntryIndex> entries;
    {
        auto archive = w.open();
        entries = fill(*archive, 40);
        const auto done = archive->forget(order_of({entries[7], entries[20], entries[21], entries[7]}));
        if (!done.ok()) FAIL(done.error().message());
        CHECK(done->count == 3);
        CHECK(done->generation == 2);
        CHECK(done->medium == "file");
        CHECK(done->done > done->begun);
        CHECK(archive->key_generation() == 2);
        CHECK(archive->erased().value()->count() == 3);
        for (std::size_t i = 0; i < entries.size(); ++i)
            CHECK(state_of(*archive, entries[i]) == (i == 7 || i == 20 || i == 21 ? "erased" : ""));
        const auto more = fill(*archive, 3);
        CHECK(state_of(*archive, more[0]) == "");
        CHECK(archive->forget(order_of({entries[7]})).error().code() == Code::usage);
        CHECK(archive->forget(order_of({EntryIndex(0)})).error().code() == Code::not_found);
    }
    auto archive = w.open();
    for (std::size_t i = 0; i < entries.size(); ++i)
        CHECK(state_of(*archive, entries[i]) == (i == 7 || i == 20 || i == 21 ? "erased" : ""));
    REQUIRE(archive->erasure_runs().size() == 1);
    CHECK(archive->erasure_runs()[0].count == 3);
    CHECK(archive->erased_records().value()->intervals().size() == 2);
    CHECK(archive->catalog_agrees().value());
    // nothing of the first generation is left here
    CHECK_FALSE(w.fs.exists(w.keys() / "generation-1"));
    CHECK(w.fs.exists(w.keys() / "generation-2" / "root"));
}

TEST_CASE("the catalog that is made again from the ledger knows what is erased") {
    World w;
    w.make();
    std::vector<EntryIndex> entries;
    {
        auto archive = w.open();
        entries = fill(*archive, 5);
        REQUIRE(archive->forget(order_of({entries[1]})).ok());
    }
    REQUIRE(w.fs.remove(w.dir / "a" / "catalog.db").ok());
    auto archive = w.open();
    CHECK(state_of(*archive, entries[1]) == "erased");
    CHECK(state_of(*archive, entries[2]) == "");
    CHECK(archive->erased().value()->contains(entries[1]));
}

TEST_CASE("a copy of everything from before the erasure, less the destroyed key, opens nothing") {
    World w;
    w.make("passphrase", "geheim");
    std::vector<EntryIndex> entries;
    {
        auto archive = w.open("geheim");
        entries = fill(*archive, 5);
    }
    w.copy_to("backup");
    {
        auto archive = w.open("geheim");
        REQUIRE(archive->forget(order_of({entries[3]})).ok());
    }
    // An ordinary backup has boxes, slots, ledger and vault, and not the generation's key.
    REQUIRE(std::filesystem::remove(w.dir / "backup" / "keys" / "generation-1" / "e"));
    w.name = "backup";
    const auto refused = w.try_open("geheim");
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code() == Code::corrupt);
    // With today's generation beside it what survives opens, what was erased does not.
    std::filesystem::remove_all(w.keys());
    std::filesystem::copy(w.dir / "a" / "keys", w.keys(), std::filesystem::copy_options::recursive);
    std::filesystem::remove_all(w.keys() / "boxes");
    w.name = "a";
    std::filesystem::remove_all(w.dir / "a" / "keys" / "boxes");
    auto archive = w.open("geheim");
    CHECK(state_of(*archive, entries[3]) == "erased");
    CHECK(state_of(*archive, entries[2]) == "");  // adopted: boxes of the generation before are noise
}

TEST_CASE("a closed vault erases nothing, and seals on") {
    World w;
    w.make("passphrase", "geheim");
    auto archive = w.open("geheim");
    const auto entries = fill(*archive, 3);
    REQUIRE(archive->lock().ok());
    CHECK(archive->forget(order_of({entries[0]})).error().code() == Code::closed);
    fill(*archive, 2);
    REQUIRE(archive->unlock(PassphraseSecret{SecretBytes(as_bytes("geheim"))}).ok());
    CHECK(state_of(*archive, entries[0]) == "");
    CHECK(archive->forget(order_of({entries[0]})).ok());
}

TEST_CASE("a record that is not indexed yet is erased from the sealer's memory, too") {
    World w;
    w.make("passphrase", "geheim");
    auto archive = w.open("geheim");
    const SourceInfo source = archive->add_source("chat", "import", kDefaultClass).value();
    std::vector<Draft> drafts;
    for (int i = 0; i < 3; ++i) drafts.push_back(chat(source, std::to_string(i)));
    const auto receipts = archive->seal(std::move(drafts)).value();
    REQUIRE(archive->forget(order_of({receipts[1].index})).ok());
    REQUIRE(archive->lock().ok());
    CHECK(state_of(*archive, receipts[0].index) == "");  // still with the sealer
    CHECK(state_of(*archive, receipts[1].index) == "erased");
}

TEST_CASE("whole trees are dropped with one node, and the class goes on with a new tree") {
    World w;
    w.make();
    auto archive = w.open();
    const auto entries = fill(*archive, 10);
    const KeyTreeId tree = archive->entry(entries[0])->header.tree;
    REQUIRE(archive->forget(order_of({entries[4]})).ok());
    ForgetOrder order = order_of({});
    order.method = ForgetMethod::disposition;
    order.trees = {tree};
    const auto done = archive->forget(std::move(order));
    if (!done.ok()) FAIL(done.error().message());
    CHECK(done->count == 9);
    for (const EntryIndex e : entries) CHECK(state_of(*archive, e) == "erased");
    const auto more = fill(*archive, 2);
    CHECK(archive->entry(more[0])->header.tree != tree);
    CHECK(state_of(*archive, more[1]) == "");
    CHECK(archive->erased_records().value()->count() == 10);
    archive.reset();
    archive = w.open();
    CHECK(state_of(*archive, entries[0]) == "erased");
    CHECK(state_of(*archive, more[1]) == "");
    CHECK(state_of(*archive, fill(*archive, 1)[0]) == "");
}

TEST_CASE("many scattered erasures agree with a naive list, over generations and restarts") {
    World w;
    w.make();
    auto archive = w.open();
    const auto entries = fill(*archive, 300);
    std::map<std::size_t, bool> gone;
    std::uint64_t die = 12345;
    for (int round = 0; round < 12; ++round) {
        std::vector<EntryIndex> list;
        for (int i = 0; i < 1 + round; ++i) {
            die = die * 6364136223846793005ULL + 1442695040888963407ULL;
            const std::size_t at = (die >> 33) % entries.size();
            list.push_back(entries[at]);
            gone[at] = true;
        }
        const auto done = archive->forget(order_of(std::move(list)));
        CHECK((done.ok() || done.error().code() == Code::usage));
        if (round % 4 == 3) {
            archive.reset();
            archive = w.open();
        }
    }
    for (std::size_t i = 0; i < entries.size(); ++i)
        CHECK(state_of(*archive, entries[i]) == (gone.count(i) != 0 ? "erased" : ""));
    CHECK(archive->erased().value()->count() == gone.size());
}

TEST_CASE("a list that is too long for one entry is a run of several parts") {
    World w;
    w.make();
    auto archive = w.open();
    const auto entries = fill(*archive, 4'500);
    std::vector<EntryIndex> every_second;
    for (std::size_t i = 0; i < entries.size(); i += 2) every_second.push_back(entries[i]);
    const auto done = archive->forget(order_of(every_second));
    REQUIRE(done.ok());
    REQUIRE(archive->erasure_runs().size() == 1);
    CHECK(archive->erasure_runs()[0].parts == 2);
    CHECK(archive->erased().value()->count() == 2'250);
    CHECK(state_of(*archive, entries[4'001]) == "");
    CHECK(state_of(*archive, entries[4'000]) == "erased");
}

TEST_CASE("a run that is interrupted anywhere did not begin, or is finished by the next start") {
    World w;
    w.make();
    std::vector<EntryIndex> entries;
    {
        auto archive = w.open();
        entries = fill(*archive, 6);
        REQUIRE(archive->forget(order_of({entries[0]})).ok());
    }
    int finished = 0, unbegun = 0;
    for (const test::Kept kept : {test::Kept::nothing, test::Kept::half, test::Kept::all}) {
        bool failed = true;
        for (int n = 0; failed; ++n) {
            w.name = "a";
            w.copy_to("drill");
            w.name = "drill";
            test::FailingFs disk(w.fs);
            w.disk = &disk;
            bool done = false;
            {
                auto archive = w.open();
                disk.fail_from(n, kept);
                done = archive->forget(order_of({entries[2], entries[3]})).ok();
                failed = disk.failed();
            }
            disk.heal();
            auto archive = w.open();
            const bool begun = archive->erasure_runs().size() == 2;
            INFO("step ", n);
            CHECK((begun || !done));
            (begun ? finished : unbegun) += 1;
            for (std::size_t i = 0; i < entries.size(); ++i) {
                const bool gone = i == 0 || (begun && (i == 2 || i == 3));
                CHECK(state_of(*archive, entries[i]) == (gone ? "erased" : ""));
            }
            if (begun) CHECK(archive->erasure_runs()[1].done.has_value());
            CHECK_FALSE(w.fs.exists(w.keys() / ("generation-" + std::to_string(archive->key_generation() - 1))));
            CHECK(state_of(*archive, fill(*archive, 1)[0]) == "");
            CHECK(archive->catalog_agrees().value());
            archive.reset();
            CHECK(state_of(*w.open(), entries[5]) == "");
            w.remove();
            w.disk = &w.fs;
        }
    }
    CHECK(finished > 10);
    CHECK(unbegun > 3);
}
