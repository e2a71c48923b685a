#include "vault/shares.h"

#include <algorithm>

namespace kustos::vault {

std::uint8_t gf_multiply(std::uint8_t a, std::uint8_t b) {
    unsigned sum = 0, x = a;
    for (unsigned bit = 0; bit < 8; ++bit) {
        sum ^= (0U - ((b >> bit) & 1U)) & x;
        x = (x << 1) ^ ((0U - (x >> 7)) & 0x11BU);  // x^8 + x^4 + x^3 + x + 1
    }
    return static_cast<std::uint8_t>(sum);
}

std::uint8_t gf_invert(std::uint8_t a) {  // a^254: a^(2 + 4 + 8 + ... + 128)
    std::uint8_t power = a, product = 1;
    for (unsigned i = 0; i < 7; ++i) {
        power = gf_multiply(power, power);
        product = gf_multiply(product, power);
    }
    return product;
}

SecretBytes gf_interpolate(const std::vector<GfPoint>& points, std::uint8_t x) {
    SecretBytes result(points.empty() ? 0 : points[0].values.size());
    const auto out = result.writable();
    for (const GfPoint& i : points) {
        // The product of (x - x_j) / (x_i - x_j), where minus is exclusive or.
        std::uint8_t weight = 1;
        for (const GfPoint& j : points) {
            if (j.x == i.x) continue;
            const auto above = static_cast<std::uint8_t>(x ^ j.x), below = static_cast<std::uint8_t>(i.x ^ j.x);
            weight = gf_multiply(weight, gf_multiply(above, gf_invert(below)));
        }
        CHECK(i.values.size() == out.size());
        for (std::size_t byte = 0; byte < out.size(); ++byte) out[byte] ^= gf_multiply(weight, i.values[byte]);
    }
    return result;
}

Result<std::vector<Share>> split_secret(ByteView secret, unsigned threshold, unsigned count, std::uint32_t set,
                                        Random& random) {
    if (threshold < 2 || threshold > count || count > kMostShares)
        return Error(Code::usage, "shares: 2 to 16 are made, and at least 2 of them are needed")
            .with_hint("for example 3/5: three of five");
    if (secret.size() != kShareBytes || set >> 24 != 0) return Error(Code::usage, "shares are made of 32 bytes");
    // coefficients[j]: of x^(j+1), one byte for each byte of the secret
    std::vector<SecretBytes> coefficients;
    for (unsigned j = 1; j < threshold; ++j) coefficients.push_back(SecretBytes::random(random, kShareBytes));
    std::vector<Share> shares(count);
    for (unsigned i = 0; i < count; ++i) {
        Share& share = shares[i];
        share.set = set;
        share.threshold = threshold;
        share.count = count;
        share.number = i + 1;
        share.value = SecretBytes(kShareBytes);
        const auto out = share.value.writable();
        for (std::size_t byte = 0; byte < kShareBytes; ++byte) {
            std::uint8_t y = 0;  // Horner, from the highest power down
            for (auto c = coefficients.rbegin(); c != coefficients.rend(); ++c)
                y = gf_multiply(static_cast<std::uint8_t>(y ^ c->view()[byte]),
                                static_cast<std::uint8_t>(share.number));
            out[byte] = static_cast<std::uint8_t>(y ^ secret[byte]);
        }
    }
    return shares;
}

Result<SecretBytes> join_shares(const std::vector<Share>& shares) {
    const Error no_set(Code::usage, "these shares do not belong together");
    if (shares.empty() || shares.front().threshold < 2 || shares.size() < shares.front().threshold)
        return Error(Code::usage, "shares are missing");
    for (std::size_t i = 0; i < shares.size(); ++i) {
        const Share& s = shares[i];
        if (s.set != shares[0].set || s.threshold != shares[0].threshold || s.value.size() != kShareBytes ||
            s.number == 0 || s.number > kMostShares)
            return no_set;
        for (std::size_t j = 0; j < i; ++j) {
            if (shares[j].number == s.number) return Error(Code::usage, "a share was given twice");
        }
    }
    std::vector<GfPoint> points;
    for (unsigned i = 0; i < shares[0].threshold; ++i)
        points.push_back({static_cast<std::uint8_t>(shares[i].number), shares[i].value.view()});
    return gf_interpolate(points, 0);
}

}  // namespace kustos::vault
