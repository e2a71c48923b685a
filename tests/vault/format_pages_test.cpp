// The worked examples of the vault's format pages, both ways: the code writes what stands there and reads it back.
#include <doctest/doctest.h>

#include <sstream>

#include "tests/support/doc_example.h"
#include "tests/support/temp_dir.h"
#include "vault/boxes.h"
#include "vault/catalog.h"
#include "vault/derived.h"
#include "vault/duplicates.h"
#include "vault/key_tree.h"
#include "vault/keyring.h"
#include "vault/payload.h"
#include "vault/seal.h"
#include "vault/slots.h"
#include "vault/unlock.h"

using namespace kustos;
using namespace kustos::vault;
using test::doc_example;
using test::doc_text;

namespace {

Bytes repeated(std::uint8_t byte, std::size_t times = 32) {
    return Bytes(times, byte);
}

const VaultId kVault = *VaultId::from(*parse_hex("000102030405060708090a0b0c0d0e0f"));
const RecordId kRecord = *RecordId::from(*parse_hex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"));
const Bytes kDek = repeated(0x11);

Message example_message() {
    Message m;
    m.kind = MessageKind::chat;
    m.native_id = "m1";
    m.sent_at = UtcTime{1'772'445'600'000};
    m.received_at = UtcTime{1'772'445'601'500};
    m.sender.id = "u1";
    m.sender.name = "Anna";
    m.body = "Guten Tag, Anna.\n";
    m.format = "stream";
    m.raw = to_bytes(std::string_view("Guten Tag, Anna.\nSGFsbG8=\n"));
    Attachment a;
    a.name = "a.txt";
    a.media_type = "text/plain";
    a.content = to_bytes(std::string_view("Hallo"));
    a.in_raw = RawSpan{17, 9, RawEncoding::base64};
    m.attachments.push_back(std::move(a));
    return m;
}

audit::EntryHeader example_header() {
    audit::EntryHeader h;
    h.kind = audit::Kind::record;
    h.suite = audit::Suite::aes256_gcm;
    h.retention_class = ClassCode(100);
    h.source = SourceId(3);
    h.sequence = 41;
    h.record = kRecord;
    h.tree = KeyTreeId(1);
    h.leaf = LeafNumber(40);
    return h;
}

std::string rows_as_text(const Payload& p) {
    std::ostringstream out;
    for (const FieldRow& r : p.rows) {
        out << static_cast<int>(r.path) << " " << r.ordinal << " " << static_cast<int>(r.type) << " "
            << (r.area == Area::literal ? "literal" : "value") << " " << r.offset << " " << r.length << " "
            << hex(p.field(r)) << "\n";
    }
    return out.str();
}

// Runs of spaces are one, and what follows '#' is for people.
std::string plain_lines(const std::string& text) {
    std::istringstream in(text);
    std::string out;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line.substr(0, line.find('#')));
        std::string joined;
        for (std::string word; words >> word;) joined += (joined.empty() ? "" : " ") + word;
        if (!joined.empty()) out += joined + "\n";
    }
    return out;
}

void write(const Path& file, const Bytes& bytes) {
    RealFs fs;
    CHECK(fs.make_dirs(file.parent_path()).ok());
    CHECK(replace_file(fs, file, bytes).ok());
}

// The page's schema is what a new database has.
std::string schema_of(const Path& file) {
    auto database = Database::open(file, DatabaseMode::read_only);
    REQUIRE(database.ok());
    auto rows = database->prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name");
    REQUIRE(rows.ok());
    std::string out;
    while (*rows->step()) out += rows->column_text(0) + "\n";
    return plain_lines(out);
}

}  // namespace

TEST_CASE("payload.md: the original is written and read as the page says") {
    const Bytes page = doc_example("payload.md", "original");
    auto composed = compose(example_message());
    REQUIRE(composed.ok());
    CHECK(hex(encode(composed->payload)) == hex(page));
    auto decoded = decode_payload(page);
    REQUIRE(decoded.ok());
    CHECK(*decoded == composed->payload);
}

