// A strict reader for DER (ITU-T X.690 section 10): definite and minimal lengths, one-byte tags, nothing after the end.
//
// It reads views into bytes that the caller keeps alive. Anything unexpected is Code::bad_input with the place named in
// words; nothing throws, nothing recurses deeper than kMaxDerDepth.
// Threads: values, no shared state.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace kustos::audit {

inline constexpr unsigned kMaxDerDepth = 32;  // the deepest real token seen has 22 levels

namespace der {
inline constexpr std::uint8_t kBoolean = 0x01, kInteger = 0x02, kBitString = 0x03, kOctetString = 0x04, kNull = 0x05,
                              kOid = 0x06, kUtf8String = 0x0C, kGeneralizedTime = 0x18, kSequence = 0x30, kSet = 0x31;
constexpr std::uint8_t context(unsigned number) {
    return static_cast<std::uint8_t>(0x80 | number);
}
constexpr std::uint8_t context_constructed(unsigned number) {
    return static_cast<std::uint8_t>(0xA0 | number);
}
}  // namespace der

struct DerValue {
    std::uint8_t tag = 0;
    ByteView content;  // without tag and length
    ByteView whole;    // with them
};

// The values that stand one after the other in a run of bytes.
class DerReader {
public:
    explicit DerReader(ByteView bytes) : rest_(bytes) {}
    bool at_end() const { return rest_.empty(); }
    ByteView rest() const { return rest_; }
    bool next_is(std::uint8_t tag) const { return !rest_.empty() && rest_[0] == tag; }
    Result<DerValue> any();                     // the next value, whatever its tag
    Result<DerValue> next(std::uint8_t tag);    // the next value, which must have this tag
    Result<DerReader> enter(std::uint8_t tag);  // a reader over the content of the next value
    Status expect_end() const;

private:
    ByteView rest_;
};

// One value that fills the view exactly.
Result<DerValue> der_single(ByteView bytes, std::uint8_t tag);
// Walks everything that is marked as constructed: one value that fills the view, every length strict, at most
// kMaxDerDepth levels. The gate before any library sees foreign bytes.
Status check_der(ByteView bytes);

// Content octets to values. Each refuses what DER does not allow.
Result<std::string> der_oid_text(ByteView content);      // "1.2.840.113549.1.9.16.1.4"; arcs up to 128 bits as decimal
Result<std::uint32_t> der_small_uint(ByteView content);  // INTEGER from 0 to 2^31 - 1
Result<Bytes> der_integer(ByteView content);             // any INTEGER, its content octets: checked to be minimal
Result<Bytes> der_unsigned(ByteView content);            // non-negative INTEGER, big-endian, no leading zero byte
Result<UtcTime> der_generalized_time(ByteView content);  // YYYYMMDDhhmmss[.f...]Z, RFC 3161 section 2.4.2; whole ms

// Writing: tag, minimal length, content.
void put_der(Bytes& out, std::uint8_t tag, ByteView content);
void put_der_uint(Bytes& out, ByteView magnitude);  // INTEGER from a big-endian magnitude

}  // namespace kustos::audit
