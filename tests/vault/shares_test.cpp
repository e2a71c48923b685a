// Shamir's shares: arithmetic against a naive one, vectors made by others, splitting and joining, the text, and the
// desk.
#include "vault/shares.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "base/crypto.h"
#include "vault/share_set.h"

using namespace kustos;
using namespace kustos::vault;

namespace {

// Long multiplication of polynomials, then the remainder by x^8 + x^4 + x^3 + x + 1: nothing in common with the code.
unsigned naive_multiply(unsigned a, unsigned b) {
    unsigned product = 0;
    for (unsigned i = 0; i < 8; ++i) {
        for (unsigned j = 0; j < 8; ++j) {
            if ((a & (1U << i)) && (b & (1U << j))) product ^= 1U << (i + j);
        }
    }
    for (unsigned bit = 14; bit >= 8; --bit) {
        if (product & (1U << bit)) product ^= 0x11BU << (bit - 8);
    }
    return product;
}

std::vector<Share> split(ByteView secret, unsigned k, unsigned n, std::uint32_t set = 0x12AB34) {
    SystemRandom random;
    return split_secret(secret, k, n, set, random).value();
}

std::vector<Share> chosen(const std::vector<Share>& all, const std::vector<unsigned>& numbers) {
    std::vector<Share> out;
    for (const unsigned n : numbers) {
        const Share& s = all[n - 1];
        out.push_back({s.set, s.threshold, s.count, s.number, s.value.clone()});
    }
    return out;
}

std::string text_of(const Share& share) {
    return to_text(share_text(share).view());
}

Bytes secret_of_test() {
    Bytes secret(32);
    for (std::size_t i = 0; i < secret.size(); ++i) secret[i] = static_cast<std::uint8_t>(i * 7 + 1);
    return secret;
}

struct Vector {
    std::vector<std::pair<std::uint8_t, const char*>> points;
};

const VaultId kVault = *VaultId::from(Bytes(16, 9));

ShareSetInfo info_of(const std::vector<Share>& shares) {
    ShareSetInfo info;
    info.set = shares[0].set;
    info.threshold = shares[0].threshold;
    for (const Share& s : shares) info.checks.push_back(share_check(kVault, s));
    return info;
}

}  // namespace

TEST_CASE("GF(2^8): every product is the naive one's, every inverse is one, and AES's own example holds") {
    for (unsigned a = 0; a < 256; ++a) {
        for (unsigned b = 0; b < 256; ++b) {
            if (gf_multiply(static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b)) != naive_multiply(a, b))
                FAIL(a << " times " << b);
        }
        const auto inverse = gf_invert(static_cast<std::uint8_t>(a));
        CHECK(gf_multiply(static_cast<std::uint8_t>(a), inverse) == (a == 0 ? 0 : 1));
    }
    CHECK(gf_multiply(0x57, 0x83) == 0xC1);  // FIPS 197, 4.2
    CHECK(gf_multiply(0x57, 0x13) == 0xFE);  // FIPS 197, 4.2.1
    CHECK(gf_multiply(3, 7) == 9);           // HashiCorp Vault, shamir, TestField_Mult
}

TEST_CASE("SLIP-0039's vectors: the shares' polynomials give its secrets, and the digests that they carry") {
    // https://github.com/trezor/python-shamir-mnemonic (MIT), vectors.json, cases 23, 36 (group 2) and 45: the values
    // of the words. The secret is at 255; at 254 stand 4 bytes of HMAC-SHA256(rest, secret), and the rest.
    const Vector vectors[] = {
        {{{2, "81e5473f4b7f66094f888d2f98fe0ded6a692dc72c65dc498d6e28bee6ebdfcc"},
          {1, "19e366e9b2e34851e52132c31c2b2c957321bf5ce6c9c1410ea1ddf5fef92c27"}}},
        {{{0, "82a363ed145a49a4e37311253c105846c0afb13b74e5ddda9cc25d7aae49bc89"},
          {1, "d127f1f9bc12e3856fb3983104783b71480d249d80101568def4a41100177dfb"},
          {4, "4bde8a604105f3a6c32f2f547131aafea756725a28e80a14d59d8f05c4adcca5"}}},
        {{{2, "daef18f6bfd2792749905e41a402dae0365bc2434e455226096a99f941d203bf"},
          {0, "b4290e56271e919a44596794aef75071b07536ee113e1529299a08b19190ed81"}}},
        {{{7, "3ed2fa64acf769131509ca05437606b1"},  // case 41: made to find faults of the arithmetic
          {9, "58ccc8f63e2232eb372d91241e61506b"},
          {0, "0d5f0655e0645fad705c1e128887678f"}}},
    };
    for (const Vector& v : vectors) {
        std::vector<Bytes> values;
        std::vector<GfPoint> points;
        for (const auto& [x, text] : v.points) values.push_back(parse_hex(text).value());
        for (std::size_t i = 0; i < values.size(); ++i) points.push_back({v.points[i].first, values[i]});
        const SecretBytes secret = gf_interpolate(points, 255), digest = gf_interpolate(points, 254);
        const Hash mac = hmac_sha256(digest.view().subspan(4), secret.view());
        CHECK(equal(mac.view().first(4), digest.view().first(4)));
        values[0][0] ^= 1;
        const SecretBytes other = gf_interpolate(points, 255), wrong = gf_interpolate(points, 254);
        CHECK_FALSE(equal(hmac_sha256(wrong.view().subspan(4), other.view()).view().first(4), wrong.view().first(4)));
    }
}

