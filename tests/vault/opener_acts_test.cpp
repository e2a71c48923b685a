// What changes an opener apart, or gives more away than records: each stands in the ledger before it takes effect.
#include <doctest/doctest.h>

#include "tests/support/doc_example.h"
#include "tests/vault/opener_world.h"
#include "vault/src/opener_mark.h"

using namespace kustos;
using namespace kustos::test::opener_world;
using audit::ControlAction;

namespace {

// Number of the newest control entry with this action; the ledger's end if there is none.
std::optional<EntryIndex> newest(const Archive& archive, ControlAction action) {
    for (std::uint64_t i = archive.head().size.value; i-- > 0;) {
        const audit::Entry entry = archive.entry(EntryIndex(i)).value();
        if (entry.header.kind != audit::Kind::control) continue;
        const auto body = audit::BodyReader::parse(entry.body).value();
        if (body.find_u16(Tag::action) == static_cast<std::uint16_t>(action)) return EntryIndex(i);
    }
    return std::nullopt;
}
audit::BodyReader body_of(const Archive& archive, EntryIndex entry) {
    static Bytes kept;
    kept = archive.entry(entry).value().body;
    return audit::BodyReader::parse(kept).value();
}
OpenerRequest unlock_request(std::string_view text = "geheim und lang") {
    OpenerRequest request;
    request.ask = OpenerAsk::unlock;
    request.secret = encode_secret(passphrase(text));
    request.actor = "mallory";
    return request;
}
EntryIndex append_control(Archive& archive, const Bytes& draft) {
    const AccessDraft d = decode_access_draft(draft).value();
    std::optional<Payload> content;
    if (!d.payload.empty()) content = decode_payload(d.payload).value();
    return archive.append_control(d.body, std::move(content)).value();
}
bool is_open(Hostile& h) {
    OpenerRequest state;
    state.ask = OpenerAsk::state;
    return decode_opener_state(h.ask(state).value()).value().open;
}

}  // namespace

