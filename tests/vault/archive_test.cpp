#include "vault/archive.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <set>
#include <thread>

#include "base/sqlite.h"
#include "tests/audit/failing_fs.h"
#include "tests/support/temp_dir.h"
#include "vault/opener.h"
#include "vault/retention.h"

using namespace kustos;
using namespace kustos::vault;

namespace {

struct World {
    RealFs fs;
    SystemClock clock;
    SystemRandom random;
    test::TempDir dir;
    Environment environment() { return {fs, clock, random}; }

    void make(const std::string& unlock = "auto", std::string_view passphrase = {}) {
        CreateOptions options;
        options.unlock = unlock;
        options.passphrase = SecretBytes(as_bytes(passphrase));
        const Status made = Archive::create(environment(), dir / "a", dir / "state", std::move(options));
        if (!made.ok()) FAIL(made.error().message());
    }
    Result<std::unique_ptr<Archive>> open(std::optional<std::string> passphrase = std::nullopt) {
        OpenOptions options;
        options.state = dir / "state";
        if (passphrase) options.passphrase = SecretBytes(as_bytes(*passphrase));
        return Archive::open(environment(), dir / "a", std::move(options));
    }
};

Draft chat(const Archive& archive, const SourceInfo& source, const std::string& id, const std::string& body) {
    Message m;
    m.native_id = id;
    m.body = body;
    m.received_at = UtcTime{1'772'445'600'000};
    m.raw = to_bytes("{\"body\":\"" + body + "\"}");
    Draft d;
    d.source = source.id;
    d.retention_class = source.retention_class;
    d.duplicate = archive.duplicate_mac(source.id, as_bytes(id));
    d.content = compose(std::move(m)).value();
    return d;
}

std::vector<Draft> one(Draft d) {
    std::vector<Draft> v;
    v.push_back(std::move(d));
    return v;
}

struct AllowAll final : AccessCheck {
    Status allow(const Purpose&, std::span<const EntryIndex>) override { return {}; }
    Status allow_trail(const Purpose&, ClassCode) override { return {}; }
};

}  // namespace

TEST_CASE("what is sealed is there after closing, numbered without a gap, and opens") {
    World w;
    w.make();
    EntryIndex first;
    {
        auto archive = w.open();
        if (!archive.ok()) FAIL(archive.error().message());
        Archive& a = **archive;
        const SourceInfo source = a.add_source("chat", "import", kDefaultClass).value();
        std::vector<Draft> drafts;
        for (int i = 0; i < 1000; ++i)
            drafts.push_back(chat(a, source, "m" + std::to_string(i), "Text " + std::to_string(i)));
        auto receipts = a.seal(std::move(drafts));
        if (!receipts.ok()) FAIL(receipts.error().message());
        REQUIRE(receipts->size() == 1000);
        first = receipts->front().index;
        for (std::size_t i = 0; i < 1000; ++i) CHECK((*receipts)[i].index.value == first.value + i);
        // the receipt proves itself against the head
        const Head head = a.head();
        const auto proof = a.inclusion_proof(receipts->back().index, head.size).value();
        CHECK(audit::verify_inclusion(receipts->back().index, head.size, receipts->back().leaf, proof, head.root).ok());
    }
    auto archive = w.open();
    REQUIRE(archive.ok());
    Archive& a = **archive;
    CHECK(a.count(audit::Kind::record) == 1000);
    const auto source = a.find_source("chat");
    REQUIRE(source.has_value());
    CHECK(source->next_sequence == 1000);
    const audit::Entry entry = a.entry(EntryIndex(first.value + 7)).value();
    auto opened = a.open_payload(EntryIndex(first.value + 7), entry);
    if (!opened.ok()) FAIL(opened.error().message());
    CHECK(decompose(*opened)->body == "Text 7");
    // sealing goes on where it stopped
    auto receipts = a.seal(one(chat(a, *source, "later", "more")));
    REQUIRE(receipts.ok());
    CHECK(a.entry(receipts->front().index)->header.sequence == 1000);
}

