// The forward state: what survives a crash, what does not, and that no leaf serves twice.
#include <doctest/doctest.h>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "tests/support/doc_example.h"
#include "tests/support/secret_type.h"
#include "tests/support/temp_dir.h"
#include "vault/archive.h"
#include "vault/forward_memory.h"
#include "vault/keyring.h"
#include "vault/retention.h"

using namespace kustos;
using namespace kustos::vault;
using test::doc_example;

static_assert(test::keeps_itself<KeyCover>());
static_assert(test::keeps_itself<Keyring>());
static_assert(test::keeps_itself<KeyringPage>());
static_assert(test::keeps_itself<ForwardState>());
static_assert(test::keeps_itself<ForwardTree>());
static_assert(test::keeps_itself<ForwardCopy>());

namespace {

// The descriptor that somebody else keeps. Memory that others can look into, so that the test can.
class Kept {
public:
    Kept() : memory_(ForwardMemory::make(false).value()), descriptor_(dup(memory_->descriptor())) {}
    ~Kept() { close(descriptor_); }
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;
    std::unique_ptr<ForwardMemory> first() { return std::move(memory_); }
    std::unique_ptr<ForwardMemory> again() const { return ForwardMemory::adopt(dup(descriptor_)).value(); }
    Bytes content() const {
        Bytes all(2 * ForwardMemory::kCopy);
        REQUIRE(pread(descriptor_, all.data(), all.size(), 0) == static_cast<ssize_t>(all.size()));
        return all;
    }
    void put_back(const Bytes& content) const { write(0, content); }
    void damage(std::size_t at) const { write(at, Bytes(16, 0xee)); }
    bool holds(ByteView what) const {
        const Bytes all = content();
        return std::search(all.begin(), all.end(), what.begin(), what.end()) != all.end();
    }

private:
    void write(std::size_t at, const Bytes& bytes) const {
        REQUIRE(pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(at)) ==
                static_cast<ssize_t>(bytes.size()));
    }
    std::unique_ptr<ForwardMemory> memory_;
    int descriptor_;
};

struct World {
    RealFs fs;
    FixedClock clock{UtcTime{1'772'445'600'000}};
    SystemRandom random;
    test::TempDir dir;
    Environment environment() { return {fs, clock, random}; }

    World() {
        CreateOptions options;
        options.unlock = "passphrase";
        options.passphrase = SecretBytes(as_bytes(std::string_view("geheim")));
        const Status made = Archive::create(environment(), dir / "a", dir / "state", std::move(options));
        if (!made.ok()) FAIL(made.error().message());
    }
    // Closed unless `passphrase`; with what survived.
    std::unique_ptr<Archive> open(std::unique_ptr<ForwardMemory> memory = nullptr, bool passphrase = false) {
        OpenOptions options;
        options.state = dir / "state";
        if (passphrase) options.passphrase = SecretBytes(as_bytes(std::string_view("geheim")));
        options.forward_memory = [&memory](const Path&) { return std::move(memory); };
        auto archive = Archive::open(environment(), dir / "a", std::move(options));
        if (!archive.ok()) FAIL(archive.error().message());
        return std::move(*archive);
    }
};

std::vector<EntryIndex> seal(Archive& archive, int count) {
    const auto known = archive.find_source("chat");
    const SourceInfo source = known ? *known : archive.add_source("chat", "import", kDefaultClass).value();
    std::vector<Draft> drafts;
    for (int i = 0; i < count; ++i) {
        Message m;
        m.native_id = m.body = "Text " + std::to_string(i);
        m.raw = to_bytes(m.body);
        Draft d;
        d.source = source.id;
        d.retention_class = source.retention_class;
        d.content = compose(std::move(m)).value();
        drafts.push_back(std::move(d));
    }
    std::vector<EntryIndex> entries;
    const std::vector<Receipt> receipts = archive.seal(std::move(drafts)).value();
    for (const Receipt& r : receipts) entries.push_back(r.index);
    return entries;
}

std::string state_of(const Archive& archive, EntryIndex index) {
    const auto entry = archive.entry(index).value();
    const auto opened = archive.open_payload(index, entry);
    return opened.ok() ? "" : std::string(code_name(opened.error().code()));
}

std::pair<KeyTreeId, LeafNumber> leaf_of(const Archive& archive, EntryIndex index) {
    const audit::EntryHeader header = archive.entry(index).value().header;
    return {header.tree, header.leaf};
}

}  // namespace