TEST_CASE("payload.md: the smaller original is written and read as the page says, and gives the same fields") {
    const Bytes page = doc_example("payload.md", "smaller original");
    auto composed = compose(example_message());
    REQUIRE(composed.ok());
    CHECK(hex(encode_compact(composed->payload)) == hex(page));
    auto decoded = decode_payload(page);
    REQUIRE(decoded.ok());
    CHECK(*decoded == composed->payload);
}

TEST_CASE("payload.md: a ciphertext with the dictionary opens with the page's key and commitments") {
    const Bytes ciphertext = doc_example("payload.md", "ciphertext with the dictionary");
    auto sealed = seal_payload(kVault, kDek, example_header(), {}, compose(example_message())->payload);
    REQUIRE(sealed.ok());
    CHECK(sealed->ciphertext.size() == ciphertext.size());
    audit::EntryHeader header = sealed->header;
    header.ciphertext_length = ciphertext.size();
    header.ciphertext_hash = sha256(ciphertext);
    auto opened = open_payload(kVault, kDek, header, {}, ciphertext);
    REQUIRE_MESSAGE(opened.ok(), hex(sealed->ciphertext));
    CHECK(opened->payload == compose(example_message())->payload);
}

TEST_CASE("payload.md: the sealed payload opens with the page's key, and its commitments are the page's") {
    const Bytes ciphertext = doc_example("payload.md", "ciphertext");
    auto sealed = seal_payload(kVault, kDek, example_header(), {}, compose(example_message())->payload);
    REQUIRE(sealed.ok());
    CHECK(hex(sealed->header.content_root.view()) == hex(doc_example("payload.md", "content root")));
    audit::EntryHeader header = sealed->header;
    header.ciphertext_length = ciphertext.size();
    header.ciphertext_hash = sha256(ciphertext);
    auto opened = open_payload(kVault, kDek, header, {}, ciphertext);
    REQUIRE(opened.ok());
    CHECK(hex(opened->key_commitment.view()) == hex(doc_example("payload.md", "key commitment")));
    CHECK(hex(ByteView(opened->salts[1])) == hex(doc_example("payload.md", "salt 1")));
    CHECK(hex(opened->commitments[1].view()) == hex(doc_example("payload.md", "commitment 1")));
    auto message = decompose(*opened);
    REQUIRE(message.ok());
    CHECK(message->body == "Guten Tag, Anna.\n");
    Bytes raw;
    REQUIRE(reconstruct_raw(*opened, nullptr, [&](ByteView piece) {
                put(raw, piece);
                return ok_status();
            }).ok());
    CHECK(raw == example_message().raw);
    for (std::size_t i = 0; i < ciphertext.size(); i += 7) {
        Bytes changed = ciphertext;
        changed[i] ^= 1;
        header.ciphertext_hash = sha256(changed);  // the hash alone is not what protects
        CHECK_FALSE(open_payload(kVault, kDek, header, {}, changed).ok());
    }
}

TEST_CASE("payload.md: padded sizes are the page's") {
    std::istringstream in(plain_lines(doc_text("payload.md", "padding")));
    std::uint64_t size = 0, padded = 0, lines = 0;
    while (in >> size >> padded) {
        CHECK(padded_size(size) == padded);
        ++lines;
    }
    CHECK(lines >= 6);
}

TEST_CASE("fields.md: the table of an example record") {
    CHECK(plain_lines(rows_as_text(compose(example_message())->payload)) == plain_lines(doc_text("fields.md", "rows")));
}

TEST_CASE("fields.md: every code of the code stands on the page, and none other") {
    std::istringstream in(plain_lines(doc_text("fields.md", "codes")));
    int code = 0, expected = 0;
    std::string name;
    while (in >> code >> name) CHECK(code == expected++);
    CHECK(expected == static_cast<int>(PathCode::unsearched) + 1);
}