TEST_CASE("the same native identity is sealed once, in one batch, in two, and after a restart") {
    World w;
    w.make();
    auto archive = w.open();
    REQUIRE(archive.ok());
    const SourceInfo source = (*archive)->add_source("chat", "import", kDefaultClass).value();
    std::vector<Draft> twice;
    twice.push_back(chat(**archive, source, "m", "x"));
    twice.push_back(chat(**archive, source, "m", "x"));
    auto r = (*archive)->seal(std::move(twice)).value();
    CHECK_FALSE(r[0].duplicate);
    CHECK(r[1].duplicate);
    CHECK(r[1].index == r[0].index);
    CHECK((*archive)->seal(one(chat(**archive, source, "m", "x")))->front().duplicate);
    archive->reset();
    archive = w.open();
    REQUIRE(archive.ok());
    CHECK((*archive)->seal(one(chat(**archive, source, "m", "x")))->front().duplicate);
    CHECK((*archive)->count(audit::Kind::record) == 1);
}

TEST_CASE("an attachment from 64 KiB is a blob entry of its own and comes back") {
    World w;
    w.make();
    auto archive = w.open();
    REQUIRE(archive.ok());
    Archive& a = **archive;
    const SourceInfo source = a.add_source("mail", "import", kDefaultClass).value();
    for (const std::size_t size : {100'000u, 3'000'000u}) {
        Message m;
        m.kind = MessageKind::mail;
        m.raw = to_bytes(std::string_view("From: x\n\nbody"));
        Attachment att;
        att.name = "gross.bin";
        att.content = Bytes(size);
        w.random.fill(att.content);
        const Bytes content = att.content;
        m.attachments.push_back(std::move(att));
        Draft d;
        d.source = source.id;
        d.retention_class = source.retention_class;
        d.content = compose(std::move(m)).value();
        auto receipts = a.seal(one(std::move(d)));
        if (!receipts.ok()) FAIL(receipts.error().message());
        const EntryIndex index = receipts->front().index;
        CHECK(a.entry(EntryIndex(index.value - 1))->header.kind == audit::Kind::blob);
        auto opened = a.open_payload(index, a.entry(index).value());
        REQUIRE(opened.ok());
        CHECK(a.attachment_content(*opened, 0).value() == content);
        CHECK(decompose(*opened)->attachments[0].blob == EntryIndex(index.value - 1));
    }
}

TEST_CASE("what was sealed a moment ago opens at once, again and again") {
    // The reader once kept what it had read ahead of the last frame: zeros, where the next frame stands by now.
    World w;
    w.make();
    auto archive = w.open();
    REQUIRE(archive.ok());
    Archive& a = **archive;
    const SourceInfo source = a.add_source("live", "http", kDefaultClass).value();
    for (int i = 0; i < 40; ++i) {
        const auto receipts =
            a.seal(one(chat(a, source, "m" + std::to_string(i), "Text " + std::to_string(i)))).value();
        const EntryIndex index = receipts.front().index;
        auto opened = a.open_payload(index, a.entry(index).value());
        if (!opened.ok()) FAIL("message " << i << ": " << opened.error().message());
        CHECK(decompose(*opened)->body == "Text " + std::to_string(i));
    }
}

TEST_CASE("with a passphrase the vault takes in while closed, and opens for the passphrase alone") {
    World w;
    w.make("passphrase", "a long enough passphrase");
    EntryIndex index;
    {
        auto archive = w.open();
        if (!archive.ok()) FAIL(archive.error().message());
        CHECK_FALSE((*archive)->is_open());
        const SourceInfo source = (*archive)->add_source("chat", "import", kDefaultClass).value();
        auto receipts = (*archive)->seal(one(chat(**archive, source, "m", "geheim")));
        if (!receipts.ok()) FAIL(receipts.error().message());
        index = receipts->front().index;
        const audit::Entry entry = (*archive)->entry(index).value();
        CHECK((*archive)->open_payload(index, entry).ok());  // for the indexer, until its key is forgotten
        CHECK((*archive)->indexed_below(EntryIndex(index.value + 1)).ok());
        CHECK((*archive)->open_payload(index, entry).error().code() == Code::closed);
        AllowAll all;
        CHECK(Opener(**archive, all).begin({}, {index}).error().code() == Code::closed);
    }
    CHECK(w.open("a wrong passphrase").error().code() == Code::denied);
    auto archive = w.open("a long enough passphrase");
    if (!archive.ok()) FAIL(archive.error().message());
    CHECK((*archive)->unlock_state() == "open (passphrase)");
    auto opened = (*archive)->open_payload(index, (*archive)->entry(index).value());
    if (!opened.ok()) FAIL(opened.error().message());
    CHECK(decompose(*opened)->body == "geheim");
}

TEST_CASE("opening leaves an access entry first, and opens nothing that it does not list") {
    World w;
    w.make();
    auto archive = w.open();
    REQUIRE(archive.ok());
    Archive& a = **archive;
    const SourceInfo source = a.add_source("chat", "import", kDefaultClass).value();
    std::vector<Draft> drafts;
    for (int i = 0; i < 3; ++i) drafts.push_back(chat(a, source, std::to_string(i), "t"));
    const auto receipts = a.seal(std::move(drafts)).value();
    AllowAll all;
    Opener opener(a, all);
    Purpose purpose;
    purpose.actor = "pruefer";
    purpose.query = "suchwort";
    auto session = opener.begin(purpose, {receipts[0].index, receipts[2].index});
    if (!session.ok()) FAIL(session.error().message());
    CHECK((*session)->open(receipts[0].index).ok());
    CHECK((*session)->open(receipts[1].index).error().code() == Code::denied);
    Bytes raw;
    CHECK((*session)
              ->write_original(receipts[2].index,
                               [&](ByteView b) {
                                   put(raw, b);
                                   return ok_status();
                               })
              .ok());
    CHECK(as_text(raw) == "{\"body\":\"t\"}");
    const audit::Entry entry = a.entry((*session)->access_entry().index).value();
    CHECK(entry.header.kind == audit::Kind::access);
    const auto body = audit::BodyReader::parse(entry.body).value();
    CHECK(body.find_u64(audit::Tag::count) == 2);
    CHECK(body.find_hash(audit::Tag::list_root) == list_root({receipts[2].index, receipts[0].index}));
    auto payload = a.open_payload((*session)->access_entry().index, entry);
    REQUIRE(payload.ok());
    CHECK(field_text(*payload, PathCode::query) == "suchwort");
    CHECK(opener.begin(purpose, {EntryIndex(0)}).error().code() == Code::not_found);
}

TEST_CASE("a checkpoint is published only when something other than the chain itself came") {
    World w;
    w.make();
    auto archive = w.open();
    REQUIRE(archive.ok());
    Archive& a = **archive;
    const TreeSize first = a.publish().value();
    CHECK(a.publish().value() == first);
    const SourceInfo source = a.add_source("chat", "import", kDefaultClass).value();
    CHECK(a.publish().value().value > first.value);
    const std::string note = a.published_note(first).value();
    CHECK(audit::open_checkpoint(as_bytes(note), a.signer().verifier())->size == first);
}

TEST_CASE("many threads seal at once, and every receipt holds") {
    World w;
    w.make();
    auto archive = w.open();
    REQUIRE(archive.ok());
    Archive& a = **archive;
    const SourceInfo source = a.add_source("chat", "http", kDefaultClass).value();
    std::vector<std::thread> threads;
    std::mutex mutex;
    std::set<std::uint64_t> indices;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 50; ++i) {
                auto r = a.seal(one(chat(a, source, std::to_string(t) + "-" + std::to_string(i), "x")));
                const std::lock_guard lock(mutex);
                if (r.ok()) indices.insert(r->front().index.value);
            }
        });
    }
    for (std::thread& t : threads) t.join();
    CHECK(indices.size() == 200);
    CHECK(a.find_source("chat")->next_sequence == 200);
}

