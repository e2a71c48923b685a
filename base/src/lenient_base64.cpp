#include "base/lenient_base64.h"

#include <array>

namespace kustos {

namespace {
// Value of a character of the alphabet, or -1.
constexpr std::array<std::int8_t, 256> kValues = [] {
    std::array<std::int8_t, 256> out{};
    for (auto& v : out) v = -1;
    for (int i = 0; i < 26; ++i) {
        out[static_cast<std::size_t>('A' + i)] = static_cast<std::int8_t>(i);
        out[static_cast<std::size_t>('a' + i)] = static_cast<std::int8_t>(i + 26);
    }
    for (int i = 0; i < 10; ++i) out[static_cast<std::size_t>('0' + i)] = static_cast<std::int8_t>(i + 52);
    out['+'] = 62;
    out['/'] = 63;
    return out;
}();
}  // namespace

void LenientBase64Decoder::write(ByteView text, Bytes& out) {
    out.reserve(out.size() + text.size() / 4 * 3 + 3);
    for (const std::uint8_t c : text) {
        ended_ = ended_ || c == '=';
        if (ended_) return;
        const int v = kValues[c];
        if (v < 0) continue;
        word_ = (word_ << 6) | static_cast<std::uint32_t>(v);
        if (++have_ < 4) continue;
        out.push_back(static_cast<std::uint8_t>(word_ >> 16));
        out.push_back(static_cast<std::uint8_t>(word_ >> 8));
        out.push_back(static_cast<std::uint8_t>(word_));
        word_ = 0;
        have_ = 0;
    }
}

void LenientBase64Decoder::finish(Bytes& out) {
    if (have_ == 2) out.push_back(static_cast<std::uint8_t>(word_ >> 4));
    if (have_ == 3) {
        out.push_back(static_cast<std::uint8_t>(word_ >> 10));
        out.push_back(static_cast<std::uint8_t>(word_ >> 2));
    }
    have_ = 0;
}

Bytes decode_lenient(ByteView text) {
    LenientBase64Decoder decoder;
    Bytes out;
    decoder.write(text, out);
    decoder.finish(out);
    return out;
}

}  // namespace kustos
