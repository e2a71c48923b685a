// Slots of every kind on one root key: against swtpm and softhsm2, through files, and in a whole archive.
#include <doctest/doctest.h>

#include "audit/entry_names.h"
#include "tests/support/emulators.h"
#include "vault/archive.h"

using namespace kustos;
using namespace kustos::vault;

namespace {

struct World {
    RealFs fs;
    FixedClock clock{UtcTime{1'772'445'600'000}};
    SystemRandom random;
    test::TempDir dir;
    VaultId vault = random.make<VaultId>();
    SecretBytes root = SecretBytes::random(random, 32);
    Environment environment() { return {fs, clock, random}; }

    NewSlot make(const std::string& order, const std::string& pin = "") {
        SlotOrder o = parse_slot_order(order).value();
        o.passphrase = SecretBytes(as_bytes("zwölf Boxkämpfer"));
        o.pin = SecretBytes(as_bytes(pin));
        return make_slot(environment(), o, root.view(), vault).value();
    }
    Result<OpenedRoot> open(const std::vector<Slot>& slots, const UnlockSecret& secret) {
        return open_root(environment(), dir.path(), slots, secret, vault);
    }
};

ShareSecrets texts(const std::vector<Share>& shares, const std::vector<unsigned>& numbers) {
    ShareSecrets out;
    for (const unsigned n : numbers) out.texts.push_back(share_text(shares[n - 1]));
    return out;
}

}  // namespace

TEST_CASE("one root key lies in slots of every kind, and each opens alone") {
    World w;
    test::SoftTpm chip;
    const test::SoftToken& token = test::shared_token();
    std::vector<Slot> slots;
    NewSlot automatic = w.make("auto"), passphrase = w.make("passphrase"), shares = w.make("shares:3/5"),
            tpm = w.make("tpm:" + chip.address(), "4711"), pkcs11 = w.make(token.uri("slot-of-all"));
    REQUIRE(replace_file(w.fs, w.dir / "auto.key", automatic.key_file.view()).ok());
    for (NewSlot* s : {&automatic, &passphrase, &shares, &tpm, &pkcs11}) slots.push_back(std::move(s->slot));
    REQUIRE(store_slots(w.fs, w.dir.path(), slots).ok());
    slots = load_slots(w.fs, w.dir.path()).value();
    REQUIRE(slots.size() == 5);
    const auto opens = [&](const UnlockSecret& secret, const std::string& method) {
        const auto opened = w.open(slots, secret);
        REQUIRE(opened.ok());
        CHECK(equal(opened->root.view(), w.root.view()));
        CHECK(opened->method == method);
    };
    opens(AutomaticSecret{}, "auto");
    opens(PassphraseSecret{SecretBytes(as_bytes("zwölf Boxkämpfer"))}, "passphrase");
    opens(texts(shares.shares, {5, 2, 4}), "shares 3/5: 2 4 5");
    opens(TpmSecret{SecretBytes(as_bytes("4711")), {}}, "tpm");
    opens(TokenSecret{}, "pkcs11");
    CHECK(w.open(slots, PassphraseSecret{SecretBytes(as_bytes("dreizehn"))}).error().code() == Code::denied);
    CHECK(w.open(slots, TpmSecret{}).error().code() == Code::usage);  // it has a PIN
    CHECK(w.open(slots, TpmSecret{SecretBytes(as_bytes("4712")), {}}).error().code() == Code::denied);
    CHECK(w.open(slots, TokenSecret{"/nowhere"}).error().code() == Code::not_found);

    // Facts that may be shown.
    CHECK(slot_facts(slots[2])->shares->count() == 5);
    CHECK(slot_facts(slots[3])->with_pin);
    CHECK(slot_facts(slots[3])->address == chip.address());
    CHECK(slot_facts(slots[4])->address == "token kustos test, key slot-of-all");
    CHECK(slot_facts(slots[4])->made.ms == w.clock.now().ms);

    // A changed detail is noticed at the latest when it opens.
    std::vector<UnlockSecret> secrets;
    secrets.emplace_back(texts(shares.shares, {5, 2, 4}));
    secrets.emplace_back(TpmSecret{SecretBytes(as_bytes("4711")), {}});
    secrets.emplace_back(TokenSecret{});
    for (std::size_t i = 2; i < 5; ++i) {
        auto changed = slots;
        changed[i].details.back() ^= 1;
        CHECK_FALSE(w.open(changed, secrets[i - 2]).ok());
    }
    CHECK(forget_slot(w.environment(), slots[4]).ok());
    CHECK(w.open(slots, TokenSecret{}).error().code() == Code::not_found);
}