TEST_CASE("any k shares give the secret, in any order, for every k and n") {
    const Bytes secret = secret_of_test();
    for (unsigned n = 2; n <= kMostShares; ++n) {
        for (unsigned k = 2; k <= n; ++k) {
            const auto shares = split(secret, k, n);
            REQUIRE(shares.size() == n);
            for (unsigned first = 1; first <= n; first += 3) {  // k neighbours, round the corner, backwards
                std::vector<unsigned> numbers;
                for (unsigned i = 0; i < k; ++i) numbers.push_back((first + n - 1 - i) % n + 1);
                CHECK(equal(join_shares(chosen(shares, numbers))->view(), secret));
            }
        }
    }
    // All subsets of one case.
    const auto shares = split(secret, 3, 5);
    for (unsigned mask = 0; mask < 32; ++mask) {
        std::vector<unsigned> numbers;
        for (unsigned i = 0; i < 5; ++i) {
            if (mask & (1U << i)) numbers.push_back(i + 1);
        }
        const auto joined = join_shares(chosen(shares, numbers));
        CHECK(joined.ok() == (numbers.size() >= 3));
        if (joined.ok()) CHECK(equal(joined->view(), secret));
    }
}

TEST_CASE("k minus one shares fit every secret there could be") {
    // With two of three points given, each of the 256 values of a byte at 0 has exactly one third point.
    const auto shares = split(secret_of_test(), 3, 5);
    std::set<std::uint8_t> thirds;
    for (unsigned guess = 0; guess < 256; ++guess) {
        const Bytes at0 = {static_cast<std::uint8_t>(guess)};
        const std::vector<GfPoint> points = {
            {0, at0}, {1, shares[0].value.view().first(1)}, {2, shares[1].value.view().first(1)}};
        thirds.insert(gf_interpolate(points, 3).view()[0]);
    }
    CHECK(thirds.size() == 256);
}

TEST_CASE("what can't be a set is refused: one of n, more needed than made, more than 16, twice the same") {
    SystemRandom random;
    const Bytes secret = secret_of_test();
    for (const auto& [k, n] :
         std::vector<std::pair<unsigned, unsigned>>{{1, 3}, {0, 3}, {4, 3}, {2, 17}, {0, 0}, {1, 1}})
        CHECK(split_secret(secret, k, n, 1, random).error().code() == Code::usage);
    CHECK(split_secret(Bytes(31), 2, 3, 1, random).error().code() == Code::usage);
    const auto shares = split(secret, 2, 3);
    CHECK(join_shares(chosen(shares, {1, 1})).error().code() == Code::usage);
    auto mixed = chosen(shares, {1, 2});
    mixed[1].set ^= 1;
    CHECK(join_shares(mixed).error().code() == Code::usage);
    CHECK(join_shares({}).error().code() == Code::usage);
}

TEST_CASE("a share's text is read back, also as people type it") {
    for (const Share& share : split(secret_of_test(), 3, 16)) {
        std::string text = text_of(share);
        CHECK(text.size() == kShareLetters + 16);
        CHECK(std::count(text.begin(), text.end(), '\n') == 4);
        for (const char c : text)
            CHECK(std::string_view("0123456789ABCDEFGHJKMNPQRSTVWXYZ \n").find(c) != std::string_view::npos);
        std::string typed;
        for (const char c : text) {
            if (c == ' ') continue;
            typed += c == '0' ? 'o' : c == '1' ? 'l' : static_cast<char>(std::tolower(c));
            typed += "-";
        }
        for (const std::string& form : {text, typed}) {
            const ShareReading read = read_share(as_bytes(form));
            REQUIRE(read.share.has_value());
            CHECK(read.share->set == share.set);
            CHECK(read.share->number == share.number);
            CHECK(read.share->threshold == 3);
            CHECK(read.share->count == 16);
            CHECK(equal(read.share->value.view(), share.value.view()));
        }
    }
}

