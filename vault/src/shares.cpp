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
    SecretBytes secret(kShareBytes);
    const auto out = secret.writable();
    const unsigned k = shares[0].threshold;
    for (unsigned i = 0; i < k; ++i) {
        // Lagrange at 0: the product of x_j / (x_j - x_i), where minus is exclusive or. Numbers are no secret.
        std::uint8_t weight = 1;
        for (unsigned j = 0; j < k; ++j) {
            if (j == i) continue;
            const auto xj = static_cast<std::uint8_t>(shares[j].number);
            const auto difference = static_cast<std::uint8_t>(shares[j].number ^ shares[i].number);
            weight = gf_multiply(weight, gf_multiply(xj, gf_invert(difference)));
        }
        const ByteView value = shares[i].value.view();
        for (std::size_t byte = 0; byte < kShareBytes; ++byte) out[byte] ^= gf_multiply(weight, value[byte]);
    }
    return secret;
}

}  // namespace kustos::vault