TEST_CASE("one archive, one writer; and no archive without its signer") {
    World w;
    w.make();
    auto archive = w.open();
    REQUIRE(archive.ok());
    CHECK(w.open().error().code() == Code::conflict);
    archive->reset();
    std::filesystem::rename(w.dir / "state", w.dir / "elsewhere");
    CHECK(w.open().error().code() == Code::conflict);
}

TEST_CASE("an older copy of the directory is refused by the signer's memory") {
    World w;
    w.make();
    std::filesystem::copy(w.dir / "a", w.dir / "yesterday", std::filesystem::copy_options::recursive);
    {
        auto archive = w.open();
        REQUIRE(archive.ok());
        for (int i = 0; i < 3; ++i)
            CHECK((*archive)->add_source("s" + std::to_string(i), "import", kDefaultClass).ok());
    }
    std::filesystem::remove_all(w.dir / "a");
    std::filesystem::rename(w.dir / "yesterday", w.dir / "a");
    auto archive = w.open();
    CHECK(archive.error().code() == Code::rolled_back);
}

TEST_CASE("the catalog is a cache: lost or older, it is made again") {
    World w;
    w.make();
    {
        auto archive = w.open();
        REQUIRE(archive.ok());
        CHECK((*archive)->add_source("chat", "import", kDefaultClass).ok());
    }
    std::filesystem::remove(w.dir / "a" / "catalog.db");
    auto archive = w.open();
    REQUIRE(archive.ok());
    CHECK((*archive)->find_source("chat").has_value());
    CHECK((*archive)->add_source("chat", "import", kDefaultClass).error().code() == Code::usage);
    CHECK((*archive)->add_source("Frau Müller", "import", kDefaultClass).error().code() == Code::usage);
}