TEST_CASE("of shares the wrong one is named: once too many, of an old set, twice, mistyped") {
    World w;
    NewSlot old = w.make("shares:3/5");
    SlotOrder order = parse_slot_order("shares:3/5").value();
    const NewSlot now =
        make_slot(w.environment(), order, w.root.view(), w.vault, decode_share_set(old.slot.details).value()).value();
    const std::vector<Slot> slots = {now.slot};
    // Four given, one of them old: it opens all the same.
    ShareSecrets four = texts(now.shares, {1, 2, 3});
    four.texts.push_back(share_text(old.shares[4]));
    CHECK(w.open(slots, std::move(four)).ok());
    // Three given, one of them old.
    ShareSecrets three = texts(now.shares, {1, 2});
    three.texts.push_back(share_text(old.shares[4]));
    const Error of_old = w.open(slots, std::move(three)).error();
    CHECK(of_old.code() == Code::denied);
    CHECK(of_old.message().find("share 5 is of the set") != std::string::npos);
    CHECK(of_old.message().find("which was replaced on 2026-03-02") != std::string::npos);
    const Error twice = w.open(slots, texts(now.shares, {1, 2, 2})).error();
    CHECK(twice.code() == Code::denied);
    CHECK(twice.message() == "share 2 was given already");
    const Error few = w.open(slots, texts(now.shares, {1, 2})).error();
    CHECK(few.code() == Code::usage);
    CHECK(few.message() == "shares are missing: 2 of 3 are there");
    // The old slot's own shares open the old slot only.
    CHECK(w.open({old.slot}, texts(old.shares, {1, 3, 5})).ok());
    CHECK(w.open(slots, texts(old.shares, {1, 3, 5})).error().code() == Code::denied);
}

TEST_CASE("a secret goes over a socket and comes out the same") {
    ShareSecrets shares;
    for (const char* text : {"AAAA", "", "BBBBBBB"}) shares.texts.emplace_back(as_bytes(text));
    std::vector<UnlockSecret> all;
    all.emplace_back(AutomaticSecret{});
    all.emplace_back(PassphraseSecret{SecretBytes(as_bytes("x"))});
    all.emplace_back(std::move(shares));
    all.emplace_back(TpmSecret{SecretBytes(as_bytes("1")), {}});
    all.emplace_back(TokenSecret{"/pin"});
    for (const UnlockSecret& secret : all) {
        const SecretBytes bytes = encode_secret(secret);
        const auto back = decode_secret(bytes.view());
        REQUIRE(back.ok());
        CHECK(back->index() == secret.index());
        CHECK(equal(encode_secret(*back).view(), bytes.view()));
        for (std::size_t i = 0; i < bytes.size(); ++i) CHECK_FALSE(decode_secret(bytes.view().first(i)).ok());
    }
    CHECK(std::get<ShareSecrets>(clone(all[2])).texts.size() == 3);
    CHECK_FALSE(decode_secret(Bytes{6, 0}).ok());
    CHECK_FALSE(decode_secret(Bytes{2, 0}).ok());
}

TEST_CASE("what a slot is to be is read from the command line, and nothing else is taken") {
    CHECK(parse_slot_order("shares:3/5")->threshold == 3);
    CHECK(parse_slot_order("shares:2/16")->count == 16);
    CHECK(parse_slot_order("tpm:device:/dev/tpm0")->address == "device:/dev/tpm0");
    for (const char* bad :
         {"", "shares", "shares:1/5", "shares:6/5", "shares:3/17", "shares:3", "shares:a/b", "shares:3/5x", "auto:x",
          "passphrase:geheim", "tpm:cmd:id", "pkcs11:token=x", "tpm2", "SHARES:3/5"})
        CHECK(parse_slot_order(bad).error().code() == Code::usage);
}

TEST_CASE("a slot of each kind at most, a new one takes the old one's place, and the last one stays") {
    World w;
    std::vector<Slot> slots = {w.make("auto").slot};
    CHECK(without_slot(slots, SlotKind::automatic).error().code() == Code::conflict);
    CHECK(without_slot(slots, SlotKind::tpm).error().code() == Code::usage);
    slots = with_slot(slots, w.make("shares:2/2").slot);
    CHECK(slots.size() == 2);
    const Slot another = w.make("shares:2/3").slot;
    slots = with_slot(slots, another);
    CHECK(slots.size() == 2);
    CHECK(slots[1].wrapped == another.wrapped);
    slots = without_slot(slots, SlotKind::automatic).value();
    CHECK(slots.size() == 1);
}

TEST_CASE("a damaged file of slots is refused at every length, and a file of the first version is read") {
    World w;
    const Bytes bytes = encode({w.make("shares:2/3").slot, w.make("auto").slot});
    for (std::size_t i = 0; i < bytes.size(); ++i)
        CHECK(decode_slots(ByteView(bytes).first(i)).error().code() == Code::corrupt);
    Bytes longer = bytes;
    longer.push_back(0);
    CHECK(decode_slots(longer).error().code() == Code::corrupt);
}