TEST_CASE(
    "after a crash with a closed vault sealing goes on in the same tree, and what was not indexed can be opened") {
    World w;
    Kept kept;
    std::vector<EntryIndex> entries;
    {
        auto archive = w.open();
        archive->keep_forward_state(kept.first());
        CHECK(archive->forward_memory() == "memfd");
        entries = seal(*archive, 20);
        REQUIRE(archive->indexed_below(entries[12]).ok());
        CHECK(archive->waiting() == 8);
    }
    auto archive = w.open(kept.again());
    CHECK_FALSE(archive->is_open());
    CHECK(archive->waiting() == 8);
    for (std::size_t i = 0; i < entries.size(); ++i) CHECK(state_of(*archive, entries[i]) == (i < 12 ? "closed" : ""));
    const auto more = seal(*archive, 1);
    const auto last = leaf_of(*archive, entries.back()), next = leaf_of(*archive, more.front());
    CHECK(next.first == last.first);
    CHECK(next.second.value == last.second.value + 1);
    REQUIRE(archive->indexed_below(EntryIndex(more.front().value + 1)).ok());
    CHECK(archive->waiting() == 0);
    CHECK(state_of(*archive, entries[15]) == "closed");
    archive.reset();
    archive = w.open(kept.again());
    CHECK(archive->waiting() == 0);
    for (const EntryIndex e : entries) CHECK(state_of(*archive, e) == "closed");
    CHECK(leaf_of(*archive, seal(*archive, 1).front()).first == last.first);
}

TEST_CASE("after a power loss a new tree begins, and what was not indexed waits for an open vault") {
    World w;
    std::vector<EntryIndex> entries;
    {
        auto archive = w.open();
        archive->keep_forward_state(ForwardMemory::make().value());
        entries = seal(*archive, 3);
    }
    auto archive = w.open(ForwardMemory::make().value());
    CHECK(archive->waiting() == 0);
    for (const EntryIndex e : entries) CHECK(state_of(*archive, e) == "closed");
    CHECK_FALSE(leaf_of(*archive, seal(*archive, 1).front()).first == leaf_of(*archive, entries[0]).first);
    archive.reset();
    archive = w.open(nullptr, true);
    for (const EntryIndex e : entries) CHECK(state_of(*archive, e) == "");
}

TEST_CASE("of two copies the newer whole one counts, and with both torn nothing does") {
    World w;
    Kept kept;
    {
        auto archive = w.open();
        archive->keep_forward_state(kept.first());
        seal(*archive, 4);
    }
    const Bytes whole = kept.content();
    CHECK(std::equal(whole.begin(), whole.begin() + ForwardMemory::kCopy, whole.begin() + ForwardMemory::kCopy));
    for (const std::size_t at : {std::size_t{0}, std::size_t{8}, std::size_t{60}, std::size_t{120}}) {
        for (const int copies : {1, 2, 3}) {
            kept.put_back(whole);
            if ((copies & 1) != 0) kept.damage(at);
            if ((copies & 2) != 0) kept.damage(at + ForwardMemory::kCopy);
            CHECK(w.open(kept.again())->waiting() == (copies == 3 ? 0 : 4));
        }
    }
    // Stopped between the two: the first copy is ahead.
    kept.put_back(whole);
    {
        auto archive = w.open(kept.again());
        REQUIRE(archive->indexed_below(EntryIndex(archive->head().size.value)).ok());
    }
    Bytes torn = kept.content();
    std::copy(whole.begin() + ForwardMemory::kCopy, whole.end(), torn.begin() + ForwardMemory::kCopy);
    kept.put_back(torn);
    CHECK(w.open(kept.again())->waiting() == 0);
    // And opening made both the same: what was punctured is in neither.
    const Bytes after = kept.content();
    CHECK(std::equal(after.begin(), after.begin() + ForwardMemory::kCopy, after.begin() + ForwardMemory::kCopy));
}

TEST_CASE("another archive's memory is not taken, nor one that is none") {
    World a, b;
    Kept kept;
    {
        auto archive = a.open();
        archive->keep_forward_state(kept.first());
        seal(*archive, 2);
    }
    CHECK(b.open(kept.again())->waiting() == 0);
    const int small = memfd_create("x", MFD_CLOEXEC);
    CHECK(ForwardMemory::adopt(small).error().code() == Code::bad_input);
}

