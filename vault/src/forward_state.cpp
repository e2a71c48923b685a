#include "vault/forward_state.h"

namespace kustos::vault {

namespace {

constexpr std::array<std::uint8_t, 4> kMagic = {'K', 'F', 'W', 'D'};
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kMacAt = kForwardHead - Hash::kSize;

// Fills a buffer from front to back; keys never pass through a container that grows.
class Writer {
public:
    explicit Writer(std::span<std::uint8_t> out) : out_(out) {}
    void u8(std::uint8_t v) { out_[at_++] = v; }
    void u32(std::uint32_t v) { store_u32(take(4).data(), v); }
    void u64(std::uint64_t v) { u32(static_cast<std::uint32_t>(v >> 32)), u32(static_cast<std::uint32_t>(v)); }
    void bytes(ByteView v) { std::copy(v.begin(), v.end(), take(v.size()).begin()); }
    std::span<std::uint8_t> take(std::size_t size) {
        at_ += size;
        return out_.subspan(at_ - size, size);
    }
    std::size_t position() const { return at_; }

private:
    std::span<std::uint8_t> out_;
    std::size_t at_ = 0;
};

Hash mac_of(ByteView key, ByteView head, ByteView content) {
    Bytes digest = to_bytes(head);
    put(digest, sha256(content).view());
    return hmac_sha256(key, digest);
}

Result<ForwardState> decode_content(ByteView content, const VaultId& vault) {
    ForwardState state;
    ByteReader in(content);
    if (!equal(TRY(in.take(VaultId::kSize)), vault.view()))
        return Error(Code::corrupt, "the forward state is another archive's");
    state.oldest = EntryIndex(TRY(in.u64()));
    for (std::uint32_t n = TRY(in.u32()); n > 0; --n) {
        const EntryIndex entry(TRY(in.u64()));
        state.marks.push_back({entry, static_cast<std::int64_t>(TRY(in.u64()))});
    }
    for (std::uint32_t n = TRY(in.u32()); n > 0; --n) {
        const KeyTreeId id(TRY(in.u32()));
        ForwardTree tree;
        tree.next = TRY(in.u32());
        const std::uint32_t size = TRY(in.u32());
        tree.cover = TRY(KeyCover::decode(TRY(in.take(size))));
        state.trees.insert_or_assign(id, std::move(tree));
    }
    for (std::uint32_t n = TRY(in.u32()); n > 0; --n) {
        const std::uint32_t id = TRY(in.u32());
        state.shards.insert_or_assign(id, SecretBytes(TRY(in.take(32))));
    }
    TRY(in.expect_end());
    return state;
}

}  // namespace

ByteView forward_magic() {
    return kMagic;
}

std::size_t encoded_size(const ForwardState& state) {
    std::size_t size = kForwardHead + VaultId::kSize + 8 + 4 + state.marks.size() * 16 + 4 + 4;
    for (const auto& [id, tree] : state.trees) size += 4 + 4 + 4 + tree.cover.encoded_size();
    return size + state.shards.size() * (4 + 32);
}

void encode_into(const ForwardState& state, const VaultId& vault, std::uint64_t sequence, ByteView mac_key,
                 std::span<std::uint8_t> out) {
    CHECK(out.size() == encoded_size(state));
    Writer to(out);
    to.bytes(kMagic);
    to.u8(kVersion);
    to.u64(sequence);
    to.u32(static_cast<std::uint32_t>(out.size() - kForwardHead));
    const std::span<std::uint8_t> mac = to.take(Hash::kSize);
    to.bytes(vault.view());
    to.u64(state.oldest.value);
    to.u32(static_cast<std::uint32_t>(state.marks.size()));
    for (const ForwardState::Mark& mark : state.marks) {
        to.u64(mark.entry.value);
        to.u64(static_cast<std::uint64_t>(mark.ms));
    }
    to.u32(static_cast<std::uint32_t>(state.trees.size()));
    for (const auto& [id, tree] : state.trees) {
        to.u32(id.value);
        to.u32(tree.next);
        to.u32(static_cast<std::uint32_t>(tree.cover.encoded_size()));
        tree.cover.encode_into(to.take(tree.cover.encoded_size()));
    }
    to.u32(static_cast<std::uint32_t>(state.shards.size()));
    for (const auto& [id, key] : state.shards) {
        to.u32(id);
        to.bytes(key.view());
    }
    CHECK(to.position() == out.size());
    const ByteView all = out;
    const Hash code = mac_of(mac_key, all.first(kMacAt), all.subspan(kForwardHead));
    std::copy(code.bytes.begin(), code.bytes.end(), mac.begin());
}

Result<ForwardCopy> decode_forward(ByteView bytes, const VaultId& vault, ByteView mac_key) {
    ByteReader in(bytes);
    if (!equal(TRY(in.take(4)), kMagic)) return Error(Code::corrupt, "there is no forward state here");
    if (TRY(in.u8()) != kVersion) return Error(Code::corrupt, "the forward state is of another version");
    ForwardCopy copy;
    copy.sequence = TRY(in.u64());
    const std::uint32_t size = TRY(in.u32());
    const ByteView mac = TRY(in.take(Hash::kSize));
    const ByteView content = TRY(in.take(size));
    if (!equal_constant_time(mac_of(mac_key, bytes.first(kMacAt), content).view(), mac))
        return Error(Code::corrupt, "a copy of the forward state is torn");
    copy.state = TRY(decode_content(content, vault));
    return copy;
}

}  // namespace kustos::vault
