#include "vault/unlock.h"

namespace kustos::vault {

namespace {
constexpr std::uint8_t kMagic[4] = {'K', 'S', 'L', 'T'};
constexpr std::uint8_t kZeroNonce[12] = {};
constexpr std::uint8_t kVersion = 2;
constexpr std::string_view kNames[] = {"", "auto", "passphrase", "shares", "tpm", "pkcs11"};

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

Bytes associated_data(const Slot& slot, const VaultId& vault) {
    Bytes data = to_bytes(vault.view());
    put(data, slot.details);
    return data;
}

Result<Slot> decode_slot(ByteReader& in, std::uint8_t version) {
    Slot s;
    const std::uint8_t kind = TRY(in.u8());
    const std::uint8_t last = version == 1 ? 2 : 5;
    if (kind < 1 || kind > last)
        return Error(Code::not_in_version, "an unlock slot is of a kind that is not in this version");
    s.kind = static_cast<SlotKind>(kind);
    if (version > 1) s.made.ms = static_cast<std::int64_t>(TRY(in.u64()));
    const ByteView salt = TRY(in.take(16));
    std::copy(salt.begin(), salt.end(), s.salt.begin());
    s.cost.memory_kib = TRY(in.u32());
    s.cost.passes = TRY(in.u32());
    if (s.cost.memory_kib > 8u << 20 || s.cost.passes > 100)
        return Error(Code::corrupt, "an unlock slot asks for more than 8 GiB");
    if (version > 1) s.details = to_bytes(TRY(in.take(TRY(in.u16()))));
    s.wrapped = to_bytes(TRY(in.take(TRY(in.u16()))));
    return s;
}
}  // namespace

std::string_view slot_kind_name(SlotKind kind) {
    return kNames[static_cast<std::size_t>(kind)];
}

std::optional<SlotKind> slot_kind_by_name(std::string_view name) {
    for (std::uint8_t kind = 1; kind < std::size(kNames); ++kind) {
        if (kNames[kind] == name) return static_cast<SlotKind>(kind);
    }
    return std::nullopt;
}

Bytes encode(const std::vector<Slot>& slots) {
    CHECK(slots.size() <= kMostSlots);
    Bytes out;
    put(out, ByteView(kMagic));
    put_u8(out, kVersion);
    put_u8(out, static_cast<std::uint8_t>(slots.size()));
    for (const Slot& s : slots) {
        put_u8(out, static_cast<std::uint8_t>(s.kind));
        put_u64(out, static_cast<std::uint64_t>(s.made.ms));
        put(out, ByteView(s.salt));
        put_u32(out, s.cost.memory_kib);
        put_u32(out, s.cost.passes);
        put_u16(out, static_cast<std::uint16_t>(s.details.size()));
        put(out, s.details);
        put_u16(out, static_cast<std::uint16_t>(s.wrapped.size()));
        put(out, s.wrapped);
    }
    return out;
}

Result<std::vector<Slot>> decode_slots(ByteView bytes) {
    ByteReader in(bytes);
    const Error damaged(Code::corrupt, "keys/slots is damaged or of a later version");
    if (bytes.size() < 6 || !equal(TRY(in.take(4)), kMagic)) return damaged;
    const std::uint8_t version = TRY(in.u8());
    if (version < 1 || version > kVersion) return damaged;
    const std::uint8_t count = TRY(in.u8());
    if (count > kMostSlots) return damaged;
    std::vector<Slot> slots;
    for (unsigned i = 0; i < count; ++i) {
        auto slot = decode_slot(in, version);
        if (!slot.ok()) return slot.error().code() == Code::bad_input ? damaged : slot.error();
        slots.push_back(std::move(*slot));
    }
    if (!in.at_end()) return damaged;
    return slots;
}

Result<Slot> make_slot(SlotKind kind, ByteView secret, Argon2Cost cost, ByteView root_key, const VaultId& vault,
                       Random& random, UtcTime made, Bytes details) {
    Slot slot;
    slot.kind = kind;
    slot.made = made;
    slot.details = std::move(details);
    random.fill(slot.salt);
    if (kind == SlotKind::passphrase) slot.cost = cost;
    const SecretBytes key = TRY(wrapping_key(slot, secret, vault));
    Gcm(key.view()).seal(kZeroNonce, associated_data(slot, vault), root_key, slot.wrapped);
    return slot;
}

Result<SecretBytes> open_slot(const Slot& slot, ByteView secret, const VaultId& vault) {
    const SecretBytes key = TRY(wrapping_key(slot, secret, vault));
    Bytes root;
    if (!Gcm(key.view()).open(kZeroNonce, associated_data(slot, vault), slot.wrapped, root).ok() || root.size() != 32) {
        wipe(root);
        if (slot.kind == SlotKind::passphrase)
            return Error(Code::denied, "the passphrase is wrong")
                .with_hint("check keyboard layout and capitals; nothing was changed");
        return Error(Code::denied, "the slot " + std::string(slot_kind_name(slot.kind)) +
                                       " does not open: it was changed, or its key belongs to another archive");
    }
    SecretBytes out(root);
    wipe(root);
    return out;
}

}  // namespace kustos::vault