TEST_CASE("an archive of shares is opened by its holders, rekeyed, and every change is on record") {
    World w;
    const Path dir = w.dir / "archive", state = w.dir / "state";
    const auto keep = [](std::vector<Bytes>& into) {
        return [&into](const HandedOut& out) -> Status {
            into.clear();
            for (const Share& s : out.shares) into.push_back(to_bytes(share_text(s).view()));
            return {};
        };
    };
    std::vector<Bytes> first, second;
    CreateOptions create;
    create.unlock = "shares:2/3";
    CHECK(Archive::create(w.environment(), dir, state, std::move(create)).error().code() == Code::usage);
    CHECK_FALSE(w.fs.exists(dir / "ledger"));  // nobody took the shares: nothing is left
    create = {};
    create.unlock = "shares:2/3";
    create.hand_out = keep(first);
    REQUIRE(Archive::create(w.environment(), dir, state, std::move(create)).ok());
    REQUIRE(first.size() == 3);
    OpenOptions options;
    options.state = state;
    auto archive = Archive::open(w.environment(), dir, std::move(options)).value();
    const auto two = [](const std::vector<Bytes>& from) {
        ShareSecrets s;
        s.texts.emplace_back(ByteView(from[2]));
        s.texts.emplace_back(ByteView(from[0]));
        return UnlockSecret(std::move(s));
    };
    CHECK_FALSE(archive->is_open());
    CHECK(archive->rekey({}, {}, nullptr).error().code() == Code::closed);
    REQUIRE(archive->unlock(two(first), UtcTime{1'772'445'700'000}).ok());
    CHECK(archive->unlock_state() == "open (shares 2/3: 1 3)");
    // New shares beside a passphrase; the old ones are void at once.
    const auto orders = [](std::initializer_list<const char*> words) {
        std::vector<SlotOrder> out;
        for (const char* word : words) {
            out.push_back(parse_slot_order(word).value());
            out.back().passphrase = SecretBytes(as_bytes("zwölf Boxkämpfer"));
        }
        return out;
    };
    CHECK(archive->rekey(orders({"shares:2/3"}), {}, nullptr).error().code() == Code::usage);
    REQUIRE(archive->rekey(orders({"shares:2/3", "passphrase"}), {}, keep(second)).ok());
    REQUIRE(archive->lock().ok());
    const Error old = archive->unlock(two(first)).error();
    CHECK(old.code() == Code::denied);
    CHECK(old.message().find("was replaced on") != std::string::npos);
    REQUIRE(archive->unlock(two(second)).ok());
    REQUIRE(archive->lock().ok());
    REQUIRE(archive->unlock(PassphraseSecret{SecretBytes(as_bytes("zwölf Boxkämpfer"))}).ok());
    CHECK(archive->rekey({}, {SlotKind::passphrase, SlotKind::shares}, nullptr).error().code() == Code::conflict);
    CHECK(archive->slots()->size() == 2);
    REQUIRE(archive->rekey(orders({"auto"}), {SlotKind::shares}, nullptr).ok());
    CHECK(w.fs.exists(dir / "keys" / "auto.key"));
    REQUIRE(archive->rekey({}, {SlotKind::automatic}, nullptr).ok());
    CHECK_FALSE(w.fs.exists(dir / "keys" / "auto.key"));
    // The ledger says all of it.
    std::string story;
    for (std::uint64_t i = 0; i < archive->head().size.value; ++i) {
        const audit::Entry entry = archive->entry(EntryIndex(i)).value();
        const std::string action = audit::action_name(entry);
        if (action != "vault_unlocked" && action != "vault_locked" && action != "slots_changed") continue;
        const auto body = audit::BodyReader::parse(entry.body).value();
        story += action + " " + body.find_text(audit::Tag::method).value_or("") +
                 (body.find_time(audit::Tag::until) ? " until" : "") + "\n";
    }
    CHECK(story ==
          "vault_unlocked shares 2/3: 1 3 until\nslots_changed shares, passphrase\nvault_locked key holder\n"
          "vault_unlocked shares 2/3: 1 3\nvault_locked key holder\nvault_unlocked passphrase\n"
          "slots_changed passphrase, auto\nslots_changed passphrase\n");
    const Bytes file = read_file(w.fs, dir / "keys" / "slots", 1 << 16).value();
    const audit::Entry last = archive->entry(EntryIndex(archive->head().size.value - 1)).value();
    CHECK(audit::BodyReader::parse(last.body)->find_hash(audit::Tag::slots_hash) == sha256(file));
}
