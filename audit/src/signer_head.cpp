// The slots in which the signer remembers its last head.
#include "audit/signer.h"
#include "base/crypto.h"

namespace kustos::audit {

namespace {
constexpr std::string_view kMagic = "KSH1";
static_assert(kHeadSlotSize == 4 + VaultId::kSize + 8 + 8 + Hash::kSize + 4 + Hash::kSize);
}  // namespace

Bytes encode(const HeadSlot& slot) {
    Bytes out;
    put(out, kMagic);
    put(out, slot.vault.view());
    put_u64(out, slot.counter);
    put_u64(out, slot.head.size.value);
    put(out, slot.head.root.view());
    put_u32(out, 0);  // reserved
    put(out, sha256(out).view());
    return out;
}

Result<HeadSlot> decode_head_slot(ByteView bytes) {
    const Error bad(Code::corrupt, "head slot is torn");
    if (bytes.size() != kHeadSlotSize) return bad;
    const ByteView hashed = bytes.first(kHeadSlotSize - Hash::kSize);
    if (!equal(sha256(hashed).view(), bytes.last(Hash::kSize))) return bad;
    ByteReader in(hashed);
    if (as_text(TRY(in.take(kMagic.size()))) != kMagic) return bad;
    HeadSlot slot;
    slot.vault = TRY(VaultId::from(TRY(in.take(VaultId::kSize))));
    slot.counter = TRY(in.u64());
    slot.head.size.value = TRY(in.u64());
    slot.head.root = TRY(Hash::from(TRY(in.take(Hash::kSize))));
    if (TRY(in.u32()) != 0) return bad;
    return slot;
}

}  // namespace kustos::audit
