#include "audit/der.h"

#include <algorithm>

namespace kustos::audit {

namespace {

Error bad(const char* what) {
    return Error(Code::bad_input, std::string("not strict DER: ") + what);
}

// X.690 10.1: the definite form with the fewest bytes. Four length bytes are more than any limit of ours.
Result<DerValue> take_value(ByteView& rest) {
    if (rest.size() < 2) return bad("ends inside a value");
    DerValue value;
    value.tag = rest[0];
    if ((value.tag & 0x1F) == 0x1F) return bad("a tag of more than one byte");
    if (value.tag == 0) return bad("tag 0");
    const bool sequence_or_set = value.tag == 0x10 || value.tag == 0x11 || value.tag == 0x30 || value.tag == 0x31;
    if (value.tag < 0x40 && sequence_or_set != ((value.tag & 0x20) != 0)) return bad("constructed or primitive");
    std::size_t header = 2;
    std::size_t length = rest[1];
    if (length == 0x80) return bad("indefinite length");
    if (length > 0x80) {
        const std::size_t count = length & 0x7F;
        if (count > 4 || rest.size() < 2 + count) return bad("length");
        length = 0;
        for (std::size_t i = 0; i < count; ++i) length = length << 8 | rest[2 + i];
        if (length < 0x80 || rest[2] == 0) return bad("length not minimal");
        header += count;
    }
    if (length > rest.size() - header) return bad("ends inside a value");
    value.content = rest.subspan(header, length);
    value.whole = rest.first(header + length);
    rest = rest.subspan(header + length);
    return value;
}

Status walk(ByteView rest, unsigned depth) {
    if (depth > kMaxDerDepth) return bad("nested too deeply");
    while (!rest.empty()) {
        const DerValue value = TRY(take_value(rest));
        if (value.tag & 0x20) TRY(walk(value.content, depth + 1));
    }
    return {};
}

Status check_integer(ByteView content) {
    if (content.empty()) return bad("empty integer");
    if (content.size() > 1 && content[0] == 0 && content[1] < 0x80) return bad("integer not minimal");
    if (content.size() > 1 && content[0] == 0xFF && content[1] >= 0x80) return bad("integer not minimal");
    return {};
}

std::string decimal(unsigned __int128 v) {
    std::string digits;
    do {
        digits.push_back(static_cast<char>('0' + static_cast<int>(v % 10)));
        v /= 10;
    } while (v != 0);
    std::reverse(digits.begin(), digits.end());
    return digits;
}

Result<int> digits(ByteView text, std::size_t from, std::size_t count) {
    int v = 0;
    for (std::size_t i = from; i < from + count; ++i) {
        if (i >= text.size() || text[i] < '0' || text[i] > '9') return bad("time");
        v = v * 10 + (text[i] - '0');
    }
    return v;
}

}  // namespace

Result<DerValue> DerReader::any() {
    return take_value(rest_);
}

Result<DerValue> DerReader::next(std::uint8_t tag) {
    if (!next_is(tag)) return bad("another value than expected");
    return take_value(rest_);
}

Result<DerReader> DerReader::enter(std::uint8_t tag) {
    return DerReader(TRY(next(tag)).content);
}

Status DerReader::expect_end() const {
    if (!at_end()) return bad("more values than expected");
    return {};
}

Result<DerValue> der_single(ByteView bytes, std::uint8_t tag) {
    DerReader reader(bytes);
    const DerValue value = TRY(reader.next(tag));
    TRY(reader.expect_end());
    return value;
}

Status check_der(ByteView bytes) {
    ByteView rest = bytes;
    const DerValue value = TRY(take_value(rest));
    if (!rest.empty()) return bad("bytes after the end");
    if (value.tag & 0x20) return walk(value.content, 2);
    return {};
}

Result<std::string> der_oid_text(ByteView content) {
    if (content.empty() || (content.back() & 0x80)) return bad("object identifier");
    std::string text;
    unsigned __int128 arc = 0;
    bool start = true;
    for (const std::uint8_t byte : content) {
        if (start && byte == 0x80) return bad("object identifier not minimal");
        if (arc >> 121) return bad("object identifier with an arc above 128 bits");
        arc = arc << 7 | (byte & 0x7Fu);
        start = !(byte & 0x80);
        if (!start) continue;
        if (text.empty()) {  // X.690 8.19.4: the first two arcs share one number
            const unsigned first = arc < 40 ? 0 : arc < 80 ? 1 : 2;
            text = std::to_string(first) + "." + decimal(arc - 40 * first);
        } else {
            text += "." + decimal(arc);
        }
        arc = 0;
    }
    return text;
}

Result<std::uint32_t> der_small_uint(ByteView content) {
    TRY(check_integer(content));
    if (content[0] & 0x80) return bad("negative integer");
    if (content.size() > 4) return bad("integer too large");
    std::uint32_t v = 0;
    for (const std::uint8_t byte : content) v = v << 8 | byte;
    return v;
}

Result<Bytes> der_integer(ByteView content) {
    TRY(check_integer(content));
    return to_bytes(content);
}

Result<Bytes> der_unsigned(ByteView content) {
    TRY(check_integer(content));
    if (content[0] & 0x80) return bad("negative integer");
    if (content[0] == 0 && content.size() > 1) content = content.subspan(1);
    return to_bytes(content);
}

Result<UtcTime> der_generalized_time(ByteView content) {
    if (content.size() < 15 || content.size() > 32 || content.back() != 'Z') return bad("time");
    const int year = TRY(digits(content, 0, 4));
    const int month = TRY(digits(content, 4, 2));
    const int day = TRY(digits(content, 6, 2));
    const int hour = TRY(digits(content, 8, 2));
    const int minute = TRY(digits(content, 10, 2));
    const int second = TRY(digits(content, 12, 2));
    if (hour > 23 || minute > 59 || second > 59 || year < 1) return bad("time");
    int ms = 0;
    if (content.size() > 15) {
        const ByteView fraction = content.subspan(15, content.size() - 16);
        if (content[14] != '.' || fraction.empty()) return bad("time");
        for (std::size_t i = 0; i < fraction.size(); ++i) {
            const int digit = TRY(digits(fraction, i, 1));
            if (i < 3) ms += digit * (i == 0 ? 100 : i == 1 ? 10 : 1);
        }
    }
    const UtcTime midnight = TRY(utc_midnight({year, static_cast<unsigned>(month), static_cast<unsigned>(day)}));
    return UtcTime{midnight.ms + ((hour * 60 + minute) * 60 + second) * 1000LL + ms};
}

void put_der(Bytes& out, std::uint8_t tag, ByteView content) {
    put_u8(out, tag);
    const std::size_t n = content.size();
    if (n >= 0x80) {
        std::size_t count = 1;
        while (count < 8 && n >> (8 * count)) ++count;
        put_u8(out, static_cast<std::uint8_t>(0x80 | count));
        for (std::size_t i = count; i-- > 0;) put_u8(out, static_cast<std::uint8_t>(n >> (8 * i)));
    } else {
        put_u8(out, static_cast<std::uint8_t>(n));
    }
    put(out, content);
}

void put_der_uint(Bytes& out, ByteView magnitude) {
    while (magnitude.size() > 1 && magnitude[0] == 0) magnitude = magnitude.subspan(1);
    Bytes content;
    if (magnitude.empty() || (magnitude[0] & 0x80)) content.push_back(0);
    put(content, magnitude);
    put_der(out, der::kInteger, content);
}

}  // namespace kustos::audit
