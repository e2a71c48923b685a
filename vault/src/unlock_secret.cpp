#include "vault/unlock.h"

namespace kustos::vault {

namespace {
constexpr std::size_t kMostParts = 32, kMostBytes = 4096;

// The parts of a secret, in order.
std::vector<ByteView> parts_of(const UnlockSecret& secret) {
    std::vector<ByteView> parts;
    if (const auto* p = std::get_if<PassphraseSecret>(&secret)) parts = {p->passphrase.view()};
    if (const auto* s = std::get_if<ShareSecrets>(&secret)) {
        for (const SecretBytes& text : s->texts) parts.push_back(text.view());
    }
    if (const auto* t = std::get_if<TpmSecret>(&secret)) parts = {t->pin.view(), t->owner.view()};
    if (const auto* t = std::get_if<TokenSecret>(&secret)) parts = {as_bytes(t->pin_file)};
    return parts;
}
}  // namespace

SlotKind slot_kind_for(const UnlockSecret& secret) {
    return static_cast<SlotKind>(secret.index() + 1);
}

UnlockSecret clone(const UnlockSecret& secret) {
    return decode_secret(encode_secret(secret).view()).value();
}

// u8 kind, u8 parts, and for each u16 length and bytes.
SecretBytes encode_secret(const UnlockSecret& secret) {
    const auto parts = parts_of(secret);
    std::size_t size = 2;
    for (const ByteView part : parts) size += 2 + part.size();
    CHECK(parts.size() <= kMostParts);
    SecretBytes out(size);
    std::uint8_t* at = out.writable().data();
    *at++ = static_cast<std::uint8_t>(slot_kind_for(secret));
    *at++ = static_cast<std::uint8_t>(parts.size());
    for (const ByteView part : parts) {
        CHECK(part.size() <= kMostBytes);
        store_u16(at, static_cast<std::uint16_t>(part.size()));
        std::copy(part.begin(), part.end(), at + 2);
        at += 2 + part.size();
    }
    return out;
}

Result<UnlockSecret> decode_secret(ByteView bytes) {
    ByteReader in(bytes);
    const std::uint8_t kind = TRY(in.u8());
    std::vector<SecretBytes> parts(TRY(in.u8()));
    if (parts.size() > kMostParts) return Error(Code::bad_input, "too many secrets");
    for (SecretBytes& part : parts) part = SecretBytes(TRY(in.take(TRY(in.u16()))));
    TRY(in.expect_end());
    switch (kind) {
        case 1:
            if (parts.empty()) return UnlockSecret(AutomaticSecret{});
            break;
        case 2:
            if (parts.size() == 1) return UnlockSecret(PassphraseSecret{std::move(parts[0])});
            break;
        case 3:
            return UnlockSecret(ShareSecrets{std::move(parts)});
        case 4:
            if (parts.size() == 2) return UnlockSecret(TpmSecret{std::move(parts[0]), std::move(parts[1])});
            break;
        case 5:
            if (parts.size() == 1) return UnlockSecret(TokenSecret{to_text(parts[0].view())});
            break;
        default:
            break;
    }
    return Error(Code::bad_input, "a secret of an unknown kind");
}

}  // namespace kustos::vault
