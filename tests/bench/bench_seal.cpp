// Sealing without a disk, on one core: a composed payload of 16 and 24 fields becomes header and ciphertext. Beside it
// the bare primitives on the same text, by their own libraries with contexts that are kept: zstd level 3, AES-256-GCM
// of what came out, and SHA-256 of the text twice.
//
// Usage: bench_seal [SECONDS]     of processor time for each measurement. Prints "name value" lines: microseconds and
// ratios; the best of interleaved rounds, and the median ratio.
#include <openssl/evp.h>
#include <zstd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "vault/seal.h"

using namespace kustos;
using namespace kustos::vault;

namespace {

// Of this thread: what others do on the machine counts as little as it can.
double processor_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// Words of a made-up language with the frequencies of a real one, so that it shrinks as text does.
std::string text_of(std::size_t size) {
    SeededRandom random(17);
    std::vector<std::string> words(4'000);
    for (std::string& word : words) {
        for (std::uint64_t n = 2 + random.next() % 8; n > 0; --n) word += "enirstadhulgcmobwfkzpv"[random.next() % 22];
    }
    std::string out;
    while (out.size() < size) {
        const double u = static_cast<double>(random.next() % 1'000'003 + 1) / 1'000'004;
        out += words[static_cast<std::size_t>(1 / (u + 1.0 / 4'000)) % words.size()] + ' ';
    }
    out.resize(size);
    return out;
}

Payload payload_of(const std::string& text, std::size_t fields) {
    Payload p;
    p.literal = to_bytes(text);
    const std::size_t small = 3 * fields / 4;  // the others are decoys, as in a chat
    for (std::size_t i = 0; i + 1 < small; ++i) {
        const std::string value = "value-" + std::to_string(1'000'000 + i);
        p.rows.push_back({PathCode::header, static_cast<std::uint16_t>(i), ValueType::text, Area::value, p.value.size(),
                          value.size()});
        put(p.value, value);
    }
    p.rows.push_back({PathCode::body_span, 0, ValueType::text, Area::literal, 0, text.size()});
    while (p.rows.size() < fields) p.rows.push_back({});
    p.recipe.push_back({RecipeStep::Kind::literal, 0, text.size(), 0, 1, false});
    return p;
}

// The primitives alone.
class Bare {
public:
    Bare() : zstd_(ZSTD_createCCtx()), gcm_(EVP_CIPHER_CTX_new()), sha_(EVP_MD_CTX_new()) {
        cipher_ = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
        digest_ = EVP_MD_fetch(nullptr, "SHA-256", nullptr);
    }
    ~Bare() {
        ZSTD_freeCCtx(zstd_);
        EVP_CIPHER_CTX_free(gcm_);
        EVP_MD_CTX_free(sha_);
        EVP_CIPHER_free(cipher_);
        EVP_MD_free(digest_);
    }
    Bare(const Bare&) = delete;
    Bare& operator=(const Bare&) = delete;
    void run(const std::string& text) {
        compressed_.resize(ZSTD_compressBound(text.size()));
        const std::size_t size =
            ZSTD_compressCCtx(zstd_, compressed_.data(), compressed_.size(), text.data(), text.size(), 3);
        sealed_.resize(size + 16);
        const std::uint8_t key[32] = {1}, nonce[12] = {};
        int n = 0;
        EVP_EncryptInit_ex2(gcm_, cipher_, key, nonce, nullptr);
        EVP_EncryptUpdate(gcm_, sealed_.data(), &n, compressed_.data(), static_cast<int>(size));
        EVP_EncryptFinal_ex(gcm_, sealed_.data() + n, &n);
        EVP_CIPHER_CTX_ctrl(gcm_, EVP_CTRL_AEAD_GET_TAG, 16, sealed_.data() + size);
        for (int i = 0; i < 2; ++i) {
            EVP_DigestInit_ex2(sha_, digest_, nullptr);
            EVP_DigestUpdate(sha_, text.data(), text.size());
            EVP_DigestFinal_ex(sha_, hash_, nullptr);
        }
    }

private:
    ZSTD_CCtx* zstd_;
    EVP_CIPHER_CTX* gcm_;
    EVP_MD_CTX* sha_;
    EVP_CIPHER* cipher_;
    EVP_MD* digest_;
    Bytes compressed_, sealed_;
    std::uint8_t hash_[32];
};

double microseconds(double seconds, const std::function<void()>& once) {
    const double start = processor_seconds();
    std::uint64_t done = 0;
    double passed = 0;
    do {
        for (int i = 0; i < 16; ++i) once();
        done += 16;
        passed = processor_seconds() - start;
    } while (passed < seconds);
    return passed / static_cast<double>(done) * 1e6;
}

}  // namespace

int main(int argc, char** argv) {
    const double seconds = argc > 1 ? std::atof(argv[1]) : 0.2;
    constexpr int kRounds = 9;
    for (const std::size_t size : {std::size_t{500}, std::size_t{5'000}, std::size_t{100'000}}) {
        const std::string text = text_of(size);
        for (const std::size_t fields : {std::size_t{16}, std::size_t{24}}) {
            const Payload payload = payload_of(text, fields);
            const VaultId vault{};
            const Bytes dek(32, 7);
            audit::EntryHeader header;
            header.kind = audit::Kind::record;
            header.tree = KeyTreeId(1);
            Bare bare;
            const auto seal = [&](audit::Suite suite) {
                header.suite = suite;
                auto sealed = seal_payload(vault, dek, header, {}, payload);
                CHECK(sealed.ok());
            };
            std::vector<double> ratios, ours, primitives, other;
            for (int round = 0; round < kRounds; ++round) {
                const double before = microseconds(seconds / 2, [&] { bare.run(text); });
                ours.push_back(microseconds(seconds, [&] { seal(audit::Suite::aes256_gcm); }));
                const double after = microseconds(seconds / 2, [&] { bare.run(text); });
                other.push_back(microseconds(seconds / 2, [&] { seal(audit::Suite::xchacha20_poly1305); }));
                primitives.push_back((before + after) / 2);
                ratios.push_back(ours.back() / primitives.back());
            }
            std::sort(ratios.begin(), ratios.end());
            const std::string name = std::to_string(size) + "_" + std::to_string(fields);
            std::printf("%s_seal %.2f\n%s_bare %.2f\n%s_ratio %.3f\n%s_median %.3f\n%s_xchacha %.2f\n", name.c_str(),
                        *std::min_element(ours.begin(), ours.end()), name.c_str(),
                        *std::min_element(primitives.begin(), primitives.end()), name.c_str(), ratios.front(),
                        name.c_str(), ratios[kRounds / 2], name.c_str(), *std::min_element(other.begin(), other.end()));
        }
    }
    return 0;
}