TEST_CASE("leaves that another process used meanwhile are neither used again nor opened") {
    World w;
    Kept kept;
    {
        auto archive = w.open();
        archive->keep_forward_state(kept.first());
        seal(*archive, 5);
    }
    std::vector<EntryIndex> meanwhile;
    std::set<std::uint32_t> used;
    {
        auto archive = w.open(nullptr, true);  // a key holder's command: it goes on in the same tree
        meanwhile = seal(*archive, 3);
        REQUIRE(archive->indexed_below(EntryIndex(archive->head().size.value)).ok());
        for (const EntryIndex e : meanwhile) used.insert(leaf_of(*archive, e).second.value);
    }
    auto archive = w.open(kept.again());
    for (const EntryIndex e : meanwhile) CHECK(state_of(*archive, e) == "closed");
    CHECK(archive->waiting() == 5);
    const auto more = seal(*archive, 3);
    CHECK(leaf_of(*archive, more[0]).first == leaf_of(*archive, meanwhile[0]).first);
    for (const EntryIndex e : more) CHECK(used.count(leaf_of(*archive, e).second.value) == 0);
}

TEST_CASE("what was erased meanwhile is punctured in what survived") {
    World w;
    Kept kept;
    std::vector<EntryIndex> entries;
    {
        auto archive = w.open();
        archive->keep_forward_state(kept.first());
        entries = seal(*archive, 5);
    }
    {
        auto archive = w.open(nullptr, true);
        ForgetOrder order;
        order.entries = {entries[2]};
        order.reason = compose_reason({"Art. 17 DSGVO", "clerk", {"one", "two"}, ""});
        REQUIRE(archive->forget(std::move(order)).ok());
    }
    auto archive = w.open(kept.again());
    CHECK(archive->waiting() == 4);
    CHECK(state_of(*archive, entries[2]) == "erased");
    CHECK(state_of(*archive, entries[3]) == "");
}

