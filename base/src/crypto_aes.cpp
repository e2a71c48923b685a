#include <openssl/evp.h>

#include <cstring>
#include <utility>
#include <vector>

#include "base/crypto.h"

namespace kustos {

namespace {
struct FreeContext {
    void operator()(EVP_CIPHER_CTX* c) const { EVP_CIPHER_CTX_free(c); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

// Fetched once: an implicit fetch per call costs more than encrypting 500 bytes.
const EVP_CIPHER* cipher(const char* name) {
    return EVP_CIPHER_fetch(nullptr, name, nullptr);
}
const EVP_CIPHER* gcm_cipher() {
    static const EVP_CIPHER* const c = cipher("AES-256-GCM");
    return c;
}
const EVP_CIPHER* ctr_cipher() {
    static const EVP_CIPHER* const c = cipher("AES-256-CTR");
    return c;
}
// Making a context costs as much as encrypting 500 bytes with it: they are kept. Between two uses each holds a key of
// zeros, which overwrites the schedule of the last one.
constexpr std::uint8_t kNoKey[32] = {};
Context fresh(const EVP_CIPHER* c) {
    Context context(EVP_CIPHER_CTX_new());
    CHECK(context != nullptr);
    CHECK(EVP_CipherInit_ex2(context.get(), c, kNoKey, nullptr, 1, nullptr) == 1);
    return context;
}
}  // namespace

void aes256_ctr_keystream(ByteView key32, std::span<std::uint8_t> out) {
    CHECK(key32.size() == 32);
    thread_local Context context;
    if (!context) context = fresh(ctr_cipher());
    const std::uint8_t zero[16] = {};
    CHECK(EVP_EncryptInit_ex2(context.get(), nullptr, key32.data(), zero, nullptr) == 1);
    std::memset(out.data(), 0, out.size());
    int length = 0;
    CHECK(EVP_EncryptUpdate(context.get(), out.data(), &length, out.data(), static_cast<int>(out.size())) == 1);
    CHECK(EVP_EncryptInit_ex2(context.get(), nullptr, kNoKey, zero, nullptr) == 1);
}

struct Gcm::State {
    State() {
        if (spare.empty()) {
            context = fresh(gcm_cipher());
        } else {
            context = std::move(spare.back());
            spare.pop_back();
        }
    }
    ~State() {
        if (EVP_CipherInit_ex2(context.get(), nullptr, kNoKey, nullptr, 1, nullptr) == 1 && spare.size() < kSpare)
            spare.push_back(std::move(context));
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    static constexpr std::size_t kSpare = 4;
    static thread_local std::vector<Context> spare;
    Context context;
};
thread_local std::vector<Context> Gcm::State::spare;

Gcm::Gcm(ByteView key32) : state_(std::make_unique<State>()) {
    CHECK(key32.size() == 32);
    CHECK(state_->context != nullptr);
    CHECK(EVP_CipherInit_ex2(state_->context.get(), nullptr, key32.data(), nullptr, 1, nullptr) == 1);
}
Gcm::~Gcm() = default;
Gcm::Gcm(Gcm&&) noexcept = default;

void Gcm::seal(ByteView nonce12, ByteView aad, ByteView plaintext, Bytes& out) {
    CHECK(nonce12.size() == 12);
    EVP_CIPHER_CTX* c = state_->context.get();
    const std::size_t start = out.size();
    out.resize(start + plaintext.size() + kGcmTag);
    int length = 0;
    CHECK(EVP_CipherInit_ex2(c, nullptr, nullptr, nonce12.data(), 1, nullptr) == 1);
    if (!aad.empty()) CHECK(EVP_CipherUpdate(c, nullptr, &length, aad.data(), static_cast<int>(aad.size())) == 1);
    if (!plaintext.empty()) {
        CHECK(EVP_CipherUpdate(c, out.data() + start, &length, plaintext.data(), static_cast<int>(plaintext.size())) ==
              1);
    }
    CHECK(EVP_CipherFinal_ex(c, out.data() + start + plaintext.size(), &length) == 1);
    CHECK(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, kGcmTag, out.data() + start + plaintext.size()) == 1);
}

// out: room for one byte more than the plaintext has, so that it is never null. False: nothing of it counts.
bool Gcm::open_into(ByteView nonce12, ByteView aad, ByteView ciphertext, std::uint8_t* out) {
    CHECK(nonce12.size() == 12);
    const std::size_t length_plain = ciphertext.size() - kGcmTag;
    EVP_CIPHER_CTX* c = state_->context.get();
    int length = 0;
    std::uint8_t tag[kGcmTag];
    std::memcpy(tag, ciphertext.data() + length_plain, kGcmTag);
    bool good = EVP_CipherInit_ex2(c, nullptr, nullptr, nonce12.data(), 0, nullptr) == 1;
    if (good && !aad.empty())
        good = EVP_CipherUpdate(c, nullptr, &length, aad.data(), static_cast<int>(aad.size())) == 1;
    if (good && length_plain != 0)
        good = EVP_CipherUpdate(c, out, &length, ciphertext.data(), static_cast<int>(length_plain)) == 1;
    good = good && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, kGcmTag, tag) == 1 &&
           EVP_CipherFinal_ex(c, out + length_plain, &length) == 1;
    if (!good) wipe({out, length_plain});
    return good;
}

Status Gcm::open(ByteView nonce12, ByteView aad, ByteView ciphertext, Bytes& out) {
    if (ciphertext.size() < kGcmTag) return Error(Code::corrupt, "ciphertext is shorter than its tag");
    const std::size_t start = out.size(), length_plain = ciphertext.size() - kGcmTag;
    out.resize(start + length_plain + 1);
    const bool good = open_into(nonce12, aad, ciphertext, out.data() + start);
    out.resize(start + (good ? length_plain : 0));
    if (!good) return Error(Code::corrupt, "authentication failed");
    return {};
}

Result<SecretBytes> Gcm::open_secret(ByteView nonce12, ByteView aad, ByteView ciphertext) {
    if (ciphertext.size() < kGcmTag) return Error(Code::corrupt, "ciphertext is shorter than its tag");
    SecretBytes room(ciphertext.size() - kGcmTag + 1);
    if (!open_into(nonce12, aad, ciphertext, room.writable().data()))
        return Error(Code::corrupt, "authentication failed");
    return SecretBytes(room.view().first(room.size() - 1));
}

}  // namespace kustos
