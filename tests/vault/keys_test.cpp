#include <doctest/doctest.h>

#include "tests/support/temp_dir.h"
#include "vault/boxes.h"
#include "vault/derived.h"
#include "vault/duplicates.h"
#include "vault/epoch.h"
#include "vault/keyring.h"
#include "vault/retention.h"
#include "vault/retention_plan.h"
#include "vault/unlock.h"

using namespace kustos;
using namespace kustos::vault;

namespace {
struct World {
    RealFs fs;
    FixedClock clock{UtcTime{1'772'445'600'000}};
    SystemRandom random;
    test::TempDir dir;
    VaultId vault = random.make<VaultId>();
    Environment environment() { return {fs, clock, random}; }
};
constexpr Argon2Cost kQuick{8 * 1024, 1};
}  // namespace

TEST_CASE("a slot gives the root key back for its secret alone") {
    World w;
    const SecretBytes root = SecretBytes::random(w.random, 32);
    for (const SlotKind kind : {SlotKind::automatic, SlotKind::passphrase}) {
        auto slot = make_slot(kind, as_bytes("correct horse battery"), kQuick, root.view(), w.vault, w.random);
        REQUIRE(slot.ok());
        auto decoded = decode_slots(encode({*slot}));
        REQUIRE(decoded.ok());
        CHECK(equal(open_slot(decoded->front(), as_bytes("correct horse battery"), w.vault)->view(), root.view()));
        CHECK(open_slot(decoded->front(), as_bytes("correct horse batterx"), w.vault).error().code() == Code::denied);
        CHECK_FALSE(open_slot(decoded->front(), as_bytes("correct horse battery"), w.random.make<VaultId>()).ok());
    }
    CHECK_FALSE(decode_slots(as_bytes("KSLT")).ok());
    CHECK_FALSE(decode_slots(as_bytes("nonsense")).ok());
}

TEST_CASE("a keyring opens with its root key, and not without its generation's key") {
    World w;
    const SecretBytes root = SecretBytes::random(w.random, 32);
    Keyring k;
    k.intake = X25519Key::from_seed(SecretBytes::random(w.random, 32).view());
    k.pages.push_back({PageKind::tree, 7, SecretBytes::random(w.random, 32), sha256(as_bytes("page"))});
    const SecretBytes epoch = SecretBytes::random(w.random, 32);
    const auto epochs = file_epochs(w.environment(), w.dir.path());
    REQUIRE(epochs->store(1, epoch.view()).ok());
    const auto open = [&](ByteView root_key) -> Result<Keyring> {
        const SecretBytes e = TRY(epochs->load(1));
        return load_keyring(w.fs, w.dir.path(), w.vault, root_key, e.view(), 1);
    };
    auto hash = store_keyring(w.environment(), w.dir.path(), w.vault, root.view(), epoch.view(), k);
    REQUIRE(hash.ok());
    auto back = open(root.view());
    REQUIRE(back.ok());
    CHECK(equal(back->intake.secret_key.view(), k.intake.secret_key.view()));
    REQUIRE(back->pages.size() == 1);
    CHECK(back->pages[0].id == 7);
    CHECK_FALSE(open(SecretBytes::random(w.random, 32).view()).ok());
    // e_n overwritten: the generation is gone, whatever else is there
    CHECK(replace_file(w.fs, w.dir / "generation-1" / "e", Bytes(4096, 0)).ok());
    CHECK(open(root.view()).error().code() == Code::corrupt);
    CHECK(epochs->destroy(1).ok());
    CHECK(epochs->destroy(1).ok());
    CHECK(open(root.view()).error().code() == Code::not_found);
}

TEST_CASE("a box is kept twice, and one good copy is enough") {
    World w;
    const auto key = X25519Key::from_seed(SecretBytes::random(w.random, 32).view());
    const Box box{BoxPurpose::tree, 0x01000001, 1, box_seal(key.public_key, Bytes(32, 5))};
    auto hash = store_box(w.fs, w.dir.path(), box);
    REQUIRE(hash.ok());
    CHECK(replace_file(w.fs, box_file(w.dir.path(), BoxPurpose::tree, box.id, 'a'), as_bytes("gone")).ok());
    auto back = load_box(w.fs, w.dir.path(), BoxPurpose::tree, box.id, *hash);
    REQUIRE(back.ok());
    CHECK(back->sealed == box.sealed);
    CHECK(w.fs.remove(box_file(w.dir.path(), BoxPurpose::tree, box.id, 'b')).ok());
    CHECK(load_box(w.fs, w.dir.path(), BoxPurpose::tree, box.id, *hash).error().code() == Code::corrupt);
    for (std::size_t i = 0; i < encode(box).size(); ++i) CHECK_FALSE(decode_box(ByteView(encode(box)).first(i)).ok());
}

