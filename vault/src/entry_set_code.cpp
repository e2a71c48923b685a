#include "vault/entry_set_code.h"

namespace kustos::vault {

namespace {

// LEB128: seven bits a byte, low ones first, the eighth says that more follow.
void put_varint(Bytes& out, std::uint64_t value) {
    while (value >= 0x80) {
        put_u8(out, static_cast<std::uint8_t>(value | 0x80));
        value >>= 7;
    }
    put_u8(out, static_cast<std::uint8_t>(value));
}

Result<std::uint64_t> take_varint(ByteReader& in) {
    const Error bad(Code::bad_input, "a set of entries is not as it should be");
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const std::uint8_t byte = TRY(in.u8());
        if (shift == 63 && byte > 1) return bad;
        value |= std::uint64_t{byte & 0x7fu} << shift;
        if ((byte & 0x80) != 0) continue;
        if (byte == 0 && shift != 0) return bad;  // the same value has a shorter form
        return value;
    }
    return bad;
}

}  // namespace

// For each run: how far it begins behind the end of the one before, and by how much it is longer than one.
Bytes encode_entry_set(const EntrySet& set) {
    Bytes out;
    std::uint64_t next = 0;
    for (const EntrySet::Interval& run : set.intervals()) {
        put_varint(out, run.first.value - next);
        put_varint(out, run.last.value - run.first.value);
        next = run.last.value + 1;
    }
    return out;
}

Result<EntrySet> decode_entry_set_code(ByteView bytes, std::uint64_t most) {
    constexpr std::uint64_t kEnd = std::uint64_t{1} << 62;
    const Error bad(Code::bad_input, "a set of entries is not as it should be");
    ByteReader in(bytes);
    EntrySet set;
    std::uint64_t next = 0;
    while (!in.at_end()) {
        const std::uint64_t gap = TRY(take_varint(in)), more = TRY(take_varint(in));
        if (gap > kEnd || more > kEnd || next + gap + more > kEnd || (gap == 0 && next != 0)) return bad;
        if (more >= most - set.count()) return Error(Code::limit, "a set of entries is too large");
        const EntryIndex first(next + gap);
        set.add(first, EntryIndex(first.value + more));
        next = first.value + more + 1;
    }
    return set;
}

Hash entry_set_root(const EntrySet& set) {
    Sha256 hash;
    for (const EntrySet::Interval& run : set.intervals()) {
        for (std::uint64_t n = run.first.value; n <= run.last.value; ++n) {
            std::uint8_t number[8];
            store_u64(number, n);
            hash.update(number);
        }
    }
    return hash.finish();
}

}  // namespace kustos::vault
