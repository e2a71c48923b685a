// The opener apart: whatever is asked of it, no key leaves without an access entry that the ledger holds.
#include <doctest/doctest.h>

#include <filesystem>
#include <thread>

#include "tests/support/doc_example.h"
#include "tests/vault/opener_world.h"
#include "vault/ledger_view.h"

using namespace kustos;
using namespace kustos::test::opener_world;

TEST_CASE("records, blobs and matters open through an opener apart, and the sealer alone opens nothing") {
    World w;
    auto serving = w.serve(w.opener());
    auto archive = w.open();
    CHECK_FALSE(archive->is_open());
    const auto entries = fill(*archive, 3, 100'000);
    const EntryIndex matter = matter_of(*archive);
    Opener opener(*archive, w.check);
    CHECK(opener.begin(purpose_of(matter), {entries[0]}).error().code() == Code::closed);
    CHECK(archive->unlock(passphrase("falsch")).error().code() == Code::denied);
    REQUIRE(archive->unlock(passphrase()).ok());
    CHECK(archive->unlock_state() == "open (passphrase)");
    CHECK(archive->open_payload(entries[0], archive->entry(entries[0]).value()).error().code() == Code::closed);
    const std::uint64_t before = archive->count(audit::Kind::access);
    auto session = opener.begin(purpose_of(matter), {entries[0], entries[2]});
    if (!session.ok()) FAIL(session.error().message());
    CHECK(archive->count(audit::Kind::access) == before + 1);
    const auto opened = (*session)->open(entries[2]);
    REQUIRE(opened.ok());
    CHECK(opened->message.body == "Text 2");
    REQUIRE(opened->payload.payload.blobs.size() == 1);
    CHECK((*session)->blob_content(opened->payload.payload.blobs[0]).value() == Bytes(100'000, 2));
    Bytes raw;
    REQUIRE((*session)
                ->write_original(entries[0],
                                 [&raw](ByteView piece) {
                                     put(raw, piece);
                                     return ok_status();
                                 })
                .ok());
    CHECK(as_text(raw) == "{\"body\":\"Text 0\"}");
    CHECK((*session)->open(entries[1]).error().code() == Code::denied);
    CHECK(archive->open_payload(matter, archive->entry(matter).value()).ok());
    CHECK(archive->keys().check(entries[1]).ok());
    REQUIRE(archive->lock().ok());
    CHECK((*session)->open(entries[0]).error().code() == Code::closed);
}

TEST_CASE("no key without an entry of one's own: nothing else in the ledger stands for it") {
    World w;
    auto serving = w.serve(w.opener());
    auto archive = w.open();
    const auto entries = fill(*archive, 4, 100'000);
    const EntryIndex matter = matter_of(*archive);
    REQUIRE(archive->settle().ok());
    REQUIRE(archive->unlock(passphrase()).ok());
    Hostile h(*serving->service);
    CHECK(code_of(h.ask(OpenerAsk::key, entries[0])) == Code::denied);
    CHECK(code_of(h.ask(OpenerAsk::stored, entries[0])) == Code::denied);
    CHECK(code_of(h.ask(OpenerAsk::matter, entries[0])) == Code::denied);

    SUBCASE("an entry that lists something else, or says another purpose, does not count") {
        const auto draft = h.begin(purpose_of(matter), {entries[0]});
        REQUIRE(draft.ok());
        Hostile other(*serving->service);
        const auto wider = other.begin(purpose_of(matter), {entries[0], entries[1]});
        REQUIRE(wider.ok());
        CHECK(code_of(other.ask(OpenerAsk::stored, append(*archive, draft->body, draft->payload))) == Code::denied);
        // and what was begun is over
        CHECK(code_of(other.ask(OpenerAsk::stored, append(*archive, wider->body, wider->payload))) == Code::denied);
    }
    SUBCASE("the same body over another sealed part does not count") {
        const auto draft = h.begin(purpose_of(matter), {entries[0]});
        REQUIRE(draft.ok());
        const Bytes lie = encode(compose_access("nobody", "", {entries[0]}).payload);
        CHECK(code_of(h.ask(OpenerAsk::stored, append(*archive, draft->body, lie))) == Code::denied);
        CHECK(code_of(h.ask(OpenerAsk::key, entries[0])) == Code::denied);
    }
    SUBCASE("an entry serves once, on one connection") {
        const auto draft = h.begin(purpose_of(matter), {entries[0]});
        REQUIRE(draft.ok());
        const EntryIndex entry = append(*archive, draft->body, draft->payload);
        REQUIRE(h.ask(OpenerAsk::stored, entry).ok());
        CHECK(h.ask(OpenerAsk::key, entries[0]).value().size() == 32);
        CHECK(code_of(h.ask(OpenerAsk::key, entries[1])) == Code::denied);
        CHECK(code_of(h.ask(OpenerAsk::key, entry)) == Code::denied);
        Hostile other(*serving->service);
        CHECK(code_of(other.ask(OpenerAsk::key, entries[0])) == Code::denied);
        REQUIRE(other.begin(purpose_of(matter), {entries[0]}).ok());
        CHECK(code_of(other.ask(OpenerAsk::stored, entry)) == Code::denied);  // older than the question
        // the same question in the same millisecond makes the same draft: the entry of one does not serve the other
        Hostile one(*serving->service), two(*serving->service);
        const auto first = one.begin(purpose_of(matter), {entries[1]}),
                   second = two.begin(purpose_of(matter), {entries[1]});
        REQUIRE(first.ok());
        REQUIRE(second.ok());
        CHECK(first->body == second->body);
        const EntryIndex shared = append(*archive, first->body, first->payload);
        CHECK(one.ask(OpenerAsk::stored, shared).ok());
        CHECK(code_of(two.ask(OpenerAsk::stored, shared)) == Code::denied);
    }
    SUBCASE("a blob opens only as the listed record refers to it") {
        const auto draft = h.begin(purpose_of(matter), {entries[0]});
        REQUIRE(draft.ok());
        REQUIRE(h.ask(OpenerAsk::stored, append(*archive, draft->body, draft->payload)).ok());
        OpenerRequest request;
        request.ask = OpenerAsk::blob_key;
        request.entry = entries[0];
        request.blob = EntryIndex(entries[0].value - 1);
        CHECK(code_of(h.ask(request)) == Code::denied);  // b is not known
        request.entry = entries[1];
        request.blob = EntryIndex(entries[1].value - 1);
        CHECK(code_of(h.ask(request)) == Code::denied);  // not on the list
        CHECK(code_of(h.ask(OpenerAsk::key, EntryIndex(entries[0].value - 1))) == Code::denied);
    }
    SUBCASE("purposes that the ledger does not bear out are refused") {
        CHECK(h.begin(purpose_of(EntryIndex(1)), {entries[0]}).error().code() == Code::denied);
        Purpose nobody = purpose_of(matter);
        nobody.actor.clear();
        CHECK(h.begin(nobody, {entries[0]}).error().code() == Code::denied);
        CHECK(h.begin(purpose_of(matter), {matter}).error().code() == Code::not_found);
        CHECK(h.begin(purpose_of(matter), {EntryIndex(1'000'000)}).error().code() == Code::not_found);
        CHECK(h.begin(purpose_of(matter), {}).error().code() == Code::usage);
        CHECK(h.begin(purpose_of(matter, AccessAction::search), {entries[0]}).error().code() == Code::usage);
        REQUIRE(archive
                    ->record_control(audit::ControlAction::matter_closed,
                                     [&](Body& body) { body.put_u64(Tag::matter, matter.value); })
                    .ok());
        REQUIRE(archive->settle().ok());
        CHECK(h.begin(purpose_of(matter), {entries[0]}).error().code() == Code::denied);
    }
    SUBCASE("what lies ahead covers no leaf that an entry uses") {
        OpenerRequest request;
        request.ask = OpenerAsk::ahead;
        request.tree = archive->entry(entries[0]).value().header.tree.value;
        request.leaf = 0;
        const KeyCover cover = KeyCover::decode(h.ask(request).value()).value();
        for (const EntryIndex entry : entries) CHECK_FALSE(cover.covers(archive->entry(entry).value().header.leaf));
        CHECK(cover.covers(LeafNumber(kTreeLeaves - 1)));
    }
    SUBCASE("who does not speak first, or speaks nonsense, gets a refusal") {
        auto caller = serving->service->connect();
        OpenerRequest request;
        request.ask = OpenerAsk::state;
        CHECK(code_of(decode_opener_answer(caller->answer(encode(request)))) == Code::usage);
        CHECK(code_of(decode_opener_answer(caller->answer({}))) == Code::bad_input);
        CHECK(code_of(decode_opener_answer(caller->answer(Bytes{99}))) == Code::bad_input);
        request.ask = OpenerAsk::hello;
        request.version = 99;
        CHECK(code_of(decode_opener_answer(caller->answer(encode(request)))) == Code::not_in_version);
    }
}

TEST_CASE("a vault that was opened for a time is closed by the opener itself") {
    World w;
    auto serving = w.serve(w.opener());
    auto archive = w.open();
    const auto entries = fill(*archive, 1);
    const EntryIndex matter = matter_of(*archive);
    REQUIRE(archive->settle().ok());
    REQUIRE(archive->unlock(passphrase(), UtcTime{w.clock.now().ms + 60'000}).ok());
    Hostile h(*serving->service);
    const auto draft = h.begin(purpose_of(matter), {entries[0]});
    REQUIRE(draft.ok());
    const EntryIndex entry = append(*archive, draft->body, draft->payload);
    REQUIRE(h.ask(OpenerAsk::stored, entry).ok());
    REQUIRE(h.ask(OpenerAsk::key, entries[0]).ok());
    w.opener_clock.advance_ms(60'000);
    CHECK(code_of(h.ask(OpenerAsk::key, entries[0])) == Code::closed);
    CHECK(h.begin(purpose_of(matter), {entries[0]}).error().code() == Code::closed);
    CHECK_FALSE(archive->is_open());
}

TEST_CASE("more than is opened in an hour is refused until the hour is over") {
    World w;
    auto serving = w.serve(w.opener({10, 100, 100}));
    auto archive = w.open();
    const auto entries = fill(*archive, 8);
    const EntryIndex matter = matter_of(*archive);
    REQUIRE(archive->unlock(passphrase()).ok());
    Opener opener(*archive, w.check);
    REQUIRE(opener.begin(purpose_of(matter), entries).ok());
    const std::uint64_t before = archive->count(audit::Kind::control);
    const auto refused = opener.begin(purpose_of(matter), entries);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code() == Code::overloaded);
    CHECK(refused.error().hint() == "try again in 3600 s");
    CHECK(archive->count(audit::Kind::control) == before + 1);  // the finding
    CHECK(opener.begin(purpose_of(matter), {entries[0], entries[1]}).ok());
    Purpose other = purpose_of(matter);
    other.actor = "another";
    CHECK(opener.begin(other, entries).error().code() == Code::overloaded);                            // the matter's
    CHECK(opener.begin(purpose_of(matter_of(*archive)), entries).error().code() == Code::overloaded);  // the clerk's
    w.opener_clock.advance_ms(3'600'000);
    CHECK(opener.begin(purpose_of(matter), entries).ok());
}

TEST_CASE("an opener that has seen more than it is shown refuses, across its own restarts") {
    World w;
    std::vector<EntryIndex> entries;
    EntryIndex matter;
    {
        auto serving = w.serve(w.opener());
        auto archive = w.open();
        entries = fill(*archive, 2);
        matter = matter_of(*archive);
        REQUIRE(archive->settle().ok());
    }
    std::filesystem::copy(w.dir / "a", w.dir / "old", std::filesystem::copy_options::recursive);
    {
        auto serving = w.serve(w.opener());
        auto archive = w.open();
        fill(*archive, 2);
        REQUIRE(archive->settle().ok());
        Hostile h(*serving->service);
        OpenerRequest state;
        state.ask = OpenerAsk::state;
        REQUIRE(h.ask(state).ok());
    }
    std::filesystem::remove_all(w.dir / "a");
    std::filesystem::rename(w.dir / "old", w.dir / "a");
    OpenerServiceOptions options;
    options.archive = w.dir / "a";
    options.state = w.dir / "opener";
    const auto refused = OpenerService::open(w.environment(), std::move(options));
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code() == Code::rolled_back);
}

TEST_CASE("an entry whose bytes were changed on the disk names no other record's key") {
    World w;
    auto serving = w.serve(w.opener());
    auto archive = w.open();
    const auto entries = fill(*archive, 2);
    const EntryIndex matter = matter_of(*archive);
    REQUIRE(archive->settle().ok());
    REQUIRE(archive->unlock(passphrase()).ok());
    Hostile h(*serving->service);
    const auto draft = h.begin(purpose_of(matter), {entries[0]});
    REQUIRE(draft.ok());
    REQUIRE(h.ask(OpenerAsk::stored, append(*archive, draft->body, draft->payload)).ok());
    REQUIRE(h.ask(OpenerAsk::key, entries[0]).ok());
    // The first record's header now names the second one's leaf, everywhere on the disk.
    const Bytes from = audit::encode(archive->entry(entries[0]).value());
    audit::Entry changed = archive->entry(entries[0]).value();
    changed.header.leaf = archive->entry(entries[1]).value().header.leaf;
    const Bytes to = audit::encode(changed);
    for (const auto& file : std::filesystem::recursive_directory_iterator(w.dir / "a" / "ledger")) {
        if (!file.is_regular_file()) continue;
        Bytes bytes = read_file(w.fs, file.path(), 1u << 24).value();
        const auto found = std::search(bytes.begin(), bytes.end(), from.begin(), from.end());
        if (found == bytes.end()) continue;
        std::copy(to.begin(), to.end(), found);
        REQUIRE(replace_file(w.fs, file.path(), bytes).ok());
    }
    serving.reset();
    OpenerServiceOptions options;
    options.archive = w.dir / "a";
    options.state = w.dir / "opener2";  // one that has seen nothing yet, even
    const auto fresh = OpenerService::open(w.environment(), std::move(options));
    REQUIRE_FALSE(fresh.ok());
    CHECK(fresh.error().code() == Code::corrupt);
}

TEST_CASE("an erasure with the opener apart is finished whoever ends in between") {
    World w;
    auto serving = w.serve(w.opener());
    auto archive = w.open();
    const auto entries = fill(*archive, 6);
    const EntryIndex matter = matter_of(*archive);
    REQUIRE(archive->unlock(passphrase()).ok());
    Opener opener(*archive, w.check);
    const auto order = [&](std::vector<EntryIndex> list) {
        ForgetOrder o;
        o.entries = std::move(list);
        o.reason = compose_reason({"Art. 17 DSGVO", "clerk", {"one", "two"}, ""});
        return o;
    };
    const auto code = [&](EntryIndex entry) {
        auto session = opener.begin(purpose_of(matter), {entry});
        if (!session.ok()) return std::string(code_name(session.error().code()));
        auto opened = (*session)->open(entry);
        return opened.ok() ? std::string() : std::string(code_name(opened.error().code()));
    };
    const auto done = archive->forget(order({entries[1]}));
    if (!done.ok()) FAIL(done.error().message());
    CHECK(done->generation == 2);
    CHECK(code(entries[1]) == "erased");
    CHECK(code(entries[0]).empty());
    CHECK_FALSE(w.fs.exists(w.dir / "a" / "keys" / "generation-1"));

    // The opener is gone when it is asked: the run waits, sealing goes on, and it is finished when it is back.
    REQUIRE(archive->lock().ok());
    CHECK(archive->forget(order({entries[2]})).error().code() == Code::closed);
    REQUIRE(archive->unlock(passphrase()).ok());
    serving.reset();
    CHECK_FALSE(archive->is_open());
    CHECK(archive->unlock_state() == "closed (opener away)");
    CHECK(archive->forget(order({entries[2]})).error().code() == Code::closed);
    const auto more = fill(*archive, 2);
    serving = w.serve(w.opener());
    REQUIRE(archive->unlock(passphrase()).ok());
    CHECK(code(more[0]).empty());
    CHECK(archive->forget(order({entries[2]})).ok());
    CHECK(code(entries[2]) == "erased");
    CHECK(archive->catalog_agrees().value());
}

TEST_CASE("a generation that the ledger only claims destroys no key") {
    World w;
    auto serving = w.serve(w.opener());
    auto archive = w.open();
    const auto entries = fill(*archive, 2);
    const EntryIndex matter = matter_of(*archive);
    REQUIRE(archive->unlock(passphrase()).ok());
    REQUIRE(archive
                ->record_control(audit::ControlAction::generation_opened,
                                 [](Body& body) {
                                     body.put_u32(Tag::generation, 7)
                                         .put_bytes(Tag::intake_key, Bytes(32, 1))
                                         .put_hash(Tag::keyring_hash, Hash{});
                                 })
                .ok());
    REQUIRE(archive->settle().ok());
    Hostile h(*serving->service);
    CHECK(h.ask(OpenerAsk::destroy, {}).ok());
    CHECK(w.fs.exists(w.dir / "a" / "keys" / "generation-1" / "root"));
    Opener opener(*archive, w.check);
    auto session = opener.begin(purpose_of(matter), {entries[0]});
    REQUIRE(session.ok());
    CHECK((*session)->open(entries[0]).ok());
}

TEST_CASE("the opener's page shows what is said and what is kept") {
    OpenerRequest state;
    state.ask = OpenerAsk::state;
    const auto framed = [](const Bytes& bytes) {
        Bytes out;
        put_u32(out, static_cast<std::uint32_t>(bytes.size()));
        put(out, bytes);
        return out;
    };
    CHECK(test::doc_example("opener-protocol.md", "request") == framed(encode(state)));
    const OpenerState closed{false, "closed", 1, "file", 0};
    CHECK(test::doc_example("opener-protocol.md", "answer") == framed(opener_answer(encode(closed))));
    const Bytes seen = test::doc_example("opener-protocol.md", "seen");
    const auto read = decode_seen(seen);
    REQUIRE(read.ok());
    CHECK(read->head.size == TreeSize(3));
    CHECK(encode(*read) == seen);
    for (std::size_t i = 0; i < seen.size(); ++i) {
        Bytes changed = seen;
        changed[i] ^= 1;
        CHECK(decode_seen(changed).error().code() == Code::corrupt);
    }
}
