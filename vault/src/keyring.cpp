#include "vault/keyring.h"

#include <algorithm>
#include <cstdio>
#include <set>

namespace kustos::vault {

namespace {
constexpr std::uint8_t kMagic[4] = {'K', 'R', 'N', 'G'};
constexpr std::uint8_t kPageMagic[4] = {'K', 'P', 'G', 'E'};
constexpr std::uint8_t kVersion = 2, kFirstVersion = 1;  // 1 had no pages
constexpr std::uint8_t kZeroNonce[12] = {};
constexpr std::size_t kMaxRootPage = 64u << 20;
constexpr std::size_t kMaxPage = 64u << 20;  // 1,700,000 nodes; a tree of every second leaf has 524,288

SecretBytes root_page_key(ByteView root_key, ByteView epoch, ByteView salt, const VaultId& vault,
                          std::uint32_t generation) {
    SecretBytes both(root_key.size() + epoch.size());
    std::copy(root_key.begin(), root_key.end(), both.writable().begin());
    std::copy(epoch.begin(), epoch.end(), both.writable().begin() + static_cast<std::ptrdiff_t>(root_key.size()));
    const SecretBytes prk = hkdf_extract(salt, both.view());
    Bytes info = to_bytes(std::string_view("kustos1/root-page"));
    put(info, vault.view());
    put_u32(info, generation);
    return hkdf_expand(prk.view(), info, 32);
}

Bytes page_head(PageKind kind, std::uint32_t id, const VaultId& vault) {
    Bytes head;
    put(head, ByteView(kPageMagic));
    put_u8(head, 1);
    put_u8(head, static_cast<std::uint8_t>(kind));
    put_u32(head, id);
    put(head, vault.view());
    return head;
}
}  // namespace

const KeyringPage* Keyring::find(PageKind kind, std::uint32_t id) const {
    for (const KeyringPage& p : pages) {
        if (p.kind == kind && p.id == id) return &p;
    }
    return nullptr;
}

Path generation_dir(const Path& keys_dir, std::uint32_t generation) {
    return keys_dir / ("generation-" + std::to_string(generation));
}

std::optional<std::uint32_t> generation_of(const std::string& folder) {
    constexpr std::string_view kPrefix = "generation-";
    if (folder.compare(0, kPrefix.size(), kPrefix) != 0) return std::nullopt;
    const std::string digits = folder.substr(kPrefix.size());
    if (digits.empty() || digits.size() > 9 || digits.find_first_not_of("0123456789") != std::string::npos)
        return std::nullopt;
    return static_cast<std::uint32_t>(std::stoul(digits));
}

Path page_file(const Path& keys_dir, PageKind kind, std::uint32_t id, const Hash& hash) {
    char name[64];
    std::snprintf(name, sizeof name, "%s-%08x-%s", kind == PageKind::tree ? "tree" : "shards", id,
                  hash.hex().substr(0, 16).c_str());
    return keys_dir / "pages" / name;
}

Result<KeyringPage> store_page(Environment e, const Path& keys_dir, const VaultId& vault, PageKind kind,
                               std::uint32_t id, ByteView plain) {
    TRY(make_dirs_synced(e.fs, keys_dir / "pages"));
    KeyringPage page;
    page.kind = kind;
    page.id = id;
    page.key = SecretBytes::random(e.random, 32);
    Bytes file = page_head(kind, id, vault);
    const std::size_t head = file.size();
    Bytes sealed;
    Gcm(page.key.view()).seal(kZeroNonce, file, plain, sealed);
    file.resize(head);
    put(file, sealed);
    page.hash = sha256(file);
    TRY(replace_file(e.fs, page_file(keys_dir, kind, id, page.hash), file));
    return page;
}

Result<SecretBytes> load_page(Fs& fs, const Path& keys_dir, const VaultId& vault, const KeyringPage& page) {
    const Bytes file =
        TRY_IN("keyring page", read_file(fs, page_file(keys_dir, page.kind, page.id, page.hash), kMaxPage));
    const Bytes head = page_head(page.kind, page.id, vault);
    if (!(sha256(file) == page.hash) || file.size() < head.size() || !equal(ByteView(file).first(head.size()), head))
        return Error(Code::corrupt, "a page of the keyring is damaged").with_hint("restore keys/pages from a backup");
    return TRY_IN("keyring page",
                  Gcm(page.key.view()).open_secret(kZeroNonce, head, ByteView(file).subspan(head.size())));
}

Status remove_old_pages(Fs& fs, const Path& keys_dir, const Keyring& keyring) {
    if (!fs.exists(keys_dir / "pages")) return {};
    std::set<std::string> named;
    for (const KeyringPage& p : keyring.pages) named.insert(page_file({}, p.kind, p.id, p.hash).filename().string());
    for (const std::string& name : TRY(fs.list(keys_dir / "pages"))) {
        if (named.count(name) == 0) TRY(fs.remove(keys_dir / "pages" / name));
    }
    return fs.sync_dir(keys_dir / "pages");
}

Result<Hash> store_keyring(Environment e, const Path& keys_dir, const VaultId& vault, ByteView root_key, ByteView epoch,
                           const Keyring& keyring) {
    const Path dir = generation_dir(keys_dir, keyring.generation);
    TRY(make_dirs_synced(e.fs, dir));
    Bytes salt(32);
    e.random.fill(salt);
    Bytes head;
    put(head, ByteView(kMagic));
    put_u8(head, kVersion);
    put_u32(head, keyring.generation);
    put(head, salt);
    SecretBytes plain(32 + 32 + 4 + keyring.pages.size() * (1 + 4 + 32 + 32));
    std::uint8_t* at = plain.writable().data();
    const auto copy = [&at](ByteView bytes) { at = std::copy(bytes.begin(), bytes.end(), at); };
    copy(keyring.intake.public_key.view());
    copy(keyring.intake.secret_key.view());
    store_u32(at, static_cast<std::uint32_t>(keyring.pages.size()));
    at += 4;
    for (const KeyringPage& p : keyring.pages) {
        *at++ = static_cast<std::uint8_t>(p.kind);
        store_u32(at, p.id);
        at += 4;
        copy(p.key.view());
        copy(p.hash.view());
    }
    const SecretBytes key = root_page_key(root_key, epoch, salt, vault, keyring.generation);
    Bytes file = head;
    Gcm(key.view()).seal(kZeroNonce, head, plain.view(), file);
    TRY(replace_file(e.fs, dir / "root", file));
    const Keyring back =
        TRY_IN("reading back", load_keyring(e.fs, keys_dir, vault, root_key, epoch, keyring.generation));
    if (back.pages.size() != keyring.pages.size() ||
        !equal_constant_time(back.intake.secret_key.view(), keyring.intake.secret_key.view()))
        return Error(Code::environment, "the keyring was not read back as it was written");
    return sha256(file);
}

Result<Keyring> load_keyring(Fs& fs, const Path& keys_dir, const VaultId& vault, ByteView root_key, ByteView epoch,
                             std::uint32_t generation) {
    const Bytes file =
        TRY_IN("keys: root page", read_file(fs, generation_dir(keys_dir, generation) / "root", kMaxRootPage));
    ByteReader in(file);
    if (!equal(TRY(in.take(4)), kMagic)) return Error(Code::corrupt, "the keyring's root page is damaged");
    const std::uint8_t version = TRY(in.u8());
    if (version != kVersion && version != kFirstVersion)
        return Error(Code::not_in_version, "the keyring's root page is of a later version");
    Keyring k;
    k.generation = TRY(in.u32());
    const ByteView salt = TRY(in.take(32));
    const std::size_t head = in.position();
    if (k.generation != generation) return Error(Code::corrupt, "the keyring's root page is of another generation");
    const SecretBytes key = root_page_key(root_key, epoch, salt, vault, generation);
    const SecretBytes plain = TRY_IN(
        "keyring", Gcm(key.view()).open_secret(kZeroNonce, ByteView(file).first(head), ByteView(file).subspan(head)));
    ByteReader page(plain.view());
    k.intake.public_key = TRY(X25519Public::from(TRY(page.take(32))));
    k.intake.secret_key = SecretBytes(TRY(page.take(32)));
    const std::uint32_t count = TRY(page.u32());
    if (version == kFirstVersion && count != 0) return Error(Code::corrupt, "the keyring's root page is damaged");
    for (std::uint32_t i = 0; i < count; ++i) {
        KeyringPage p;
        const std::uint8_t kind = TRY(page.u8());
        if (kind < 1 || kind > 2) return Error(Code::not_in_version, "the keyring has a page of a later version");
        p.kind = static_cast<PageKind>(kind);
        p.id = TRY(page.u32());
        p.key = SecretBytes(TRY(page.take(32)));
        p.hash = TRY(Hash::from(TRY(page.take(32))));
        k.pages.push_back(std::move(p));
    }
    TRY(page.expect_end());
    return k;
}

}  // namespace kustos::vault
