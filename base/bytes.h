// Bytes, big-endian numbers, hex and base64, and a reader that can't run past its end.
// Integers on disk are big-endian everywhere (docs/format/).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kustos {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(ByteView view) {
    return Bytes(view.begin(), view.end());
}
inline Bytes to_bytes(std::string_view text) {
    return to_bytes(as_bytes(text));
}
inline std::string to_text(ByteView view) {
    return std::string(as_text(view));
}
bool equal(ByteView a, ByteView b);  // plain comparison; for secrets use equal_constant_time

void put_u8(Bytes& out, std::uint8_t v);
void put_u16(Bytes& out, std::uint16_t v);
void put_u32(Bytes& out, std::uint32_t v);
void put_u64(Bytes& out, std::uint64_t v);
void put(Bytes& out, ByteView bytes);
void put(Bytes& out, std::string_view text);
void store_u16(std::uint8_t* at, std::uint16_t v);
void store_u32(std::uint8_t* at, std::uint32_t v);
void store_u64(std::uint8_t* at, std::uint64_t v);
std::uint16_t load_u16(const std::uint8_t* at);
std::uint32_t load_u32(const std::uint8_t* at);
std::uint64_t load_u64(const std::uint8_t* at);

// Reads a foreign or stored encoding. Every read beyond the end is Code::bad_input; nothing throws.
class ByteReader {
public:
    explicit ByteReader(ByteView bytes) : bytes_(bytes) {}
    std::size_t position() const { return position_; }
    std::size_t remaining() const { return bytes_.size() - position_; }
    bool at_end() const { return remaining() == 0; }
    Result<std::uint8_t> u8();
    Result<std::uint16_t> u16();
    Result<std::uint32_t> u32();
    Result<std::uint64_t> u64();
    Result<ByteView> take(std::uint64_t count);  // a view into the bytes given at construction
    Status expect_end() const;                   // trailing bytes are an error

private:
    ByteView bytes_;
    std::size_t position_ = 0;
};

std::string hex(ByteView bytes);                 // lower case
Result<Bytes> parse_hex(std::string_view text);  // either case, even length
std::string base64(ByteView bytes);              // RFC 4648 section 4, padded, one line
std::string base64url(ByteView bytes);           // section 5, not padded
// Strict: canonical padding, no white space, unused bits zero.
Result<Bytes> parse_base64(std::string_view text);

}  // namespace kustos
