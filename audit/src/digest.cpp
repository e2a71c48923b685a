#include "audit/digest.h"

#include <openssl/evp.h>

namespace kustos::audit {

namespace {

struct Known {
    DigestAlgorithm algorithm;
    std::string_view name, dashed, oid;
    std::size_t size;
    const EVP_MD* (*method)();
};

constexpr Known kKnown[] = {
    {DigestAlgorithm::sha256, "sha256", "SHA-256", "2.16.840.1.101.3.4.2.1", 32, EVP_sha256},
    {DigestAlgorithm::sha384, "sha384", "SHA-384", "2.16.840.1.101.3.4.2.2", 48, EVP_sha384},
    {DigestAlgorithm::sha512, "sha512", "SHA-512", "2.16.840.1.101.3.4.2.3", 64, EVP_sha512},
    {DigestAlgorithm::sha224, "sha224", "SHA-224", "2.16.840.1.101.3.4.2.4", 28, EVP_sha224},
};

const Known& known(DigestAlgorithm algorithm) {
    return kKnown[static_cast<std::size_t>(algorithm)];
}

}  // namespace

std::string_view digest_name(DigestAlgorithm algorithm) {
    return known(algorithm).name;
}
std::string_view digest_oid(DigestAlgorithm algorithm) {
    return known(algorithm).oid;
}
std::size_t digest_size(DigestAlgorithm algorithm) {
    return known(algorithm).size;
}

Result<DigestAlgorithm> parse_digest_oid(std::string_view oid) {
    for (const Known& k : kKnown) {
        if (k.oid == oid) return k.algorithm;
    }
    return Error(Code::bad_input, "a digest algorithm other than SHA-224, SHA-256, SHA-384 or SHA-512");
}

Result<DigestAlgorithm> parse_digest_name(std::string_view name) {
    for (const Known& k : kKnown) {
        if (k.name == name || k.dashed == name) return k.algorithm;
    }
    return Error(Code::bad_input, "a digest algorithm other than sha224, sha256, sha384 or sha512");
}

struct Digest::State {
    const EVP_MD* method;
    EVP_MD_CTX* context;
    explicit State(DigestAlgorithm algorithm) : method(known(algorithm).method()), context(EVP_MD_CTX_new()) {
        CHECK(context != nullptr);
        CHECK(EVP_DigestInit_ex(context, method, nullptr) == 1);
    }
    ~State() { EVP_MD_CTX_free(context); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
};

Digest::Digest(DigestAlgorithm algorithm) : state_(std::make_unique<State>(algorithm)) {}
Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;

Digest& Digest::update(ByteView bytes) {
    CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
    return *this;
}

Bytes Digest::finish() {
    Bytes out(EVP_MAX_MD_SIZE);
    unsigned int size = 0;
    CHECK(EVP_DigestFinal_ex(state_->context, out.data(), &size) == 1);
    out.resize(size);
    CHECK(EVP_DigestInit_ex(state_->context, nullptr, nullptr) == 1);
    return out;
}

Bytes digest_of(DigestAlgorithm algorithm, std::initializer_list<ByteView> parts) {
    Digest digest(algorithm);
    for (const ByteView part : parts) digest.update(part);
    return digest.finish();
}

Bytes digest_of(DigestAlgorithm algorithm, ByteView bytes) {
    return digest_of(algorithm, {bytes});
}

}  // namespace kustos::audit