TEST_CASE("a disk that is nearly full takes no records, still takes control entries, and goes on by itself") {
    World w;
    w.make();
    test::FailingFs disk(w.fs);
    OpenOptions options;
    options.state = w.dir / "state";
    auto archive = Archive::open({disk, w.clock, w.random}, w.dir / "a", std::move(options));
    REQUIRE(archive.ok());
    Archive& a = **archive;
    const SourceInfo source = a.add_source("chat", "import", kDefaultClass).value();
    REQUIRE(a.seal(one(chat(a, source, "m1", "eins"))).ok());
    disk.set_free(200u << 20);
    const auto refused = a.seal(one(chat(a, source, "m2", "zwei")));
    REQUIRE(!refused.ok());
    CHECK(refused.error().code() == Code::environment);
    CHECK_FALSE(a.read_only());
    CHECK(a.record_control(audit::ControlAction::finding, [](audit::Body& b) {
               b.put_text(audit::Tag::code, "x");
           }).ok());
    disk.set_free(1u << 20);
    CHECK_FALSE(a.record_control(audit::ControlAction::finding, [](audit::Body&) {}).ok());
    disk.set_free(1u << 30);
    CHECK(a.seal(one(chat(a, source, "m2", "zwei"))).ok());
    CHECK(a.count(audit::Kind::record) == 2);
}