TEST_CASE("a derived object needs its record's key and its purpose, and no key seals twice") {
    World w;
    const Bytes dek(32, 1);
    const Bytes a = seal_derived(w.vault, dek, "text", as_bytes("Holzfeuchte"), w.random);
    const Bytes b = seal_derived(w.vault, dek, "text", as_bytes("Holzfeuchte"), w.random);
    CHECK(a != b);
    CHECK(as_text(*open_derived(w.vault, dek, "text", a)) == "Holzfeuchte");
    CHECK_FALSE(open_derived(w.vault, dek, "ocr", a).ok());
    CHECK_FALSE(open_derived(w.vault, Bytes(32, 2), "text", a).ok());
    CHECK_FALSE(open_derived(w.vault, dek, "text", ByteView(a).first(20)).ok());
}

TEST_CASE("a derived object's size tells little about its content") {
    World w;
    const Bytes dek(32, 1);
    const std::string text(5, 'x');
    const std::string longer(30, 'x');
    CHECK(seal_derived(w.vault, dek, "text", as_bytes(text), w.random).size() ==
          seal_derived(w.vault, dek, "text", as_bytes(longer), w.random).size());
    CHECK(open_derived(w.vault, dek, "text", seal_derived(w.vault, dek, "text", {}, w.random))->empty());
}

TEST_CASE("derived objects are found before and after they are written, and the newest wins") {
    World w;
    {
        auto store = DerivedStore::open(w.dir / "derived.db");
        REQUIRE(store.ok());
        CHECK((*store)->get(EntryIndex(7), "text/0").error().code() == Code::not_found);
        CHECK((*store)->put(EntryIndex(7), "text/0", Bytes{1}).ok());
        CHECK(*(*store)->get(EntryIndex(7), "text/0") == Bytes{1});
        CHECK((*store)->flush().ok());
        CHECK((*store)->put(EntryIndex(7), "text/0", Bytes{2}).ok());
        CHECK((*store)->put(EntryIndex(7), "text/1", Bytes{3}).ok());
        CHECK((*store)->flush().ok());
        CHECK((*store)->put(EntryIndex(8), "text/0", Bytes{4}).ok());
    }
    auto again = DerivedStore::open(w.dir / "derived.db");
    REQUIRE(again.ok());
    CHECK(*(*again)->get(EntryIndex(7), "text/0") == Bytes{2});
    CHECK(*(*again)->get(EntryIndex(7), "text/1") == Bytes{3});
    CHECK((*again)->get(EntryIndex(8), "text/0").error().code() == Code::not_found);
}

TEST_CASE("an identity is recognised within its source, and storing twice is fine") {
    World w;
    auto store = DuplicateStore::open(w.dir / "d.db");
    REQUIRE(store.ok());
    const Bytes key(32, 1);
    const Hash mac = duplicate_mac(key, SourceId(3), as_bytes("id"));
    CHECK_FALSE(mac == duplicate_mac(key, SourceId(4), as_bytes("id")));
    CHECK_FALSE(store->find(SourceId(3), mac)->has_value());
    const std::vector<audit::DuplicateRow> rows = {{SourceId(3), mac, EntryIndex(17)}};
    CHECK(store->store(rows).ok());
    CHECK(store->store(rows).ok());
    CHECK(store->find(SourceId(3), mac)->value() == EntryIndex(17));
    CHECK_FALSE(store->find(SourceId(4), mac)->has_value());
    // A power cut right after make_durable(): these two files are what there is.
    REQUIRE(store->make_durable().ok());
    kustos::test::TempDir crashed;
    for (const char* file : {"d.db", "d.db-wal"}) std::filesystem::copy_file(w.dir / file, crashed / file);
    auto recovered = DuplicateStore::open(crashed / "d.db");
    REQUIRE(recovered.ok());
    CHECK(recovered->find(SourceId(3), mac)->value() == EntryIndex(17));
}

TEST_CASE("the default class ends ten years after the year of sealing") {
    // Retention counts days of German legal time.
    CHECK(expiry_year(ClassBook(), kDefaultClass, parse_rfc3339("2026-12-31T22:59:59Z").value()) == 2036);
    CHECK(expiry_year(ClassBook(), kDefaultClass, parse_rfc3339("2026-12-31T23:00:00Z").value()) == 2037);
    CHECK(ClassBook().find("default")->code == kDefaultClass);
    CHECK(ClassBook().find("forever") == nullptr);
}
