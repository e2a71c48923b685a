// The 80 letters of a share. Sixteen groups of four symbols of five bits and a check symbol:
//   symbols 0..59   u4 version 1, u4 k-1, u4 n-1, u4 number-1, u24 set, 256 bits of value, 4 zero bits
//   symbols 60..63  the first 20 bits of SHA-256("kustos1/share-text" || symbols 0..59, a byte each)
//   check of group g (0..15), symbols d0..d3, in GF(32) with x^5 + x^2 + 1:
//                   x d0 + x^2 d1 + x^3 d2 + x^4 d3 + g     any one wrong symbol, and any two that are exchanged, show
#include <array>

#include "base/crypto.h"
#include "vault/shares.h"

namespace kustos::vault {

namespace {

constexpr std::size_t kSymbols = 64, kData = 60, kGroups = 16;
constexpr unsigned kVersion = 1;

// 1 where a >= b, else 0; both below 2^31.
std::uint32_t at_least(std::uint32_t a, std::uint32_t b) {
    return 1U ^ ((a - b) >> 31);
}

// Crockford's alphabet: digits, then capital letters without I, L, O and U.
std::uint8_t letter_of(std::uint32_t symbol) {
    return static_cast<std::uint8_t>('0' + symbol + 7 * at_least(symbol, 10) + at_least(symbol, 18) +
                                     at_least(symbol, 20) + at_least(symbol, 22) + at_least(symbol, 27));
}

// 32 for what is no letter of a share.
std::uint32_t symbol_of(std::uint32_t letter) {
    const auto same = [](std::uint32_t a, std::uint32_t b) { return 1U ^ at_least(a ^ b, 1); };
    letter -= 32 * (at_least(letter, 'a') & (1U ^ at_least(letter, 'z' + 1)));
    std::uint32_t found = 0, hit = 0;
    const auto take = [&](std::uint32_t like, std::uint32_t symbol) {
        const std::uint32_t is = same(letter, like);
        found |= (0U - is) & symbol;
        hit |= is;
    };
    for (std::uint32_t symbol = 0; symbol < 32; ++symbol) take(letter_of(symbol), symbol);
    take('O', 0);
    take('I', 1);
    take('L', 1);
    return found + 32 * (1U ^ hit);
}

std::uint32_t times_x(std::uint32_t a) {  // GF(32), x^5 = x^2 + 1
    return ((a << 1) & 31U) ^ ((0U - (a >> 4)) & 5U);
}

std::uint32_t check_symbol(const std::uint8_t* four, std::size_t group) {
    std::uint32_t sum = 0;
    for (std::size_t i = 4; i-- > 0;) sum = times_x(sum ^ four[i]);
    return sum ^ static_cast<std::uint32_t>(group);
}

// Bits from the most significant down, as they stand in the text.
class Bits {
public:
    explicit Bits(std::span<std::uint8_t> symbols) : symbols_(symbols) {}
    void put(std::uint32_t value, unsigned bits) {
        for (; bits-- > 0; ++at_) {
            const unsigned bit = (value >> bits) & 1U;
            symbols_[at_ / 5] = static_cast<std::uint8_t>(symbols_[at_ / 5] | bit << (4 - at_ % 5));
        }
    }
    std::uint32_t take(unsigned bits) {
        std::uint32_t value = 0;
        for (; bits-- > 0; ++at_) value = value << 1 | ((symbols_[at_ / 5] >> (4 - at_ % 5)) & 1U);
        return value;
    }

private:
    std::span<std::uint8_t> symbols_;
    std::size_t at_ = 0;
};

std::uint32_t whole_check(ByteView data) {
    const Hash hash = sha256({as_bytes("kustos1/share-text"), data});
    return load_u32(hash.bytes.data()) >> 12;
}

ShareSlip slip(ShareSlip::Kind kind, std::size_t group_from_0) {
    return {kind, static_cast<unsigned>(group_from_0 / 4 + 1), static_cast<unsigned>(group_from_0 % 4 + 1)};
}

bool counts_not(std::uint8_t sign) {
    return sign == ' ' || sign == '\t' || sign == '\n' || sign == '\r' || sign == '-';
}

}  // namespace

SecretBytes share_text(const Share& share) {
    SecretBytes symbols(kSymbols);
    Bits out(symbols.writable());
    out.put(kVersion, 4);
    out.put(share.threshold - 1, 4);
    out.put(share.count - 1, 4);
    out.put(share.number - 1, 4);
    out.put(share.set, 24);
    for (const std::uint8_t byte : share.value.view()) out.put(byte, 8);
    out.put(0, 4);
    out.put(whole_check(symbols.view().first(kData)), 20);
    SecretBytes text(kShareLetters + kGroups);  // behind each group a space or a line end
    std::size_t at = 0;
    for (std::size_t group = 0; group < kGroups; ++group) {
        const std::uint8_t* four = symbols.view().data() + 4 * group;
        for (std::size_t i = 0; i < 4; ++i) text.writable()[at++] = letter_of(four[i]);
        text.writable()[at++] = letter_of(check_symbol(four, group));
        text.writable()[at++] = group % 4 == 3 ? '\n' : ' ';
    }
    return text;
}

ShareReading read_share(ByteView text) {
    using Kind = ShareSlip::Kind;
    SecretBytes letters(kShareLetters);
    std::size_t count = 0;
    for (const std::uint8_t sign : text) {
        if (counts_not(sign)) continue;
        const std::uint32_t symbol = symbol_of(sign);
        if (symbol > 31) return {std::nullopt, slip(Kind::letter, std::min(count / 5, kGroups - 1))};
        if (count == kShareLetters) return {std::nullopt, slip(Kind::length, kGroups - 1)};
        letters.writable()[count++] = static_cast<std::uint8_t>(symbol);
    }
    SecretBytes symbols(kSymbols);
    for (std::size_t group = 0; group < kGroups; ++group) {
        const std::uint8_t* five = letters.view().data() + 5 * group;
        std::copy(five, five + 4, symbols.writable().begin() + static_cast<std::ptrdiff_t>(4 * group));
        const bool whole = 5 * group + 5 <= count;
        if (whole && check_symbol(five, group) == five[4]) continue;
        // A letter too few or too many moves all that follows: then the length is what is wrong.
        return {std::nullopt, slip(count == kShareLetters ? Kind::group : Kind::length, group)};
    }
    Bits in(symbols.writable());
    Share share;
    const std::uint32_t version = in.take(4);
    share.threshold = in.take(4) + 1;
    share.count = in.take(4) + 1;
    share.number = in.take(4) + 1;
    share.set = in.take(24);
    share.value = SecretBytes(kShareBytes);
    for (std::uint8_t& byte : share.value.writable()) byte = static_cast<std::uint8_t>(in.take(8));
    const std::uint32_t zero = in.take(4);
    if (in.take(20) != whole_check(symbols.view().first(kData))) return {std::nullopt, {Kind::whole, 0, 0}};
    if (version != kVersion || zero != 0 || share.threshold < 2 || share.threshold > share.count ||
        share.number > share.count)
        return {std::nullopt, {Kind::version, 0, 0}};
    return {std::move(share), {}};
}

}  // namespace kustos::vault
