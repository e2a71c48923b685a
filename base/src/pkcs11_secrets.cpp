// Secrets in a token: AES keys that wrap, and data objects that can be destroyed.
#include <array>

#include "base/src/pkcs11_state.h"

namespace kustos {

using token_detail::attribute;
using token_detail::failed;

namespace {
constexpr std::uint8_t kGcm = 1, kCbc = 2;
constexpr std::size_t kGcmIv = 12, kCbcIv = 16, kMost = 256;

CK_BYTE* writable(ByteView bytes) {  // the interface does not write through these
    return const_cast<std::uint8_t*>(bytes.data());
}

// What PKCS #11 wants to be told about one operation; lives until it has ended.
struct Mechanism {
    CK_GCM_PARAMS gcm{};
    CK_MECHANISM value{};
    Mechanism(std::uint8_t which, ByteView iv) {
        if (which == kGcm) {
            gcm.iv_ptr = writable(iv);
            gcm.iv_len = iv.size();
            gcm.iv_bits = iv.size() * 8;
            gcm.tag_bits = kGcmTag * 8;
            value = {CKM_AES_GCM, &gcm, sizeof gcm};
        } else {
            value = {CKM_AES_CBC, writable(iv), iv.size()};
        }
    }
    Mechanism(const Mechanism&) = delete;
    Mechanism& operator=(const Mechanism&) = delete;
};
}  // namespace

Status HardwareToken::make_aes(const std::string& object) {
    const std::lock_guard lock(mutex_);
    bool found = false;
    TRY(state_->find(object, CKO_SECRET_KEY, found));
    if (found) return Error(Code::conflict, "token: it has a key with the label " + object);
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_ULONG size = 32;
    CK_OBJECT_CLASS kind = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_AES;
    CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, nullptr, 0};
    CK_ATTRIBUTE wish[] = {attribute(CKA_CLASS, kind),         attribute(CKA_KEY_TYPE, type),
                           attribute(CKA_VALUE_LEN, size),     attribute(CKA_TOKEN, yes),
                           attribute(CKA_PRIVATE, yes),        attribute(CKA_SENSITIVE, yes),
                           attribute(CKA_EXTRACTABLE, no),     attribute(CKA_ENCRYPT, yes),
                           attribute(CKA_DECRYPT, yes),        attribute(CKA_LABEL, as_bytes(object)),
                           attribute(CKA_ID, as_bytes(object))};
    CK_OBJECT_HANDLE key = 0;
    const CK_RV rv = state_->call->C_GenerateKey(state_->session, &mechanism, wish, std::size(wish), &key);
    if (rv != CKR_OK) return failed("it can't make an AES key", rv);
    return {};
}

Result<Bytes> HardwareToken::aes_seal(const std::string& object, ByteView plaintext, Random& random) {
    CHECK(plaintext.size() % 16 == 0 && plaintext.size() <= kMost);
    const std::lock_guard lock(mutex_);
    const CK_OBJECT_HANDLE key = TRY(state_->need(object, CKO_SECRET_KEY));
    CK_RV rv = CKR_OK;
    for (const std::uint8_t which : {kGcm, kCbc}) {
        Bytes iv(which == kGcm ? kGcmIv : kCbcIv);
        random.fill(iv);
        Mechanism mechanism(which, iv);
        rv = state_->call->C_EncryptInit(state_->session, &mechanism.value, key);
        if (rv != CKR_OK) continue;
        Bytes sealed(plaintext.size() + kGcmTag);
        CK_ULONG length = sealed.size();
        rv = state_->call->C_Encrypt(state_->session, writable(plaintext), plaintext.size(), sealed.data(), &length);
        if (rv != CKR_OK) continue;
        sealed.resize(length);
        Bytes out;
        put_u8(out, which);
        put(out, iv);
        put(out, sealed);
        return out;
    }
    return failed("it does not seal", rv);
}

Result<SecretBytes> HardwareToken::aes_open(const std::string& object, ByteView sealed) {
    ByteReader in(sealed);
    const std::uint8_t which = TRY(in.u8());
    if (which != kGcm && which != kCbc)
        return Error(Code::not_in_version, "token: sealed by a mechanism that is not in this version");
    const ByteView iv = TRY(in.take(which == kGcm ? kGcmIv : kCbcIv));
    const ByteView ciphertext = TRY(in.take(in.remaining()));
    if (ciphertext.size() > kMost + kGcmTag) return Error(Code::corrupt, "token: too much is sealed");
    const std::lock_guard lock(mutex_);
    const CK_OBJECT_HANDLE key = TRY(state_->need(object, CKO_SECRET_KEY));
    Mechanism mechanism(which, iv);
    if (const CK_RV rv = state_->call->C_DecryptInit(state_->session, &mechanism.value, key); rv != CKR_OK)
        return failed("it does not open", rv);
    SecretBytes plain(ciphertext.size() + kGcmTag);
    CK_ULONG length = plain.size();
    const CK_RV rv = state_->call->C_Decrypt(state_->session, writable(ciphertext), ciphertext.size(),
                                             plain.writable().data(), &length);
    if (rv == CKR_ENCRYPTED_DATA_INVALID || rv == CKR_ENCRYPTED_DATA_LEN_RANGE || rv == CKR_GENERAL_ERROR)
        return Error(Code::denied, "token: this was sealed by another key, or it was changed");
    if (rv != CKR_OK) return failed("it does not open", rv);
    return SecretBytes(plain.view().first(std::min<std::size_t>(length, plain.size())));
}

Status HardwareToken::forget_aes(const std::string& object) {
    const std::lock_guard lock(mutex_);
    return state_->destroy(object, CKO_SECRET_KEY);
}

Status HardwareToken::keep_data(const std::string& object, ByteView bytes) {
    CHECK(bytes.size() <= kMost);
    const std::lock_guard lock(mutex_);
    bool found = false;
    TRY(state_->find(object, CKO_DATA, found));
    if (found) return Error(Code::conflict, "token: it has an object with the label " + object);
    CK_BBOOL yes = CK_TRUE;
    CK_OBJECT_CLASS kind = CKO_DATA;
    CK_ATTRIBUTE wish[] = {attribute(CKA_CLASS, kind), attribute(CKA_TOKEN, yes), attribute(CKA_PRIVATE, yes),
                           attribute(CKA_LABEL, as_bytes(object)), attribute(CKA_VALUE, bytes)};
    CK_OBJECT_HANDLE made = 0;
    if (const CK_RV rv = state_->call->C_CreateObject(state_->session, wish, std::size(wish), &made); rv != CKR_OK)
        return failed("it does not keep an object", rv);
    return {};
}

Result<SecretBytes> HardwareToken::read_data(const std::string& object) {
    const std::lock_guard lock(mutex_);
    const CK_OBJECT_HANDLE handle = TRY(state_->need(object, CKO_DATA));
    SecretBytes value(kMost);
    CK_ATTRIBUTE wanted = {CKA_VALUE, value.writable().data(), value.size()};
    if (const CK_RV rv = state_->call->C_GetAttributeValue(state_->session, handle, &wanted, 1); rv != CKR_OK)
        return failed("an object can't be read", rv);
    return SecretBytes(value.view().first(std::min<std::size_t>(wanted.ulValueLen, kMost)));
}

Status HardwareToken::forget_data(const std::string& object) {
    const std::lock_guard lock(mutex_);
    TRY(state_->destroy(object, CKO_DATA));
    bool found = false;
    TRY(state_->find(object, CKO_DATA, found));
    if (found) return Error(Code::environment, "token: an object is still there after it was destroyed");
    return {};
}

}  // namespace kustos