TEST_CASE("keys.md: slots of the first version are read, and written as the second") {
    auto slots = decode_slots(doc_example("keys.md", "slots of version 1"));
    REQUIRE(slots.ok());
    REQUIRE(slots->size() == 2);
    CHECK((*slots)[0].kind == SlotKind::automatic);
    CHECK((*slots)[1].kind == SlotKind::passphrase);
    CHECK((*slots)[1].cost.memory_kib == 64);
    CHECK((*slots)[1].made.ms == 0);
    slots = decode_slots(encode(*slots));
    REQUIRE(slots.ok());
    for (const std::size_t i : {0u, 1u}) {
        const Bytes secret = i == 0 ? repeated(0x33) : to_bytes(std::string_view("Zwölf Boxkämpfer"));
        auto root = open_slot((*slots)[i], secret, kVault);
        REQUIRE(root.ok());
        CHECK(hex(root->view()) == hex(repeated(0x22)));
        CHECK(open_slot((*slots)[i], repeated(0x34), kVault).error().code() == Code::denied);
    }
}

TEST_CASE("keys.md: slots of three kinds, and two shares that open one of them") {
    const Bytes page = doc_example("keys.md", "slots of three kinds");
    const auto slots = decode_slots(page);
    REQUIRE(slots.ok());
    REQUIRE(slots->size() == 3);
    CHECK(encode(*slots) == page);
    for (const Slot& slot : *slots) CHECK(slot_facts(slot).ok());
    CHECK(set_name(slot_facts((*slots)[0])->shares->set) == "71bb54");
    CHECK(slot_facts((*slots)[1])->address == "device:/dev/tpmrm0");
    CHECK_FALSE(slot_facts((*slots)[1])->with_pin);
    CHECK(slot_facts((*slots)[2])->address == "token kustos, key slot");
    ShareSecrets shares;
    for (const char* name : {"share 2", "share 3"}) {
        const std::string text = doc_text("keys.md", name);
        const ShareReading read = read_share(as_bytes(text));
        REQUIRE(read.share.has_value());
        CHECK(as_text(share_text(*read.share).view()) == text);
        shares.texts.emplace_back(as_bytes(text));
    }
    RealFs fs;
    SystemClock clock;
    SystemRandom random;
    const auto root = open_root({fs, clock, random}, {}, *slots, std::move(shares), kVault);
    REQUIRE(root.ok());
    CHECK(hex(root->root.view()) == hex(repeated(0x22)));
    CHECK(root->method == "shares 2/3: 2 3");
}

TEST_CASE("keys.md: the keyring's root page") {
    const test::TempDir dir;
    write(dir / "generation-1" / "root", doc_example("keys.md", "root page"));
    const Bytes epoch = doc_example("keys.md", "epoch");
    RealFs fs;
    auto keyring = load_keyring(fs, dir.path(), kVault, repeated(0x22), epoch, 1);
    REQUIRE(keyring.ok());
    CHECK(hex(keyring->intake.secret_key.view()) == hex(X25519Key::from_seed(repeated(0x44)).secret_key.view()));
    CHECK(hex(keyring->intake.public_key.view()) == hex(doc_example("keys.md", "intake public key")));
    CHECK(keyring->pages.empty());
    CHECK_FALSE(load_keyring(fs, dir.path(), kVault, repeated(0x23), epoch, 1).ok());
    write(dir / "generation-1" / "e", repeated(0, 4096));
    CHECK_FALSE(load_keyring(fs, dir.path(), kVault, repeated(0x22), repeated(0), 1).ok());
}

