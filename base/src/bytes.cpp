#include "base/bytes.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>

namespace kustos {

bool equal(ByteView a, ByteView b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

void store_u16(std::uint8_t* at, std::uint16_t v) {
    at[0] = static_cast<std::uint8_t>(v >> 8);
    at[1] = static_cast<std::uint8_t>(v);
}
void store_u32(std::uint8_t* at, std::uint32_t v) {
    store_u16(at, static_cast<std::uint16_t>(v >> 16));
    store_u16(at + 2, static_cast<std::uint16_t>(v));
}
void store_u64(std::uint8_t* at, std::uint64_t v) {
    store_u32(at, static_cast<std::uint32_t>(v >> 32));
    store_u32(at + 4, static_cast<std::uint32_t>(v));
}
std::uint16_t load_u16(const std::uint8_t* at) {
    return static_cast<std::uint16_t>((at[0] << 8) | at[1]);
}
std::uint32_t load_u32(const std::uint8_t* at) {
    return (static_cast<std::uint32_t>(load_u16(at)) << 16) | load_u16(at + 2);
}
std::uint64_t load_u64(const std::uint8_t* at) {
    return (static_cast<std::uint64_t>(load_u32(at)) << 32) | load_u32(at + 4);
}

void put_u8(Bytes& out, std::uint8_t v) {
    out.push_back(v);
}
void put_u16(Bytes& out, std::uint16_t v) {
    std::uint8_t b[2];
    store_u16(b, v);
    out.insert(out.end(), b, b + 2);
}
void put_u32(Bytes& out, std::uint32_t v) {
    std::uint8_t b[4];
    store_u32(b, v);
    out.insert(out.end(), b, b + 4);
}
void put_u64(Bytes& out, std::uint64_t v) {
    std::uint8_t b[8];
    store_u64(b, v);
    out.insert(out.end(), b, b + 8);
}
void put(Bytes& out, ByteView bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}
void put(Bytes& out, std::string_view text) {
    put(out, as_bytes(text));
}

namespace {
Error past_end(std::size_t position) {
    return Error(Code::bad_input, "ends too early, at byte " + std::to_string(position));
}
}  // namespace

Result<std::uint8_t> ByteReader::u8() {
    if (remaining() < 1) return past_end(position_);
    return bytes_[position_++];
}
Result<std::uint16_t> ByteReader::u16() {
    if (remaining() < 2) return past_end(position_);
    position_ += 2;
    return load_u16(bytes_.data() + position_ - 2);
}
Result<std::uint32_t> ByteReader::u32() {
    if (remaining() < 4) return past_end(position_);
    position_ += 4;
    return load_u32(bytes_.data() + position_ - 4);
}
Result<std::uint64_t> ByteReader::u64() {
    if (remaining() < 8) return past_end(position_);
    position_ += 8;
    return load_u64(bytes_.data() + position_ - 8);
}
Result<ByteView> ByteReader::take(std::uint64_t count) {
    if (remaining() < count) return past_end(position_);
    const ByteView view = bytes_.subspan(position_, static_cast<std::size_t>(count));
    position_ += static_cast<std::size_t>(count);
    return view;
}
Status ByteReader::expect_end() const {
    if (at_end()) return {};
    return Error(Code::bad_input,
                 std::to_string(remaining()) + " bytes too many, from byte " + std::to_string(position_));
}

std::string hex(ByteView bytes) {
    static const char kDigits[] = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const std::uint8_t b : bytes) {
        out += kDigits[b >> 4];
        out += kDigits[b & 15];
    }
    return out;
}

namespace {
int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}
std::string encode_base64(ByteView bytes, int variant) {
    std::string out(sodium_base64_encoded_len(bytes.size(), variant), '\0');
    sodium_bin2base64(out.data(), out.size(), bytes.data(), bytes.size(), variant);
    out.resize(std::strlen(out.c_str()));
    return out;
}
}  // namespace

Result<Bytes> parse_hex(std::string_view text) {
    if (text.size() % 2 != 0) return Error(Code::bad_input, "hex text of odd length");
    Bytes out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0) return Error(Code::bad_input, "not a hex digit, at character " + std::to_string(i));
        out.push_back(static_cast<std::uint8_t>(high * 16 + low));
    }
    return out;
}

std::string base64(ByteView bytes) {
    return encode_base64(bytes, sodium_base64_VARIANT_ORIGINAL);
}
std::string base64url(ByteView bytes) {
    return encode_base64(bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

Result<Bytes> parse_base64(std::string_view text) {
    // libsodium 1.0.18 takes some bytes above 127 for digits: one text more for the same bytes.
    if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) > 127; }))
        return Error(Code::bad_input, "not canonical base64");
    Bytes out(text.size() / 4 * 3 + 3);
    std::size_t length = 0;
    const char* end = nullptr;
    if (sodium_base642bin(out.data(), out.size(), text.data(), text.size(), nullptr, &length, &end,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        end != text.data() + text.size()) {
        return Error(Code::bad_input, "not canonical base64");
    }
    out.resize(length);
    return out;
}

}  // namespace kustos