TEST_CASE("a checkpoint whose entry found no room is named by the next one that does") {
    World w;
    w.make();
    test::FailingFs disk(w.fs);
    OpenOptions options;
    options.state = w.dir / "state";
    auto archive = Archive::open({disk, w.clock, w.random}, w.dir / "a", std::move(options));
    REQUIRE(archive.ok());
    Archive& a = **archive;
    const SourceInfo source = a.add_source("chat", "import", kDefaultClass).value();
    REQUIRE(a.publish().ok());
    REQUIRE(a.seal(one(chat(a, source, "m1", "eins"))).ok());
    disk.set_free(1u << 20);
    CHECK_FALSE(a.publish().ok());
    disk.set_free(1u << 30);
    REQUIRE(a.seal(one(chat(a, source, "m2", "zwei"))).ok());
    REQUIRE(a.publish().ok());
    const auto sizes = audit::list_published(w.fs, w.dir / "a/ledger").value();
    REQUIRE(sizes.size() == 3);
    std::set<std::uint64_t> named;
    for (std::uint64_t i = 0; i < a.head().size.value; ++i) {
        const audit::Entry entry = a.entry(EntryIndex(i)).value();
        if (audit::control_action(entry) == audit::ControlAction::checkpoint_published)
            named.insert(*audit::BodyReader::parse(entry.body)->find_u64(audit::Tag::checkpoint_size));
    }
    for (const TreeSize size : sizes) CHECK(named.count(size.value) == 1);
}

TEST_CASE("an edited row of catalog.db is noticed and refused, and the ledger makes it again") {
    World w;
    w.make();
    {
        auto archive = std::move(w.open().value());
        const SourceInfo source = archive->add_source("chat", "import", kDefaultClass).value();
        REQUIRE(archive->seal(one(chat(*archive, source, "m1", "eins"))).ok());
        REQUIRE(archive->record_control(audit::ControlAction::matter_opened, [](audit::Body&) {}).ok());
        CHECK(archive->catalog_agrees().value());
    }
    const Path file = w.dir / "a/catalog.db";
    const Bytes good = *read_file(w.fs, file, 1u << 24);
    for (const char* edit : {
             "UPDATE counter SET value = value - 1 WHERE name = 'leaf'",  // a key would be used twice
             "UPDATE counter SET value = value + 1 WHERE name = 'sequence'",
             "UPDATE counter SET value = value - 1 WHERE name = 'applied'",
             "DELETE FROM counter WHERE name = 'kind'",
             "DELETE FROM control WHERE entry = (SELECT max(entry) FROM control)",
             "INSERT INTO control SELECT entry + 100, action, bytes FROM control LIMIT 1",
             "UPDATE control SET bytes = (SELECT bytes FROM control ORDER BY entry LIMIT 1) WHERE entry = (SELECT "
             "max(entry) FROM control)",
             "DELETE FROM seal",
             "DELETE FROM seal; DELETE FROM control",
             "UPDATE seal SET mac = zeroblob(32)",
         }) {
        CAPTURE(edit);
        REQUIRE(replace_file(w.fs, file, good).ok());
        {
            auto database = Database::open(file, DatabaseMode::create_or_open).value();
            REQUIRE(database.execute(edit).ok());
        }
        const auto refused = w.open();
        REQUIRE(!refused.ok());
        CHECK(refused.error().code() == Code::corrupt);
        CHECK(refused.error().hint().find("remove catalog.db") != std::string::npos);
    }
    REQUIRE(w.fs.remove(file).ok());
    CHECK(w.open().value()->catalog_agrees().value());
    REQUIRE(replace_file(w.fs, file, good).ok());  // an older copy as a whole catches up
    CHECK(w.open().value()->catalog_agrees().value());
}

TEST_CASE("a catalog of another version is made again, not believed") {
    World w;
    w.make();
    {
        auto archive = w.open().value();
        const SourceInfo source = archive->add_source("chat", "import", kDefaultClass).value();
        REQUIRE(archive->seal(one(chat(*archive, source, "m1", "Text"))).ok());
    }
    {
        auto database = Database::open(w.dir / "a/catalog.db", DatabaseMode::create_or_open).value();
        REQUIRE(database.execute("DELETE FROM counter WHERE name = 'records'; PRAGMA user_version = 0").ok());
    }
    auto archive = w.open();
    if (!archive.ok()) FAIL(archive.error().message());
    CHECK((*archive)->catalog_agrees().value());
    CHECK((*archive)->find_source("chat")->records == 1);
}