TEST_CASE("the vault is open only after the entry that says who opened it, how and until when") {
    World w;
    auto serving = w.serve(w.opener());
    auto archive = w.open();
    REQUIRE(archive->settle().ok());
    Hostile h(*serving->service);
    CHECK(code_of(h.ask(unlock_request("falsch"))) == Code::denied);
    OpenerRequest nobody = unlock_request();
    nobody.actor.clear();
    CHECK(code_of(h.ask(nobody)) == Code::denied);
    const auto draft = h.ask(unlock_request());
    REQUIRE(draft.ok());
    CHECK_FALSE(is_open(h));  // the right secret alone opens nothing
    CHECK(code_of(h.ask(OpenerAsk::stored, EntryIndex(0))) == Code::denied);
    CHECK_FALSE(is_open(h));
    const auto again = h.ask(unlock_request());
    const EntryIndex entry = append_control(*archive, again.value());
    Hostile other(*serving->service);
    CHECK(code_of(other.ask(OpenerAsk::stored, entry)) == Code::denied);  // it is another connection's
    REQUIRE(h.ask(OpenerAsk::stored, entry).ok());
    CHECK(is_open(h));
    CHECK(body_of(*archive, entry).find_text(Tag::method) == "passphrase");
    // Who it was is sealed; it names the one that the kernel saw, too, where a socket is between.
    REQUIRE(archive->unlock(passphrase(), UtcTime{w.clock.now().ms + 60'000}, "clerk").ok());
    const EntryIndex second = newest(*archive, ControlAction::vault_unlocked).value();
    CHECK(body_of(*archive, second).find_time(Tag::until).has_value());
    Opener opener(*archive, w.check);
    Purpose ground = purpose_of(EntryIndex(0), AccessAction::audit_read);
    ground.query = "who opened the vault?";
    const auto opened = opener.read_trail(ground, second);
    REQUIRE(opened.ok());
    const Bytes sealed = encode(opened->payload);
    CHECK(as_text(sealed).find("clerk (uid " + std::to_string(geteuid()) + ")") != std::string_view::npos);
    REQUIRE(archive->lock("key holder", "clerk").ok());
    CHECK_FALSE(is_open(h));
    CHECK(newest(*archive, ControlAction::vault_locked).value() > second);
    CHECK(archive->catalog_agrees().value());
}

TEST_CASE("a closing that could not wait for its entry gets it before the vault is opened again") {
    World w;
    auto serving = w.serve(w.opener());
    auto archive = w.open();
    REQUIRE(archive->unlock(passphrase(), UtcTime{w.clock.now().ms + 60'000}).ok());
    Hostile h(*serving->service);
    std::string why;
    SUBCASE("the time was over") {
        w.opener_clock.advance_ms(60'000);
        why = "time";
    }
    SUBCASE("it was closed without the archive") {
        archive->keys().lock();
        why = "work";
    }
    SUBCASE("the opener ended while it was open") {
        serving.reset();
        serving = w.serve(w.opener());
        why = "opener ended";
    }
    Hostile late(*serving->service);
    CHECK_FALSE(is_open(late));
    CHECK_FALSE(newest(*archive, ControlAction::vault_locked).has_value());
    CHECK(code_of(late.ask(unlock_request())) == Code::conflict);
    archive->settle_openings();
    const auto closed = newest(*archive, ControlAction::vault_locked);
    REQUIRE(closed.has_value());
    CHECK(body_of(*archive, *closed).find_text(Tag::method) == why);
    CHECK(body_of(*archive, *closed).find_time(Tag::until).has_value());
    archive->settle_openings();
    CHECK(newest(*archive, ControlAction::vault_locked) == closed);  // once
    CHECK(archive->unlock(passphrase()).ok());
}

TEST_CASE("slots of an opener apart are changed by who can open it, behind an entry") {
    World w;
    auto serving = w.serve(w.opener());
    auto archive = w.open();
    REQUIRE(archive->settle().ok());
    const auto store = [&](Bytes body, std::optional<Payload> content) {
        return archive->append_control(std::move(body), std::move(content));
    };
    RekeyOrder order;
    order.actor = "clerk";
    order.secret = encode_secret(passphrase("falsch"));
    order.add.push_back(parse_slot_order("shares:2/3").value());
    std::vector<Share> shares;
    const auto take = [&](const std::vector<Share>& made) {
        for (const Share& s : made) shares.push_back({s.set, s.threshold, s.count, s.number, s.value.clone()});
        return ok_status();
    };
    CHECK(archive->keys().rekey(order, take, store).error().code() == Code::denied);
    order.secret = encode_secret(passphrase());
    // Whose shares nobody takes are not made.
    CHECK(archive->keys()
              .rekey(
                  order, [](const auto&) { return Status(Error(Code::environment, "no paper")); }, store)
              .error()
              .code() == Code::environment);
    CHECK(archive->slots().value().size() == 1);
    order.remove.push_back(SlotKind::passphrase);
    const Status changed = archive->keys().rekey(order, take, store);
    if (!changed.ok()) FAIL(changed.error().message());
    REQUIRE(shares.size() == 3);
    CHECK(archive->slots().value().size() == 1);
    const EntryIndex entry = newest(*archive, ControlAction::slots_changed).value();
    CHECK(body_of(*archive, entry).find_text(Tag::method) == "shares");
    const Bytes file = read_file(w.fs, w.dir / "a" / "keys" / "slots", 1u << 16).value();
    CHECK(body_of(*archive, entry).find_hash(Tag::slots_hash) == sha256(file));
    CHECK_FALSE(archive->is_open());
    CHECK_FALSE(archive->unlock(passphrase()).ok());
    ShareSecrets two;
    two.texts.push_back(share_text(shares[0]));
    two.texts.push_back(share_text(shares[2]));
    CHECK(archive->unlock(UnlockSecret(std::move(two))).ok());
}

TEST_CASE("the whole archive is given away to two people who can open it, behind an entry, and not what is erased") {
    World w;
    auto serving = w.serve(w.opener());
    auto archive = w.open();
    const auto entries = fill(*archive, 3, 100'000);
    REQUIRE(archive->unlock(passphrase()).ok());
    ForgetOrder forget;
    forget.entries = {entries[1]};
    forget.reason = compose_reason({"Art. 17 DSGVO", "clerk", {"one", "two"}, ""});
    REQUIRE(archive->forget(std::move(forget)).ok());
    REQUIRE(archive->lock().ok());
    LeaveOrder order;
    order.secret = encode_secret(passphrase());
    order.actor = "clerk";
    order.ground = "another product";
    order.size = archive->head().size.value;
    order.approvers = {"A. Berg", "a.berg"};
    CHECK(archive->give_away(order).error().code() == Code::denied);
    order.approvers = {"A. Berg", "C. Dorn"};
    order.secret = encode_secret(passphrase("falsch"));
    CHECK(archive->give_away(order).error().code() == Code::denied);
    const auto none = [](KeyTreeId, ByteView) { return ok_status(); };
    CHECK(archive->export_covers(none).error().code() == Code::closed);
    order.secret = encode_secret(passphrase());
    const auto given = archive->give_away(order);
    if (!given.ok()) FAIL(given.error().message());
    CHECK(body_of(*archive, *given).find_u64(Tag::count) == 2);
    CHECK(body_of(*archive, *given).find_u64(Tag::total) == 1);
    std::size_t trees = 0;
    REQUIRE(archive
                ->export_covers([&](KeyTreeId, ByteView) {
                    ++trees;
                    return ok_status();
                })
                .ok());
    CHECK(trees > 0);
    CHECK(archive->open_payload(entries[0], archive->entry(entries[0]).value()).ok());
    CHECK(archive->open_payload(entries[1], archive->entry(entries[1]).value()).error().code() == Code::erased);
    Hostile h(*serving->service);
    OpenerRequest cover;
    cover.ask = OpenerAsk::cover;
    cover.tree = 1;
    CHECK(code_of(h.ask(cover)) == Code::denied);  // another connection's
}

TEST_CASE("an escrow is written by the opener, and what it holds opens a lost archive") {
    World w;
    w.escrow = w.dir / "medium";
    REQUIRE(make_dirs_synced(w.fs, w.escrow).ok());
    auto serving = w.serve(w.opener());
    auto archive = w.open();
    const auto entries = fill(*archive, 2);
    REQUIRE(archive->unlock(passphrase()).ok());
    REQUIRE(archive->keep_escrow().ok());
    CHECK(archive->escrow_state().newest == 1);
    ForgetOrder forget;
    forget.entries = {entries[1]};
    forget.reason = compose_reason({"Art. 17 DSGVO", "clerk", {"one", "two"}, ""});
    const auto done = archive->forget(std::move(forget));
    if (!done.ok()) FAIL(done.error().message());
    const EscrowState state = archive->escrow_state();
    CHECK(state.problem == "");
    CHECK(state.newest == 2);
    CHECK(newest(*archive, audit::ControlAction::escrow_stored).has_value());
    w.opener_clock.advance_ms(10);
    CHECK(archive->finalise(-3650LL * 86'400'000).ok());  // the opener's own clock counts
    CHECK(archive->escrow_state().oldest == 2);
    // Only generations that exist; nothing of e_n passes through the sealer.
    CHECK(archive->keys().escrow_apart()->store(7, {}, w.clock.now(), false).error().code() == Code::denied);
    const VaultId vault = archive->vault_id();
    archive.reset();
    serving.reset();
    std::filesystem::remove_all(w.dir / "a" / "keys" / "generation-2");
    REQUIRE(restore_escrow(w.environment(), w.escrow, vault, w.dir / "a" / "keys").ok());
    serving = w.serve(w.opener());
    archive = w.open();
    CHECK(archive->unlock(passphrase()).ok());
}

TEST_CASE("the page's example of the opening's note is read") {
    const Bytes bytes = test::doc_example("opener-protocol.md", "opening");
    const auto mark = decode_opening_mark(bytes);
    REQUIRE(mark.ok());
    CHECK(mark->entry == EntryIndex(42));
    CHECK(mark->why == "time");
    CHECK(mark->owed());
    CHECK(encode(*mark) == bytes);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        Bytes bent = bytes;
        bent[i] ^= 1;
        CHECK(decode_opening_mark(bent).error().code() == Code::corrupt);
        CHECK_FALSE(decode_opening_mark(ByteView(bytes).first(i)).ok());
    }
}
