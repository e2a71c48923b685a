// What the ledger says of sources: capture profiles, tallies, promises, findings; and what streams remember.
#include "vault/source_book.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/random.h"
#include "tests/support/doc_example.h"
#include "tests/support/temp_dir.h"
#include "vault/stream_memory.h"

namespace kustos::vault {
namespace {

const RuleMac kMac = [](ByteView identity) { return sha256(identity); };

Hash room(std::string_view name) {
    return kMac(rule_identity(AssignmentRule::Who::conversation, name));
}
Hash person(std::string_view name) {
    return kMac(rule_identity(AssignmentRule::Who::participant, name));
}

Message chat() {
    Message m;
    m.kind = MessageKind::chat;
    m.sender.address = "anna@beispiel.example";
    m.conversation.id = "!r1:beispiel.example";
    m.recipients.push_back({Role::member, {"@juergen:fern.example", "", "", "", false}});
    return m;
}

Message event(std::string_view word) {
    Message m = chat();
    m.kind = MessageKind::status;
    m.notes = {"event:" + std::string(word)};
    return m;
}

audit::Entry control(const audit::Body& body) {
    audit::Entry entry;
    entry.header.kind = audit::Kind::control;
    entry.body = body.encode();
    return entry;
}

audit::Body about_source(audit::ControlAction action, std::int64_t ms, std::uint64_t source = 5) {
    audit::Body body(action);
    body.put_time(audit::Tag::time, UtcTime{ms}).put_u64(audit::Tag::entry, source);
    return body;
}

}  // namespace

TEST_CASE("without a profile everything that people wrote is captured, and what watches them is not") {
    const CaptureProfile none;
    CHECK(!left_out(none, chat(), kMac));
    for (const char* word : {"read-receipt", "presence", "typing", "location"}) {
        CAPTURE(word);
        CHECK(left_out(none, event(word), kMac) == std::string_view(word));
    }
    Message broken = chat();
    broken.kind = MessageKind::unreadable;
    CaptureProfile strict;
    strict.kinds_out = ~0u;
    CHECK(!left_out(strict, broken, kMac));
}

TEST_CASE("a profile leaves out kinds, rooms and persons, and out wins over in") {
    CaptureProfile p;
    p.kinds_out = 1u << static_cast<unsigned>(MessageKind::reaction);
    Message reaction = chat();
    reaction.kind = MessageKind::reaction;
    CHECK(left_out(p, reaction, kMac) == "kind");
    CHECK(!left_out(p, chat(), kMac));
    p.rooms_in = {room("!R1:Beispiel.example")};  // as people write it
    CHECK(!left_out(p, chat(), kMac));
    p.rooms_out = p.rooms_in;
    CHECK(left_out(p, chat(), kMac) == "room");
    p.rooms_out.clear();
    p.rooms_in = {room("!other:beispiel.example")};
    CHECK(left_out(p, chat(), kMac) == "room");
    p.rooms_in.clear();
    p.persons_out = {person("@juergen:fern.example")};
    CHECK(left_out(p, chat(), kMac) == "person");
    p.persons_out.clear();
    p.persons_in = {person("mary@beispiel.example")};
    CHECK(left_out(p, chat(), kMac) == "person");
}

TEST_CASE("the page's profile and tally are what the code reads and writes") {
    const Bytes bytes = test::doc_example("sources.md", "profile");
    const CaptureProfile p = decode_profile(bytes).value();
    CHECK(p.leaves_out(MessageKind::reaction));
    CHECK(!p.leaves_out(MessageKind::chat));
    CHECK(p.presence);
    CHECK(!p.read_receipts);
    CHECK(p.rooms_out.size() == 1);
    CHECK(encode(p) == bytes);
    const Bytes tally = test::doc_example("sources.md", "tally");
    const std::map<std::string, std::uint64_t> wanted = {{"kind:chat", 3}, {"duplicate", 1}};
    CHECK(decode_tally(tally).value() == wanted);
    CHECK(decode_tally(encode_tally(wanted)).value() == wanted);
}

TEST_CASE("profiles and tallies that are cut, too long or out of order are refused") {
    CaptureProfile p;
    p.persons_in = {room("a"), room("b")};
    std::sort(p.persons_in.begin(), p.persons_in.end());
    const Bytes whole = encode(p);
    REQUIRE(decode_profile(whole).value() == p);
    for (std::size_t n = 0; n < whole.size(); ++n) CHECK(!decode_profile(ByteView(whole).first(n)).ok());
    Bytes longer = whole;
    longer.push_back(0);
    CHECK(!decode_profile(longer).ok());
    std::swap(p.persons_in[0], p.persons_in[1]);
    CHECK(!decode_profile(encode(p)).ok());
    const Bytes tally = encode_tally({{"kind:chat", 3}});
    for (std::size_t n = 1; n < tally.size(); ++n) CHECK(!decode_tally(ByteView(tally).first(n)).ok());
}

TEST_CASE("a finding stays open until it is resolved, and a later one of the same is open again") {
    using audit::ControlAction;
    using audit::Tag;
    SourceBook book;
    const Hash about = sha256(as_bytes("a room"));
    const auto say = [&](std::uint64_t index, ControlAction action, std::int64_t ms) {
        audit::Body body = about_source(action, ms);
        body.put_text(Tag::code, "matrix:gap").put_u64(Tag::count, 2).put_hash(Tag::related_hash, about);
        REQUIRE(book.apply(EntryIndex(index), control(body)).ok());
    };
    say(10, ControlAction::finding, 1000);
    say(11, ControlAction::finding_resolved, 2000);
    say(12, ControlAction::finding, 3000);
    const auto& findings = book.of(SourceId(5)).findings;
    REQUIRE(findings.size() == 2);
    CHECK(findings[0].resolved == UtcTime{2000});
    CHECK(!findings[1].resolved);
    audit::Body by_entry = about_source(ControlAction::finding_resolved, 4000);
    by_entry.put_text(Tag::code, "matrix:gap").put_u64(Tag::finding, 12);
    REQUIRE(book.apply(EntryIndex(13), control(by_entry)).ok());
    CHECK(book.of(SourceId(5)).findings[1].resolved == UtcTime{4000});
}

TEST_CASE("of a day's counts the last is kept, and promises are kept by part") {
    using audit::ControlAction;
    using audit::Tag;
    SourceBook book;
    constexpr std::int64_t kDay = 24 * 3600 * 1000;
    for (int i = 0; i < 6; ++i) {
        audit::Body body = about_source(ControlAction::source_counted, i * kDay / 2);
        body.put_u64(Tag::count, 1).put_u64(Tag::total, static_cast<std::uint64_t>(i));
        body.put_bytes(Tag::tally, encode_tally({{"kind:chat", static_cast<std::uint64_t>(i)}}));
        REQUIRE(book.apply(EntryIndex(static_cast<std::uint64_t>(20 + i)), control(body)).ok());
    }
    const auto& tallies = book.of(SourceId(5)).tallies;
    REQUIRE(tallies.size() == 3);
    CHECK(tallies[1].counts.at("kind:chat") == 3);
    audit::Body promise = about_source(ControlAction::promise_made, 9);
    promise.put_u64(Tag::count, 10).put_u64(Tag::total, 8);
    REQUIRE(book.apply(EntryIndex(40), control(promise)).ok());
    CHECK(book.of(SourceId(5)).promises.at(Hash{}).promised == 10);
    CHECK(book.of(SourceId(6)).promises.empty());
    audit::Body lacking = about_source(ControlAction::promise_made, 9);
    CHECK(book.apply(EntryIndex(41), control(lacking)).error().code() == Code::corrupt);
}

TEST_CASE("what a stream remembers stands nowhere readable in the file") {
    test::TempDir dir;
    SystemRandom random;
    const Path file = dir.path() / "streams.db";
    const SecretBytes key = SecretBytes::random(random, 32);
    auto memory = StreamMemory::open(file, VaultId{}, random).value();
    const SourceId source(7);
    CHECK(!memory->recall(key.view(), source, "mailbox/anna").value());
    REQUIRE(memory->remember(key.view(), source, "mailbox/anna", "uid 4711").ok());
    REQUIRE(memory->remember(key.view(), source, "mailbox/anna", "uid 4712").ok());
    CHECK(memory->recall(key.view(), source, "mailbox/anna").value() == "uid 4712");
    CHECK(!memory->recall(key.view(), SourceId(8), "mailbox/anna").value());
    RealFs fs;
    const std::string bytes = to_text(read_file(fs, file, 1u << 20).value());
    CHECK(bytes.find("anna") == std::string::npos);
    CHECK(bytes.find("uid 47") == std::string::npos);
    REQUIRE(memory->forget(key.view(), source, "mailbox/anna").ok());
    CHECK(!memory->recall(key.view(), source, "mailbox/anna").value());
    CHECK(memory->remember(key.view(), source, "x", std::string(StreamMemory::kMaxValue + 1, 'x')).error().code() ==
          Code::limit);
}

}  // namespace kustos::vault
