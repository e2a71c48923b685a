#include "vault/epoch_place.h"

#include "vault/keyring.h"
#include "vault/slots.h"
#include "vault/src/key_file.h"

namespace kustos::vault {

namespace {
constexpr std::uint8_t kMagic[4] = {'K', 'E', 'P', 'O'};
constexpr std::uint8_t kVersion = 1, kTpm = 1, kToken = 2;
constexpr std::size_t kMostText = 1024, kAuthorisation = 32;

void put_part(Bytes& out, ByteView part) {
    CHECK(part.size() <= kMostText);
    put_u16(out, static_cast<std::uint16_t>(part.size()));
    put(out, part);
}
Result<ByteView> take_part(ByteReader& in) {
    return in.take(TRY(in.u16()));
}
}  // namespace

Result<EpochOrder> parse_epoch_order(std::string_view text) {
    if (text == "file") return EpochOrder{"file", "", {}};
    const SlotOrder order = TRY(parse_slot_order(text));
    if (order.kind != SlotKind::tpm && order.kind != SlotKind::pkcs11)
        return Error(Code::usage, "a generation's key lies in: file, tpm, tpm:ADDRESS, or a token's pkcs11: URI");
    return EpochOrder{std::string(slot_kind_name(order.kind)), order.address, {}};
}

Status EpochStore::store_in(std::uint32_t, ByteView, const EpochOrder&) {
    return Error(Code::usage, "these keys can't be moved to another medium");
}

EpochPlace EpochPlace::clone() const {
    return {medium, address, device, index, next_index, authorisation.clone(), object};
}

SecretBytes encode(const EpochPlace& place) {
    Bytes out;
    out.reserve(4 * kMostText);  // never moved: it is wiped below
    put(out, kMagic);
    put_u8(out, kVersion);
    put_u8(out, place.medium == "tpm" ? kTpm : kToken);
    put_part(out, as_bytes(place.address));
    put_part(out, place.device);
    if (place.medium == "tpm") {
        CHECK(place.authorisation.size() == kAuthorisation);
        put_u32(out, place.index);
        put_u32(out, place.next_index);
        put(out, place.authorisation.view());
    } else {
        put_part(out, as_bytes(place.object));
    }
    SecretBytes made(out);
    wipe(out);
    return made;
}

Result<EpochPlace> decode_epoch_place(ByteView bytes) {
    ByteReader in(bytes);
    const ByteView magic = TRY(in.take(sizeof kMagic));
    if (!equal(magic, kMagic)) return Error(Code::corrupt, "this is no record of where a generation's key lies");
    if (TRY(in.u8()) != kVersion)
        return Error(Code::not_in_version, "the record of where a generation's key lies is of a newer version");
    const std::uint8_t kind = TRY(in.u8());
    if (kind != kTpm && kind != kToken)
        return Error(Code::not_in_version, "a generation's key lies in a medium that is not in this version");
    EpochPlace p;
    p.medium = kind == kTpm ? "tpm" : "pkcs11";
    p.address = to_text(TRY(take_part(in)));
    p.device = to_bytes(TRY(take_part(in)));
    if (kind == kTpm) {
        p.index = TRY(in.u32());
        p.next_index = TRY(in.u32());
        p.authorisation = SecretBytes(TRY(in.take(kAuthorisation)));
        const auto fits = [](std::uint32_t i) { return i >= kFirstEpochIndex && i <= kLastEpochIndex; };
        if (!fits(p.index) || !fits(p.next_index) || p.index == p.next_index)
            return Error(Code::corrupt, "a generation's key lies in a place of the TPM that is not this program's");
    } else {
        p.object = to_text(TRY(take_part(in)));
        if (p.object.empty()) return Error(Code::corrupt, "a generation's key lies in a token under no name");
    }
    TRY(in.expect_end());
    return p;
}

Result<std::optional<EpochPlace>> load_epoch_place(Fs& fs, const Path& keys_dir, std::uint32_t generation) {
    const Path file = generation_dir(keys_dir, generation) / "medium";
    if (!fs.exists(file)) return std::optional<EpochPlace>();
    const SecretBytes bytes = TRY_IN("keys: medium", read_secret_file(fs, file, kMaxKeyFile));
    return std::optional(TRY_IN("keys: medium", decode_epoch_place(bytes.view())));
}

}  // namespace kustos::vault
