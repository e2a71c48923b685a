// Strong types for what would otherwise be integers and strings.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace kustos {

// An integer with a name. Arithmetic is spelled out at the place of use: index.value + 1.
template <class Tag, class Int = std::uint64_t>
struct StrongInt {
    Int value = 0;
    constexpr StrongInt() = default;
    constexpr explicit StrongInt(Int v) : value(v) {}
    constexpr auto operator<=>(const StrongInt&) const = default;
};

using EntryIndex = StrongInt<struct EntryIndexTag>;                 // position of a leaf in the ledger, from 0
using TreeSize = StrongInt<struct TreeSizeTag>;                     // number of leaves
using ClassCode = StrongInt<struct ClassCodeTag, std::uint16_t>;    // retention class
using KeyTreeId = StrongInt<struct KeyTreeIdTag, std::uint32_t>;    // top 8 bits: continuation number; 0 = none
using LeafNumber = StrongInt<struct LeafNumberTag, std::uint32_t>;  // leaf in a key tree, below 2^20
// A source is named by the index of the control entry that introduced it; 0 is the archive itself.
using SourceId = StrongInt<struct SourceIdTag, std::uint32_t>;

template <class Tag, std::size_t N>
struct FixedBytes {
    static constexpr std::size_t kSize = N;
    std::array<std::uint8_t, N> bytes{};
    constexpr auto operator<=>(const FixedBytes&) const = default;
    ByteView view() const { return {bytes.data(), N}; }
    std::string hex() const { return kustos::hex(view()); }
    bool is_zero() const { return *this == FixedBytes{}; }
    static Result<FixedBytes> from(ByteView b) {
        if (b.size() != N) return Error(Code::bad_input, "wrong length: " + std::to_string(b.size()));
        FixedBytes r;
        std::memcpy(r.bytes.data(), b.data(), N);
        return r;
    }
    static Result<FixedBytes> parse(std::string_view text) { return from(TRY(parse_hex(text))); }
};

using Hash = FixedBytes<struct HashTag, 32>;          // SHA-256
using RecordId = FixedBytes<struct RecordIdTag, 16>;  // random, one per entry
using VaultId = FixedBytes<struct VaultIdTag, 16>;    // random, one per archive

}  // namespace kustos

template <class Tag, std::size_t N>
struct std::hash<kustos::FixedBytes<Tag, N>> {
    std::size_t operator()(const kustos::FixedBytes<Tag, N>& v) const noexcept {
        std::size_t h;  // ids and hashes are uniform: their first bytes serve
        std::memcpy(&h, v.bytes.data(), sizeof h);
        return h;
    }
};
template <class Tag, class Int>
struct std::hash<kustos::StrongInt<Tag, Int>> {
    std::size_t operator()(const kustos::StrongInt<Tag, Int>& v) const noexcept { return std::hash<Int>()(v.value); }
};