TEST_CASE("every single wrong letter and every exchange of neighbours in a group is found, and its place is named") {
    const std::string text = text_of(split(secret_of_test(), 2, 3)[1]);
    const std::string letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    for (std::size_t i = 0, seen = 0; i < text.size(); ++i) {
        if (text[i] == ' ' || text[i] == '\n') continue;
        const unsigned group = static_cast<unsigned>(seen / 5 % 4 + 1), line = static_cast<unsigned>(seen / 20 + 1);
        ++seen;
        for (const char other : letters) {
            if (other == text[i]) continue;
            std::string wrong = text;
            wrong[i] = other;
            const ShareReading read = read_share(as_bytes(wrong));
            REQUIRE_FALSE(read.share.has_value());
            CHECK(read.slip.kind == ShareSlip::Kind::group);
            CHECK(read.slip.line == line);
            CHECK(read.slip.group == group);
        }
        std::string strange = text;
        strange[i] = 'U';
        const ShareSlip slip = read_share(as_bytes(strange)).slip;
        CHECK(slip.kind == ShareSlip::Kind::letter);
        CHECK(slip.line == line);
        CHECK(slip.group == group);
        if (i + 1 < text.size() && seen % 5 != 0 && text[i] != text[i + 1]) {
            std::string exchanged = text;
            std::swap(exchanged[i], exchanged[i + 1]);
            CHECK(read_share(as_bytes(exchanged)).slip.kind == ShareSlip::Kind::group);
        }
        std::string shorter = text;
        shorter.erase(i, 1);
        const ShareReading missing = read_share(as_bytes(shorter));
        CHECK_FALSE(missing.share.has_value());
        CHECK(missing.slip.kind == ShareSlip::Kind::length);
    }
    // Two groups exchanged: each check knows its place.
    std::string exchanged = text;
    std::swap_ranges(exchanged.begin() + 6, exchanged.begin() + 11, exchanged.begin() + 12);
    CHECK(read_share(as_bytes(exchanged)).slip.kind == ShareSlip::Kind::group);
    CHECK(read_share(as_bytes(text + "7")).slip.kind == ShareSlip::Kind::length);
    CHECK(read_share({}).slip.kind == ShareSlip::Kind::length);
}

TEST_CASE("at the desk each wrong share is named with its reason, and the right ones still open") {
    const Bytes secret = secret_of_test();
    const auto shares = split(secret, 3, 5), older = split(secret, 3, 5, 0x0A0B0C),
               foreign = split(secret, 3, 5, 0x777777);
    auto forged = split(Bytes(32, 1), 3, 5), fewer = split(secret, 2, 5);
    ShareSetInfo info = info_of(shares);
    info.old.push_back({0x0A0B0C, UtcTime{1'772'445'600'000}});
    ShareDesk desk(kVault, info);
    using Kind = ShareAnswer::Kind;
    CHECK(desk.give(share_text(shares[1]).view()).kind == Kind::good);
    const ShareAnswer twice = desk.give(share_text(shares[1]).view());
    CHECK(twice.kind == Kind::twice);
    CHECK(twice.number == 2);
    const ShareAnswer old = desk.give(share_text(older[3]).view());
    CHECK(old.kind == Kind::old_set);
    CHECK(share_answer_text(old, false) == "share 4 is of the set 0a0b0c, which was replaced on 2026-03-02");
    CHECK(share_answer_text(old, true) == "Anteil 4 ist aus dem Satz 0a0b0c, der am 2026-03-02 ersetzt wurde");
    CHECK(desk.give(share_text(foreign[0]).view()).kind == Kind::other_set);
    const ShareAnswer made_up = desk.give(share_text(forged[2]).view());
    CHECK(made_up.kind == Kind::not_genuine);
    CHECK(made_up.number == 3);
    CHECK(desk.give(share_text(fewer[2]).view()).kind == Kind::not_genuine);
    std::string typo = text_of(shares[0]);
    typo[8] = typo[8] == '7' ? '8' : '7';
    CHECK(share_answer_text(desk.give(as_bytes(typo)), false) ==
          "the share can't be read: a slip of typing: line 1, group 2");
    CHECK(desk.have() == 1);
    CHECK_FALSE(desk.enough());
    CHECK(desk.secret().error().code() == Code::usage);
    CHECK(desk.give(share_text(shares[4]).view()).kind == Kind::good);
    CHECK(desk.give(share_text(shares[0]).view()).kind == Kind::good);
    CHECK(desk.enough());
    CHECK(desk.numbers() == std::vector<unsigned>{1, 2, 5});
    CHECK(equal(desk.secret()->view(), secret));
    // A share of another archive with the same set number is none of this one's.
    ShareDesk elsewhere(*VaultId::from(Bytes(16, 8)), info);
    CHECK(elsewhere.give(share_text(shares[1]).view()).kind == Kind::not_genuine);
}

TEST_CASE("what the slot knows of a set is read back, and nothing else is taken for one") {
    ShareSetInfo info = info_of(split(secret_of_test(), 3, 5));
    info.old = {{7, UtcTime{5}}, {8, UtcTime{4}}};
    const Bytes bytes = encode(info);
    const auto back = decode_share_set(bytes);
    REQUIRE(back.ok());
    CHECK(back->checks == info.checks);
    CHECK(back->threshold == 3);
    CHECK(back->old.size() == 2);
    CHECK(back->old[1].set == 8);
    CHECK(encode(*back) == bytes);
    for (std::size_t i = 0; i < bytes.size(); ++i) CHECK_FALSE(decode_share_set(ByteView(bytes).first(i)).ok());
}