TEST_CASE("a key waits no longer for the indexer because of a crash") {
    World w;
    Kept kept;
    {
        auto archive = w.open();
        archive->keep_forward_state(kept.first());
        seal(*archive, 2);
        w.clock.advance_ms(600'000);
        seal(*archive, 3);
        w.clock.advance_ms(299'000);
        CHECK(archive->forget_older_than(900'000, 20'000) == 0);
    }
    auto archive = w.open(kept.again());
    CHECK(archive->forget_older_than(900'000, 20'000) == 0);
    w.clock.advance_ms(2'000);
    CHECK(archive->forget_older_than(900'000, 20'000) == 2);
    CHECK(archive->waiting() == 3);
    w.clock.advance_ms(600'000);
    CHECK(archive->forget_older_than(900'000, 20'000) == 3);
    const auto more = seal(*archive, 7);
    CHECK(archive->forget_older_than(900'000, 4) == 3);
    CHECK(state_of(*archive, more[2]) == "closed");
    CHECK(state_of(*archive, more[3]) == "");
}

TEST_CASE("a shard's term key is in the sealer's memory while the shard is open, and no longer") {
    World w;
    Kept kept;
    auto archive = w.open();
    archive->keep_forward_state(kept.first());
    const auto first = archive->new_shard().value();
    const auto second = archive->new_shard().value();
    CHECK(kept.holds(first.second.view()));
    archive->shard_closed(first.first);
    CHECK_FALSE(kept.holds(first.second.view()));
    CHECK(kept.holds(second.second.view()));
    CHECK(archive->shard_key(first.first).error().code() == Code::closed);
    archive.reset();
    archive = w.open(kept.again());
    CHECK(equal(archive->shard_key(second.first).value().view(), second.second.view()));
    CHECK(archive->shard_key(first.first).error().code() == Code::closed);
    archive.reset();
    archive = w.open(nullptr, true);
    CHECK(equal(archive->shard_key(first.first).value().view(), first.second.view()));
}

TEST_CASE("every node in the memory covers nothing but what waits and what lies ahead") {
    World w;
    Kept kept;
    auto archive = w.open();
    archive->keep_forward_state(kept.first());
    const auto entries = seal(*archive, 50);
    REQUIRE(archive->indexed_below(entries[37]).ok());
    const SecretBytes key = hkdf_expand(read_secret_file(w.fs, w.dir / "a" / "keys" / "duplicates.key", 32)->view(),
                                        as_bytes(std::string_view("kustos1/forward-state")), 32);
    const Bytes all = kept.content();
    for (const std::size_t at : {std::size_t{0}, ForwardMemory::kCopy}) {
        const auto copy =
            decode_forward(ByteView(all).subspan(at, ForwardMemory::kCopy), archive->vault_id(), key.view());
        REQUIRE(copy.ok());
        const auto [tree, last] = leaf_of(*archive, entries.back());
        const KeyCover& cover = copy->state.trees.at(tree).cover;
        for (std::size_t i = 0; i < entries.size(); ++i)
            CHECK(cover.covers(leaf_of(*archive, entries[i]).second) == (i >= 37));
        CHECK(cover.covers(LeafNumber(last.value + 1)));
        CHECK(copy->state.trees.at(tree).next == last.value + 1);
    }
}

TEST_CASE("stale copies of sealed boxes, put back after a new generation, open nothing that was erased") {
    World w;
    std::vector<EntryIndex> entries;
    std::uint32_t shard = 0;
    const Path keys = w.dir / "a" / "keys";
    const auto old_boxes = std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing;
    {
        auto archive = w.open(nullptr, true);
        entries = seal(*archive, 3);
        shard = archive->new_shard().value().first;
        archive->shard_closed(shard);
        REQUIRE(archive->indexed_below(EntryIndex(archive->head().size.value)).ok());
        std::filesystem::copy(keys / "boxes", w.dir / "boxes", old_boxes);
        ForgetOrder order;
        order.entries = {entries[1]};
        order.reason = compose_reason({"Art. 17 DSGVO", "clerk", {"one", "two"}, ""});
        REQUIRE(archive->forget(std::move(order)).ok());
        REQUIRE(archive->forget_shards({shard}).ok());
    }
    std::filesystem::copy(w.dir / "boxes", keys / "boxes", old_boxes);
    auto archive = w.open(nullptr, true);
    CHECK(state_of(*archive, entries[0]) == "");
    CHECK(state_of(*archive, entries[1]) == "erased");
    CHECK(archive->shard_key(shard).error().code() == Code::not_found);
}

TEST_CASE("a state that is too large is not kept at all") {
    Kept kept;
    auto memory = kept.first();
    ForwardState state;
    const Bytes seed(32, 5), mac_key(32, 6);
    state.trees[KeyTreeId(1)] = {KeyCover::whole(seed), 0};
    CHECK(memory->write(state, VaultId{}, mac_key));
    CHECK(kept.content()[0] == 'K');
    for (std::uint32_t leaf = 0; leaf < 20'000; leaf += 2) state.trees[KeyTreeId(1)].cover.puncture(LeafNumber(leaf));
    CHECK_FALSE(memory->write(state, VaultId{}, mac_key));
    CHECK(kept.content() == Bytes(2 * ForwardMemory::kCopy, 0));
    CHECK(memory->read(VaultId{}, mac_key).error().code() == Code::not_found);
}

TEST_CASE("forward-state.md: one copy") {
    const VaultId vault = *VaultId::from(*parse_hex("000102030405060708090a0b0c0d0e0f"));
    const Bytes mac_key(32, 0x66), seed(32, 0x55);
    ForwardState state;
    state.oldest = EntryIndex(7);
    state.marks = {{EntryIndex(7), 90'000}, {EntryIndex(12), 100'000}};
    KeyCover cover = KeyCover::whole(seed);
    cover.puncture(LeafNumber(0), LeafNumber(kTreeLeaves / 2 - 1));
    state.trees[KeyTreeId(1)] = {std::move(cover), kTreeLeaves / 2};
    state.shards[3] = SecretBytes(ByteView(Bytes(32, 0x77)));
    Bytes out(encoded_size(state));
    encode_into(state, vault, 5, mac_key, out);
    CHECK(hex(out) == hex(doc_example("forward-state.md", "copy")));
    const auto back = decode_forward(doc_example("forward-state.md", "copy"), vault, mac_key);
    REQUIRE(back.ok());
    CHECK(back->sequence == 5);
    CHECK(back->state.oldest == EntryIndex(7));
    CHECK(back->state.marks == state.marks);
    CHECK(back->state.trees.at(KeyTreeId(1)).cover.nodes() == 1);
    CHECK(back->state.shards.at(3).view()[0] == 0x77);
    // No prefix of it, and nothing with a changed byte, is taken.
    for (std::size_t n = 0; n < out.size(); ++n) {
        CHECK_FALSE(decode_forward(ByteView(out).first(n), vault, mac_key).ok());
        Bytes changed = out;
        changed[n] ^= 1;
        CHECK_FALSE(decode_forward(changed, vault, mac_key).ok());
    }
}
