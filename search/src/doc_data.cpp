#include "search/src/doc_data.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/crypto.h"

namespace kustos::search {
namespace {

constexpr std::size_t kSalt = 12, kPlain = 22, kTag = 8;
static_assert(kSalt + kPlain + kTag == kDocDataSize);

// SipHash-128 as a keystream under the document's salt: block i = SipHash(key, salt || u8 i).
void apply_mask(ByteView key, ByteView salt, std::span<std::uint8_t> data) {
    std::array<std::uint8_t, kSalt + 1> input;
    std::memcpy(input.data(), salt.data(), kSalt);
    for (std::size_t at = 0; at < data.size(); at += 16) {
        input[kSalt] = static_cast<std::uint8_t>(at / 16);
        const auto block = siphash128(key, input);
        for (std::size_t i = 0; i < 16 && at + i < data.size(); ++i) data[at + i] ^= block[i];
    }
}

}  // namespace

DocKey::DocKey(ByteView term_key)
    : mask_(hkdf_expand(term_key, as_bytes("kustos1/index/doc"), 16)),
      tag_(hkdf_expand(term_key, as_bytes("kustos1/index/doc-tag"), 16)) {}

std::string DocKey::seal(const DocData& data, Random& random) const {
    std::array<std::uint8_t, kDocDataSize> out;
    random.fill(std::span(out).first(kSalt));
    store_u64(out.data() + kSalt, data.entry.value);
    store_u64(out.data() + kSalt + 8, static_cast<std::uint64_t>(data.time.ms));
    out[kSalt + 16] = static_cast<std::uint8_t>(data.state);
    for (unsigned i = 0; i < 5; ++i)
        out[kSalt + 17 + i] = static_cast<std::uint8_t>(std::min(data.size, kMaxDocSize) >> (32 - 8 * i));
    apply_mask(mask_.view(), ByteView(out).first(kSalt), std::span(out).subspan(kSalt, kPlain));
    const auto tag = siphash128(tag_.view(), ByteView(out).first(kSalt + kPlain));
    std::memcpy(out.data() + kSalt + kPlain, tag.data(), kTag);
    return std::string(reinterpret_cast<const char*>(out.data()), out.size());
}

Result<DocData> DocKey::open(std::string_view stored) const {
    const ByteView bytes = as_bytes(stored);
    if (bytes.size() != kDocDataSize) return Error(Code::corrupt, "document data of a shard has a wrong length");
    const auto tag = siphash128(tag_.view(), bytes.first(kSalt + kPlain));
    if (!equal_constant_time(ByteView(tag).first(kTag), bytes.last(kTag)))
        return Error(Code::corrupt, "document data of a shard was changed, or is under another key");
    std::array<std::uint8_t, kPlain> plain;
    std::memcpy(plain.data(), bytes.data() + kSalt, kPlain);
    apply_mask(mask_.view(), bytes.first(kSalt), plain);
    const std::uint8_t state = plain[16];
    if (state < 1 || state > 4) return Error(Code::corrupt, "document data of a shard is malformed");
    std::uint64_t size = 0;
    for (unsigned i = 0; i < 5; ++i) size = size << 8 | plain[17 + i];
    return DocData{EntryIndex(load_u64(plain.data())), UtcTime{static_cast<std::int64_t>(load_u64(plain.data() + 8))},
                   static_cast<RecordState>(state), size};
}

}  // namespace kustos::search
