#include "vault/src/opener_mark.h"

#include "base/crypto.h"

namespace kustos::vault {

namespace {
constexpr std::string_view kMagic = "KOM1";
constexpr std::size_t kMostWhy = 100, kMostFile = 1024;

Path file_in(const Path& state) {
    return state / "opening";
}
Error damaged() {
    return Error(Code::corrupt, "the opener's note of its last opening is damaged")
        .with_hint("remove the file `opening` from the opener's folder: the closing is then without an entry");
}
}  // namespace

Bytes encode(const OpeningMark& mark) {
    Bytes out = to_bytes(kMagic);
    put(out, mark.vault.view());
    put_u64(out, mark.entry.value);
    put_u64(out, static_cast<std::uint64_t>(mark.closed_ms));
    put_u32(out, static_cast<std::uint32_t>(mark.why.size()));
    put(out, as_bytes(mark.why));
    put(out, sha256(out).view());
    return out;
}

Result<OpeningMark> decode_opening_mark(ByteView bytes) {
    if (bytes.size() < 32) return damaged();
    ByteReader in(bytes.first(bytes.size() - 32));
    if (!equal(sha256(bytes.first(bytes.size() - 32)).view(), bytes.last(32))) return damaged();
    const auto read = [&in]() -> Result<OpeningMark> {
        OpeningMark mark;
        if (as_text(TRY(in.take(kMagic.size()))) != kMagic) return damaged();
        mark.vault = TRY(VaultId::from(TRY(in.take(16))));
        mark.entry = EntryIndex(TRY(in.u64()));
        mark.closed_ms = static_cast<std::int64_t>(TRY(in.u64()));
        const std::uint32_t size = TRY(in.u32());
        if (size > kMostWhy) return damaged();
        mark.why = to_text(TRY(in.take(size)));
        TRY(in.expect_end());
        return mark;
    };
    auto mark = read();
    return mark.ok() ? std::move(mark) : Result<OpeningMark>(damaged());
}

Result<std::optional<OpeningMark>> load_opening_mark(Fs& fs, const Path& state, const VaultId& vault) {
    const auto bytes = read_file(fs, file_in(state), kMostFile);
    if (!bytes.ok() && bytes.error().code() == Code::not_found) return std::optional<OpeningMark>();
    if (!bytes.ok()) return bytes.error();
    OpeningMark mark = TRY(decode_opening_mark(*bytes));
    if (!(mark.vault == vault)) return damaged();
    return std::optional(std::move(mark));
}

Status store_opening_mark(Fs& fs, const Path& state, const OpeningMark& mark) {
    return replace_file(fs, file_in(state), encode(mark));
}

Status remove_opening_mark(Fs& fs, const Path& state) {
    if (!fs.exists(file_in(state))) return {};
    TRY(fs.remove(file_in(state)));
    return fs.sync_dir(state);
}

}  // namespace kustos::vault