TEST_CASE("keys.md: a root page that names a page, and the page") {
    const test::TempDir dir;
    write(dir / "generation-2" / "root", doc_example("keys.md", "root page with a page"));
    RealFs fs;
    auto keyring = load_keyring(fs, dir.path(), kVault, repeated(0x22), doc_example("keys.md", "epoch"), 2);
    REQUIRE(keyring.ok());
    REQUIRE(keyring->pages.size() == 1);
    const KeyringPage& page = keyring->pages[0];
    CHECK(page.kind == PageKind::tree);
    CHECK(page.id == 1);
    CHECK(hex(page.key.view()) == hex(repeated(0x77)));
    const Bytes file = doc_example("keys.md", "page");
    CHECK(page.hash == sha256(file));
    write(page_file(dir.path(), page.kind, page.id, page.hash), file);
    auto plain = load_page(fs, dir.path(), kVault, page);
    REQUIRE(plain.ok());
    auto cover = KeyCover::decode(plain->view());
    REQUIRE(cover.ok());
    KeyCover expected = KeyCover::whole(repeated(0x55));
    expected.puncture(LeafNumber(0), LeafNumber(kTreeLeaves / 2 - 1));
    CHECK(hex(cover->encode().view()) == hex(expected.encode().view()));
    CHECK_FALSE(cover->covers(LeafNumber(7)));
    // One byte of it changed: refused.
    Bytes changed = file;
    changed.back() ^= 1;
    write(page_file(dir.path(), page.kind, page.id, page.hash), changed);
    CHECK_FALSE(load_page(fs, dir.path(), kVault, page).ok());
}

TEST_CASE("keys.md: a sealed box") {
    const Bytes page = doc_example("keys.md", "box");
    auto box = decode_box(page);
    REQUIRE(box.ok());
    CHECK(encode(*box) == page);
    CHECK(box->purpose == BoxPurpose::tree);
    CHECK(box->id == 1);
    CHECK(box->generation == 1);
    auto seed = box_open(X25519Key::from_seed(repeated(0x44)), box->sealed);
    REQUIRE(seed.ok());
    CHECK(hex(seed->view()) == hex(repeated(0x55)));
}

TEST_CASE("keys.md: leaves of a key tree, its check value, and its cover after a puncture") {
    const KeyTreeId tree(1);
    KeyCover cover = KeyCover::whole(repeated(0x55));
    CHECK(hex(cover.derive(tree, LeafNumber(0))->view()) == hex(doc_example("keys.md", "leaf 0")));
    CHECK(hex(cover.derive(tree, LeafNumber(40))->view()) == hex(doc_example("keys.md", "leaf 40")));
    CHECK(hex(key_check_value(repeated(0x55), tree).view()) == hex(doc_example("keys.md", "check value")));
    cover.puncture(LeafNumber(0));
    CHECK_FALSE(cover.derive(tree, LeafNumber(0)).has_value());
    CHECK(cover.derive(tree, LeafNumber(1)).has_value());
    CHECK(cover.nodes() == 20);
    const Bytes page = doc_example("keys.md", "first nodes after the puncture");
    CHECK(hex(cover.encode().view().first(page.size())) == hex(page));
}

TEST_CASE("keys.md: a derived object") {
    const Bytes page = doc_example("keys.md", "derived");
    auto text = open_derived(kVault, kDek, "attachment-text/0", page);
    REQUIRE(text.ok());
    CHECK(as_text(*text) == "Hallo");
    CHECK_FALSE(open_derived(kVault, kDek, "attachment-text/1", page).ok());
}

TEST_CASE("duplicates.md: the MAC of an identity, and the table") {
    CHECK(hex(duplicate_mac(repeated(0x66), SourceId(3), doc_example("duplicates.md", "identity")).view()) ==
          hex(doc_example("duplicates.md", "mac")));
    const test::TempDir dir;
    REQUIRE(DuplicateStore::open(dir / "d.db").ok());
    CHECK(schema_of(dir / "d.db") == plain_lines(doc_text("duplicates.md", "schema")));
}

TEST_CASE("catalog.md: the tables") {
    const test::TempDir dir;
    REQUIRE(Catalog::open(dir / "c.db", SecretBytes(repeated(1))).ok());
    CHECK(schema_of(dir / "c.db") == plain_lines(doc_text("catalog.md", "schema")));
}

TEST_CASE("keys.md: the table of derived objects") {
    const test::TempDir dir;
    REQUIRE(DerivedStore::open(dir / "d.db").ok());
    CHECK(schema_of(dir / "d.db") == plain_lines(doc_text("keys.md", "derived schema")));
}
