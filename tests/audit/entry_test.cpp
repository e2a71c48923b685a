#include "audit/entry.h"

#include <doctest/doctest.h>

#include "tests/audit/sample_entries.h"
#include "tests/support/doc_example.h"

using namespace kustos;
using namespace kustos::audit;
using kustos::test::doc_example;
using kustos::test::sample_control;
using kustos::test::sample_sealed;

namespace {

bool refused(const Bytes& bytes) {
    const auto decoded = decode_entry(bytes);
    return !decoded.ok() && decoded.error().code() == Code::bad_input;
}

Bytes changed(Bytes bytes, std::size_t at, std::uint8_t value) {
    bytes[at] = value;
    return bytes;
}

}  // namespace

TEST_CASE("an entry comes back as it was encoded") {
    SeededRandom random(1);
    for (const Kind kind : {Kind::record, Kind::blob}) {
        const Entry entry = sample_sealed(random, 7, 300, kind).entry;
        const Bytes bytes = encode(entry);
        CHECK(bytes.size() == kHeaderSize);
        REQUIRE(decode_entry(bytes).ok());
        CHECK(*decode_entry(bytes) == entry);
        CHECK(encode_header(entry.header) == bytes);
    }
    for (const Kind kind : {Kind::access, Kind::erasure, Kind::control}) {
        Entry entry = sample_control(3);
        entry.header.kind = kind;
        REQUIRE(decode_entry(encode(entry)).ok());
        CHECK(*decode_entry(encode(entry)) == entry);
    }
    Entry sealed_access = sample_sealed(random, 8, 64, Kind::access).entry;
    sealed_access.body = Body(AccessAction::search).encode();
    REQUIRE(decode_entry(encode(sealed_access)).ok());
    CHECK(*decode_entry(encode(sealed_access)) == sealed_access);
}

TEST_CASE("the header of 116 bytes is the one on the format page") {
    const Bytes bytes = doc_example("ledger.md", "record");
    const auto entry = decode_entry(bytes);
    REQUIRE(entry.ok());
    const EntryHeader& h = entry->header;
    CHECK(h.kind == Kind::record);
    CHECK(h.suite == Suite::aes256_gcm);
    CHECK(h.retention_class.value == 100);
    CHECK(h.source.value == 3);
    CHECK(h.sequence == 41);
    CHECK(h.record.hex() == "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf");
    CHECK(h.tree.value == 1);
    CHECK(h.leaf.value == 40);
    CHECK(h.field_count == 16);
    CHECK(h.content_root == sha256(as_bytes("content root")));
    CHECK(h.ciphertext_length == 1040);
    CHECK(h.ciphertext_hash == sha256(as_bytes("ciphertext")));
    CHECK(encode(*entry) == bytes);
    CHECK(part_a(h) == Bytes(bytes.begin(), bytes.begin() + kPartASize));
}

TEST_CASE("the control entry on the format page is read") {
    const Bytes bytes = doc_example("ledger.md", "control");
    const auto entry = decode_entry(bytes);
    REQUIRE(entry.ok());
    CHECK(control_action(*entry) == ControlAction::checkpoint_published);
    CHECK_FALSE(access_action(*entry).has_value());
    const auto rows = BodyReader::parse(entry->body);
    REQUIRE(rows.ok());
    CHECK(rows->find_time(Tag::time) == UtcTime{1'772'445'600'000});
    CHECK(rows->find_u64(Tag::checkpoint_size) == 15);
    CHECK(rows->find_hash(Tag::note_hash) == sha256(as_bytes("note")));
    CHECK(encode(*entry) == bytes);
}

TEST_CASE("a header that is not canonical is refused") {
    SeededRandom random(2);
    const Bytes record = encode(sample_sealed(random, 1, 500).entry);
    CHECK(refused({}));
    CHECK(refused(Bytes(record.begin(), record.end() - 1)));
    CHECK(refused(changed(record, 0, 'k')));
    CHECK(refused(changed(record, 1, 2)));
    for (const std::uint8_t kind : {0, 6, 255}) CHECK(refused(changed(record, 2, kind)));
    CHECK_FALSE(refused(changed(record, 3, 2)));  // the other cipher
    for (const std::uint8_t suite : {3, 255}) CHECK(refused(changed(record, 3, suite)));
    CHECK(refused(changed(record, 3, 0)));  // a record without payload
    Bytes long_record = record;
    long_record.push_back(0);
    CHECK(refused(long_record));                                   // a record with a body
    CHECK(refused(changed(record, 37, 0)));                        // tree 0 (sample: tree 1)
    CHECK(refused(changed(record, 39, 0x10)));                     // leaf 2^20
    CHECK(refused(changed(changed(record, 42, 0), 43, 0)));        // no field
    CHECK(refused(changed(changed(record, 42, 0x10), 43, 0x01)));  // 4,097 fields
    CHECK(refused(changed(record, 76, 0xFF)));                     // ciphertext of 2^63 bytes
    CHECK(refused(changed(changed(record, 82, 0), 83, 15)));       // shorter than a tag
}

TEST_CASE("without a payload every field of the payload is zero") {
    const Bytes control = encode(sample_control(0));
    REQUIRE(decode_entry(control).ok());
    for (std::size_t at = 34; at < kHeaderSize; ++at) {
        CAPTURE(at);
        CHECK(refused(changed(control, at, 1)));
    }
}

