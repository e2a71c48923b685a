// Version 2 of the original, and the dictionary it is compressed with.
#include <doctest/doctest.h>

#include "vault/seal.h"
#include "vault/src/payload_compact.h"

using namespace kustos;
using namespace kustos::vault;

namespace {

Message chat(const std::string& body) {
    Message m;
    m.native_id = "100200300";
    m.sent_at = UtcTime{1'772'445'600'000};
    m.received_at = UtcTime{1'772'445'601'500};
    m.sender = {"erika", "Erika Muster", "", "", false};
    m.conversation = {"vertrieb", "vertrieb", ConversationType::channel};
    m.body = body;
    m.format = "stream";
    m.raw = to_bytes("{\"id\":\"100200300\",\"kind\":\"chat\",\"sent_at\":\"2026-03-02T10:00:00.000Z\",\"body\":\"" +
                     body + "\"}");
    return m;
}

// A record with everything: text, a small attachment in base64, two spans.
Payload full() {
    Message m = chat(std::string(600, 'x') + "\n" + std::string(300, 'y'));
    const std::string_view encoded = "SGFsbG8=";
    Attachment a;
    a.name = "a.txt";
    a.media_type = "text/plain";
    a.content = to_bytes(std::string_view("Hallo"));
    a.in_raw = RawSpan{m.raw.size(), encoded.size(), RawEncoding::base64};
    put(m.raw, encoded);
    m.attachments.push_back(std::move(a));
    return compose(std::move(m))->payload;
}

VaultId vault_id() {
    return *VaultId::from(Bytes(16, 3));
}
audit::EntryHeader header_of(audit::Kind kind) {
    audit::EntryHeader h;
    h.kind = kind;
    h.suite = audit::Suite::aes256_gcm;
    h.tree = KeyTreeId(1);
    return h;
}
std::size_t sealed_size_of(audit::Kind kind, const Payload& payload) {
    const auto sealed = seal_payload(vault_id(), Bytes(32, 7), header_of(kind), {}, payload);
    REQUIRE(sealed.ok());
    const auto opened = open_payload(vault_id(), Bytes(32, 7), sealed->header, {}, sealed->ciphertext);
    REQUIRE(opened.ok());
    CHECK(opened->payload == payload);
    return sealed->ciphertext.size();
}

}  // namespace

TEST_CASE("dictionary 1 is the one that records were sealed with, and never another") {
    CHECK(dictionary_1_file().size() == 29'731);
    CHECK(sha256(dictionary_1_file()).hex() == "cde5d9f0b1e2a67ac50566c71abbb93872adfd20217a462e013a7a074a660474");
}

TEST_CASE("a chat's ciphertext has less than its line and half of what it had without dictionary") {
    const Payload payload = compose(chat("Guten Morgen! Ich schaue mir das gleich an und melde mich dann."))->payload;
    const std::size_t with = sealed_size_of(audit::Kind::record, payload);
    CHECK(with < payload.literal.size() + 64);
    CHECK(with * 2 <= sealed_size_of(audit::Kind::blob, payload));  // a blob's payload is sealed as version 1
}

TEST_CASE("records of all sizes come back: none, the dictionary, zstd alone, and what does not shrink") {
    SeededRandom random(5);
    for (const std::size_t size : {0u, 1u, 500u, 15'000u, 16'000u, 17'000u, 300'000u}) {
        sealed_size_of(audit::Kind::record, compose(chat(std::string(size, 'a')))->payload);
        Message noise = chat("");
        noise.raw.resize(size);
        random.fill(noise.raw);
        sealed_size_of(audit::Kind::record, compose(std::move(noise))->payload);
    }
    sealed_size_of(audit::Kind::record, full());
    sealed_size_of(audit::Kind::record, {});
}

TEST_CASE("the raw field is left out where the recipe gives it, and only there") {
    const Payload payload = full();
    const Bytes small = encode_compact(payload);
    CHECK(*decode_payload(small) == payload);
    Payload stored = payload;
    stored.raw_computed = false;
    CHECK(encode_compact(stored).size() >= small.size() + 40);
    CHECK(*decode_payload(encode_compact(stored)) == payload);
    // Something else uses its bytes: it is stored.
    stored = payload;
    stored.rows[0] = {PathCode::note, 0, ValueType::text, Area::value, stored.value.size() - 1, 1};
    CHECK(*decode_payload(encode_compact(stored)) == stored);
    stored = payload;
    stored.recipe.push_back({RecipeStep::Kind::value, stored.value.size() - 4, 4, 0, 1, false});
    CHECK(*decode_payload(encode_compact(stored)) == stored);
    stored = payload;
    stored.blobs.push_back({});
    CHECK(*decode_payload(encode_compact(stored)) == stored);
}

TEST_CASE("a recipe that uses values twice keeps no reader busy") {
    Payload payload = full();
    payload.recipe.resize(50'000, {RecipeStep::Kind::value, 0, payload.value.size() - 40, 0, 1, false});
    const auto decoded = decode_payload(encode_compact(payload));
    REQUIRE_FALSE(decoded.ok());
    CHECK(decoded.error().code() == Code::corrupt);
    CHECK(decoded.error().message().find("twice") != std::string::npos);
}

TEST_CASE("a damaged original is refused, or is another one that is written as these bytes") {
    const Bytes good = encode_compact(full());
    std::size_t refused = 0;
    for (std::size_t i = 0; i < good.size(); ++i) {
        CHECK_FALSE(decode_payload(ByteView(good).first(i)).ok());
        for (int bit = 0; bit < 8; ++bit) {
            Bytes changed = good;
            changed[i] = static_cast<std::uint8_t>(changed[i] ^ 1 << bit);
            if (changed[0] != 2) continue;
            const auto decoded = decode_payload(changed);
            refused += decoded.ok() ? 0 : 1;
            if (decoded.ok()) CHECK(encode_compact(*decoded) == changed);
        }
    }
    CHECK(refused > 100);
}

TEST_CASE("numbers have one way to be written") {
    for (const std::uint64_t n : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, std::uint64_t{16'383},
                                  std::uint64_t{16'384}, (std::uint64_t{1} << 63) - 1}) {
        std::uint8_t room[10] = {};
        const auto length = static_cast<std::size_t>(store_number(room, n) - room);
        CHECK(length <= 9);
        ByteReader in({room, length});
        CHECK(read_number(in).value() == n);
        CHECK(in.at_end());
    }
    for (const Bytes& wrong : {Bytes{}, Bytes{0x80}, Bytes{0x80, 0x00}, Bytes{0xFF, 0x80, 0x00}, Bytes(10, 0xFF)}) {
        ByteReader in(wrong);
        CHECK_FALSE(read_number(in).ok());
    }
}
