#include "vault/keyring.h"

namespace kustos::vault {

namespace {
constexpr std::uint8_t kMagic[4] = {'K', 'R', 'N', 'G'};
constexpr std::uint8_t kZeroNonce[12] = {};
constexpr std::size_t kMaxRootPage = 64u << 20;
constexpr std::size_t kEpochFile = 4096;  // a block of its own

Path folder(const Path& keys_dir, std::uint32_t generation) {
    return keys_dir / ("generation-" + std::to_string(generation));
}

SecretBytes page_key(ByteView root_key, ByteView epoch, ByteView salt, const VaultId& vault, std::uint32_t generation) {
    Bytes both = to_bytes(root_key);
    put(both, epoch);
    const SecretBytes prk = hkdf_extract(salt, both);
    wipe(both);
    Bytes info = to_bytes(std::string_view("kustos1/root-page"));
    put(info, vault.view());
    put_u32(info, generation);
    return hkdf_expand(prk.view(), info, 32);
}
}  // namespace

Result<Hash> store_keyring(Environment e, const Path& keys_dir, const VaultId& vault, ByteView root_key,
                           const Keyring& keyring) {
    const Path dir = folder(keys_dir, keyring.generation);
    TRY(make_dirs_synced(e.fs, dir));
    Bytes epoch(kEpochFile, 0);
    e.random.fill(std::span(epoch).first(32));
    {
        auto file = TRY(e.fs.open(dir / "e", OpenMode::create_or_open));
        TRY(file->write_at(0, epoch));
        TRY(file->sync());
        TRY(e.fs.sync_dir(dir));
    }
    Bytes salt(32);
    e.random.fill(salt);
    Bytes head;
    put(head, ByteView(kMagic));
    put_u8(head, 1);
    put_u32(head, keyring.generation);
    put(head, salt);
    Bytes plain;
    put(plain, keyring.intake.public_key.view());
    put(plain, keyring.intake.secret_key.view());
    put_u32(plain, static_cast<std::uint32_t>(keyring.pages.size()));
    for (const Keyring::Page& p : keyring.pages) {
        put_u32(plain, p.tree);
        put(plain, p.key.view());
        put(plain, p.hash.view());
    }
    const SecretBytes key = page_key(root_key, ByteView(epoch).first(32), salt, vault, keyring.generation);
    Bytes file = head;
    Gcm(key.view()).seal(kZeroNonce, head, plain, file);
    wipe(plain);
    wipe(epoch);
    TRY(replace_file(e.fs, dir / "root", file));
    return sha256(file);
}

Result<Keyring> load_keyring(Fs& fs, const Path& keys_dir, const VaultId& vault, ByteView root_key,
                             std::uint32_t generation) {
    const Path dir = folder(keys_dir, generation);
    Bytes epoch = TRY_IN("keys: e", read_file(fs, dir / "e", kEpochFile));
    if (epoch.size() < 32)
        return Error(Code::corrupt, "the generation's key is gone: what it sealed can't be opened any more");
    const Bytes file = TRY_IN("keys: root page", read_file(fs, dir / "root", kMaxRootPage));
    ByteReader in(file);
    if (!equal(TRY(in.take(4)), kMagic) || TRY(in.u8()) != 1)
        return Error(Code::corrupt, "the keyring's root page is damaged or of a later version");
    Keyring k;
    k.generation = TRY(in.u32());
    const ByteView salt = TRY(in.take(32));
    const std::size_t head = in.position();
    if (k.generation != generation) return Error(Code::corrupt, "the keyring's root page is of another generation");
    const SecretBytes key = page_key(root_key, ByteView(epoch).first(32), salt, vault, generation);
    wipe(epoch);
    Bytes plain;
    TRY_IN("keyring",
           Gcm(key.view()).open(kZeroNonce, ByteView(file).first(head), ByteView(file).subspan(head), plain));
    ByteReader page(plain);
    k.intake.public_key = TRY(X25519Public::from(TRY(page.take(32))));
    k.intake.secret_key = SecretBytes(TRY(page.take(32)));
    const std::uint32_t count = TRY(page.u32());
    for (std::uint32_t i = 0; i < count; ++i) {
        Keyring::Page p;
        p.tree = TRY(page.u32());
        p.key = SecretBytes(TRY(page.take(32)));
        p.hash = TRY(Hash::from(TRY(page.take(32))));
        k.pages.push_back(std::move(p));
    }
    TRY(page.expect_end());
    wipe(plain);
    return k;
}

}  // namespace kustos::vault