TEST_CASE("a public body that is not canonical is refused") {
    const Entry good = sample_control(0);
    const auto with_body = [&](const Bytes& body) {
        Bytes bytes = encode_header(good.header);
        put(bytes, body);
        return bytes;
    };
    CHECK_FALSE(refused(with_body(*parse_hex("00010002000e"))));
    CHECK(refused(with_body({})));                                        // no action
    CHECK(refused(with_body(*parse_hex("00010002000e00"))));              // a row's head is cut
    CHECK(refused(with_body(*parse_hex("00010003000e"))));                // a row's value is cut
    CHECK(refused(with_body(*parse_hex("0001000e"))));                    // action of length 14
    CHECK(refused(with_body(*parse_hex("0007000000010002000e"))));        // tags not ascending
    CHECK(refused(with_body(*parse_hex("0000000000010002000e"))));        // tag 0
    CHECK(refused(with_body(*parse_hex("00010002000e00010002000e"))));    // two actions
    CHECK(refused(with_body(*parse_hex("00010001010007000141"))));        // action of one byte
    CHECK_FALSE(refused(with_body(*parse_hex("00010002000e10000000"))));  // a tag of a later version is kept
    Bytes huge = *parse_hex("00010002000e");
    Body filler(ControlAction::finding);
    filler.put_bytes(Tag::certificate, Bytes(60'000, 1)).put_bytes(Tag::certificate, Bytes(5'404, 2));
    CHECK(filler.encoded_size() == kMaxBody - 1);
    CHECK_FALSE(refused(with_body(filler.encode())));
    put(huge, Bytes(kMaxBody, 0));
    CHECK(refused(with_body(huge)));
}

TEST_CASE("body rows sort themselves, repeat and split") {
    Body body;
    body.put_text(Tag::name, "Mail Köln").put_u16(Tag::action, 4).put_u32(Tag::tree, 7).put_u64(Tag::count, 9);
    body.put_leaf_range({KeyTreeId{7}, LeafNumber{1}, LeafNumber{2}, EntryIndex{90}, EntryIndex{91}})
        .put_leaf_range({KeyTreeId{7}, LeafNumber{5}, LeafNumber{5}, EntryIndex{97}, EntryIndex{97}});
    const Bytes encoded = body.encode();
    CHECK(encoded.size() == body.encoded_size());
    const auto rows = BodyReader::parse(encoded);
    REQUIRE(rows.ok());
    CHECK(rows->find_u16(Tag::action) == 4);
    CHECK(rows->find_text(Tag::name) == "Mail Köln");
    CHECK(rows->find_u32(Tag::tree) == 7U);
    CHECK(rows->find_u64(Tag::count) == 9U);
    CHECK_FALSE(rows->find_u16(Tag::tree).has_value());  // another length
    CHECK_FALSE(rows->find_hash(Tag::note_hash).has_value());
    REQUIRE(rows->leaf_ranges().has_value());
    CHECK(rows->leaf_ranges()->size() == 2);
    CHECK(rows->leaf_ranges()->at(1) ==
          LeafRange{KeyTreeId{7}, LeafNumber{5}, LeafNumber{5}, EntryIndex{97}, EntryIndex{97}});
    CHECK(rows->all(Tag::leaf_range).size() == 2);

    auto again = Body::decode(encoded);
    REQUIRE(again.ok());
    CHECK(again->has(Tag::name));
    again->remove(Tag::name).put_text(Tag::name, "B\x01");
    const Bytes changed_body = again->encode();
    CHECK_FALSE(BodyReader::parse(changed_body)->find_text(Tag::name).has_value());  // control characters

    const Bytes long_value(65'400, 0x5A);
    const Bytes one = Body().put_bytes(Tag::certificate, long_value).encode();
    CHECK(BodyReader::parse(one)->find_bytes(Tag::certificate) == long_value);
}

TEST_CASE("commitments hash what sealing says they hash") {
    const Hash a = sha256(as_bytes("a")), b = sha256(as_bytes("b"));
    Bytes expected{0x02};
    put(expected, a.view());
    put(expected, b.view());
    CHECK(content_root(a, b) == sha256(expected));
    expected[0] = 0x04;
    CHECK(field_root(std::vector<Hash>{a, b}) == sha256(expected));
    RecordId record;
    record.bytes.fill(0x11);
    const Bytes salt(32, 0x22), value = to_bytes("value");
    const Bytes f = encode_field(record, salt, 5, 13, 2, 6, value);
    CHECK(hex(f) == "01" + std::string(32, '1') + std::string(64, '2') +
                        "0005"
                        "000d"
                        "0002"
                        "06"
                        "0000000000000005"
                        "76616c7565");
    Bytes tagged{0x03};
    put(tagged, f);
    CHECK(field_commitment(f) == sha256(tagged));
    SeededRandom random(3);
    const EntryHeader header = sample_sealed(random, 1, 100).entry.header;
    const auto vault = random.make<VaultId>();
    Bytes aad = to_bytes(vault.view());
    put(aad, part_a(header));
    put(aad, sha256(ByteView{}).view());
    CHECK(chunk_aad(vault, header, {}) == sha256(aad));
}
