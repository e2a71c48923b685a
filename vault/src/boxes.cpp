#include "vault/boxes.h"

#include <cstdio>

namespace kustos::vault {

namespace {
constexpr std::uint8_t kMagic[4] = {'K', 'B', 'O', 'X'};
constexpr std::size_t kMaxBox = 4096;
}  // namespace

Bytes encode(const Box& box) {
    Bytes out;
    put(out, ByteView(kMagic));
    put_u8(out, 1);  // version
    put_u8(out, 1);  // suite: X25519 sealed box
    put_u8(out, static_cast<std::uint8_t>(box.purpose));
    put_u32(out, box.id);
    put_u32(out, box.generation);
    put_u16(out, static_cast<std::uint16_t>(box.sealed.size()));
    put(out, box.sealed);
    return out;
}

Result<Box> decode_box(ByteView bytes) {
    ByteReader in(bytes);
    if (!equal(TRY(in.take(4)), kMagic)) return Error(Code::corrupt, "not a sealed box");
    if (TRY(in.u8()) != 1 || TRY(in.u8()) != 1)
        return Error(Code::not_in_version, "this sealed box is of a later version");
    Box box;
    const std::uint8_t purpose = TRY(in.u8());
    if (purpose < 1 || purpose > 2) return Error(Code::corrupt, "a sealed box of unknown purpose");
    box.purpose = static_cast<BoxPurpose>(purpose);
    box.id = TRY(in.u32());
    box.generation = TRY(in.u32());
    box.sealed = to_bytes(TRY(in.take(TRY(in.u16()))));
    TRY(in.expect_end());
    return box;
}

Path box_file(const Path& keys_dir, BoxPurpose purpose, std::uint32_t id, char copy) {
    char name[40];
    std::snprintf(name, sizeof name, "%s-%08x.%c", purpose == BoxPurpose::tree ? "tree" : "shard", id, copy);
    return keys_dir / "boxes" / name;
}

Result<Hash> store_box(Fs& fs, const Path& keys_dir, const Box& box) {
    const Bytes bytes = encode(box);
    TRY(make_dirs_synced(fs, keys_dir / "boxes"));
    for (const char copy : {'a', 'b'}) {
        // An unnamed box of an uncommitted batch may be there: its tree was never used, so it is replaced.
        TRY(replace_file(fs, box_file(keys_dir, box.purpose, box.id, copy), bytes));
    }
    for (const char copy : {'a', 'b'}) {
        if (!equal(TRY(read_file(fs, box_file(keys_dir, box.purpose, box.id, copy), kMaxBox)), bytes)) {
            return Error(Code::environment, "a sealed box was not read back as it was written");
        }
    }
    return sha256(bytes);
}

Result<Box> load_box(Fs& fs, const Path& keys_dir, BoxPurpose purpose, std::uint32_t id, const Hash& expected) {
    for (const char copy : {'a', 'b'}) {
        auto bytes = read_file(fs, box_file(keys_dir, purpose, id, copy), kMaxBox);
        if (!bytes.ok() || (!expected.is_zero() && !(sha256(*bytes) == expected))) continue;
        auto box = decode_box(*bytes);
        if (box.ok() && box->purpose == purpose && box->id == id) return box;
    }
    return Error(Code::corrupt, "both copies of a sealed box are lost or damaged");
}

}  // namespace kustos::vault
