#include "vault/derived.h"

namespace kustos::vault {

namespace {
constexpr std::uint8_t kZeroNonce[12] = {};

SecretBytes object_key(const VaultId& vault, ByteView dek, std::string_view purpose, ByteView salt16) {
    CHECK(purpose.size() < 256);
    const SecretBytes prk = hkdf_extract(vault.view(), dek);
    Bytes info = to_bytes(std::string_view("kustos1/derived"));
    put_u8(info, static_cast<std::uint8_t>(purpose.size()));
    put(info, purpose);
    put(info, salt16);
    return hkdf_expand(prk.view(), info, 32);
}
}  // namespace

Bytes seal_derived(const VaultId& vault, ByteView dek, std::string_view purpose, ByteView object, Random& random) {
    Bytes out(16);
    random.fill(out);
    const Bytes salt = out;
    Gcm(object_key(vault, dek, purpose, salt).view()).seal(kZeroNonce, {}, object, out);
    return out;
}

Result<Bytes> open_derived(const VaultId& vault, ByteView dek, std::string_view purpose, ByteView sealed) {
    if (sealed.size() < 16 + kGcmTag) return Error(Code::corrupt, "a derived object is cut");
    Bytes out;
    TRY(Gcm(object_key(vault, dek, purpose, sealed.first(16)).view()).open(kZeroNonce, {}, sealed.subspan(16), out));
    return out;
}

}  // namespace kustos::vault
