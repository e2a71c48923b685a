#include "vault/unlock.h"

namespace kustos::vault {

namespace {
constexpr std::uint8_t kMagic[4] = {'K', 'S', 'L', 'T'};
constexpr std::uint8_t kZeroNonce[12] = {};

Result<SecretBytes> wrapping_key(const Slot& slot, ByteView secret, const VaultId& vault) {
    Bytes info = to_bytes(std::string_view("kustos1/slot"));
    put_u8(info, static_cast<std::uint8_t>(slot.kind));
    put(info, vault.view());
    if (slot.kind == SlotKind::passphrase) {
        const SecretBytes stretched = TRY(argon2id(secret, slot.salt, slot.cost, 32));
        return hkdf_expand(stretched.view(), info, 32);
    }
    const SecretBytes prk = hkdf_extract(slot.salt, secret);
    return hkdf_expand(prk.view(), info, 32);
}
}  // namespace

Bytes encode(const std::vector<Slot>& slots) {
    Bytes out;
    put(out, ByteView(kMagic));
    put_u8(out, 1);
    put_u8(out, static_cast<std::uint8_t>(slots.size()));
    for (const Slot& s : slots) {
        put_u8(out, static_cast<std::uint8_t>(s.kind));
        put(out, ByteView(s.salt));
        put_u32(out, s.cost.memory_kib);
        put_u32(out, s.cost.passes);
        put_u16(out, static_cast<std::uint16_t>(s.wrapped.size()));
        put(out, s.wrapped);
    }
    return out;
}

Result<std::vector<Slot>> decode_slots(ByteView bytes) {
    ByteReader in(bytes);
    if (!equal(TRY(in.take(4)), kMagic) || TRY(in.u8()) != 1)
        return Error(Code::corrupt, "keys/slots is damaged or of a later version");
    std::vector<Slot> slots(TRY(in.u8()));
    for (Slot& s : slots) {
        const std::uint8_t kind = TRY(in.u8());
        if (kind < 1 || kind > 2)
            return Error(Code::not_in_version, "an unlock slot is of a kind that is not in this version");
        s.kind = static_cast<SlotKind>(kind);
        const ByteView salt = TRY(in.take(16));
        std::copy(salt.begin(), salt.end(), s.salt.begin());
        s.cost.memory_kib = TRY(in.u32());
        s.cost.passes = TRY(in.u32());
        if (s.cost.memory_kib > 8u << 20 || s.cost.passes > 100)
            return Error(Code::corrupt, "an unlock slot asks for more than 8 GiB");
        s.wrapped = to_bytes(TRY(in.take(TRY(in.u16()))));
    }
    TRY(in.expect_end());
    return slots;
}

Result<Slot> make_slot(SlotKind kind, ByteView secret, Argon2Cost cost, ByteView root_key, const VaultId& vault,
                       Random& random) {
    Slot slot;
    slot.kind = kind;
    random.fill(slot.salt);
    if (kind == SlotKind::passphrase) slot.cost = cost;
    const SecretBytes key = TRY(wrapping_key(slot, secret, vault));
    Gcm(key.view()).seal(kZeroNonce, vault.view(), root_key, slot.wrapped);
    return slot;
}

Result<SecretBytes> open_slot(const Slot& slot, ByteView secret, const VaultId& vault) {
    const SecretBytes key = TRY(wrapping_key(slot, secret, vault));
    Bytes root;
    if (!Gcm(key.view()).open(kZeroNonce, vault.view(), slot.wrapped, root).ok() || root.size() != 32) {
        wipe(root);
        return Error(Code::denied, "the passphrase is wrong")
            .with_hint("check keyboard layout and capitals; nothing was changed");
    }
    SecretBytes out(root);
    wipe(root);
    return out;
}

}  // namespace kustos::vault
