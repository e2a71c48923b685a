// The clear numbers of a shard (docs/format/index.md, "State").
#include <array>

#include "base/crypto.h"
#include "search/index.h"

namespace kustos::search {
namespace {

constexpr std::array<std::uint8_t, 3> kMagic = {'K', 'I', 'S'};
constexpr std::uint8_t kPlain = 1, kRewritten = 2;  // versions
constexpr std::size_t kMac = 32, kMaxReasons = 256, kMaxReason = 40;

Hash mac_of(ByteView bytes, ByteView term_key) {
    return hmac_sha256(hkdf_expand(term_key, as_bytes("kustos1/index/state"), 32).view(), bytes);
}

bool is_reason(std::string_view word) {
    if (word.empty() || word.size() > kMaxReason) return false;
    for (const char c : word) {
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
    }
    return true;
}

}  // namespace

std::string_view state_name(RecordState state) {
    switch (state) {
        case RecordState::searchable:
            return "searchable";
        case RecordState::partial:
            return "partial";
        case RecordState::opaque:
            return "opaque";
        case RecordState::failed:
            return "failed";
    }
    return "failed";
}

std::uint64_t& StateCounts::of(RecordState state) {
    switch (state) {
        case RecordState::searchable:
            return searchable;
        case RecordState::partial:
            return partial;
        case RecordState::opaque:
            return opaque;
        case RecordState::failed:
            return failed;
    }
    return failed;
}

StateCounts& StateCounts::operator+=(const StateCounts& other) {
    searchable += other.searchable;
    partial += other.partial;
    opaque += other.opaque;
    failed += other.failed;
    return *this;
}

Bytes encode_state(const ShardState& state, ByteView term_key) {
    const bool later = !state.replaces.empty() || state.erased_apart > 0;
    Bytes out;
    put(out, ByteView(kMagic));
    put_u8(out, later ? kRewritten : kPlain);
    put_u16(out, state.analysis);
    put_u64(out, state.id.value);
    put_u64(out, static_cast<std::uint64_t>(state.opened_at.ms));
    put_u64(out, state.first.value);
    put_u64(out, state.end.value);
    for (const std::uint64_t n :
         {state.counts.searchable, state.counts.partial, state.counts.opaque, state.counts.failed})
        put_u64(out, n);
    put_u64(out, state.words_bytes);
    CHECK(state.reasons.size() <= kMaxReasons);
    put_u16(out, static_cast<std::uint16_t>(state.reasons.size()));
    for (const auto& [reason, count] : state.reasons) {
        CHECK(is_reason(reason));
        put_u8(out, static_cast<std::uint8_t>(reason.size()));
        put(out, reason);
        put_u64(out, count);
    }
    if (later) {
        CHECK(state.replaces.size() <= kMaxReplaced);
        put_u64(out, state.erased_apart);
        put_u16(out, static_cast<std::uint16_t>(state.replaces.size()));
        for (const ShardId id : state.replaces) put_u64(out, id.value);
    }
    put(out, mac_of(out, term_key).view());
    return out;
}

namespace {
Status read_replaced(ByteReader& reader, ShardState& state) {
    state.erased_apart = TRY(reader.u64());
    const std::uint16_t count = TRY(reader.u16());
    if (count > kMaxReplaced) return Error(Code::corrupt, "a shard's state is damaged");
    for (std::uint16_t i = 0; i < count; ++i) {
        const ShardId id(TRY(reader.u64()));
        if ((i > 0 && id <= state.replaces.back()) || id == state.id)
            return Error(Code::corrupt, "a shard's state is damaged");
        state.replaces.push_back(id);
    }
    return ok_status();
}
}  // namespace

Result<ShardState> decode_state(ByteView bytes, ByteView term_key) {
    const Error corrupt(Code::corrupt, "a shard's state is damaged");
    if (bytes.size() < kMagic.size() + 1 + kMac || !equal(bytes.first(kMagic.size()), kMagic)) return corrupt;
    const ByteView covered = bytes.first(bytes.size() - kMac);
    if (!term_key.empty() && !equal_constant_time(mac_of(covered, term_key).view(), bytes.last(kMac))) return corrupt;
    ByteReader reader(covered.subspan(kMagic.size()));
    ShardState state;
    const std::uint8_t version = TRY(reader.u8());
    if (version != kPlain && version != kRewritten) return corrupt;
    state.analysis = TRY(reader.u16());
    state.id = ShardId(TRY(reader.u64()));
    state.opened_at.ms = static_cast<std::int64_t>(TRY(reader.u64()));
    state.first = EntryIndex(TRY(reader.u64()));
    state.end = EntryIndex(TRY(reader.u64()));
    for (std::uint64_t* n :
         {&state.counts.searchable, &state.counts.partial, &state.counts.opaque, &state.counts.failed})
        *n = TRY(reader.u64());
    state.words_bytes = TRY(reader.u64());
    const std::uint16_t reasons = TRY(reader.u16());
    if (reasons > kMaxReasons) return corrupt;
    for (std::uint16_t i = 0; i < reasons; ++i) {
        const std::uint8_t length = TRY(reader.u8());
        const std::string reason = to_text(TRY(reader.take(length)));
        if (!is_reason(reason)) return corrupt;
        state.reasons[reason] = TRY(reader.u64());
    }
    if (version == kRewritten) TRY(read_replaced(reader, state));
    TRY(reader.expect_end());
    if (state.first > state.end) return corrupt;
    return state;
}

}  // namespace kustos::search
