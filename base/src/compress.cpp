#include "base/compress.h"

#define ZSTD_STATIC_LINKING_ONLY  // the magicless format; stable since zstd 1.4
#include <zstd.h>

#include <memory>

namespace kustos {

namespace {
struct FreeC {
    void operator()(ZSTD_CCtx* c) const { ZSTD_freeCCtx(c); }
};
struct FreeD {
    void operator()(ZSTD_DCtx* d) const { ZSTD_freeDCtx(d); }
};
// Made when they are needed; making one for each call would cost more than packing 500 bytes.
thread_local std::unique_ptr<ZSTD_CCtx, FreeC> packer;
thread_local std::unique_ptr<ZSTD_DCtx, FreeD> unpacker;
}  // namespace

void zstd_forget() noexcept {
    packer.reset();
    unpacker.reset();
}

Bytes zstd_compress(ByteView plain, int level) {
    if (!packer) packer.reset(ZSTD_createCCtx());
    ZSTD_CCtx* c = packer.get();
    CHECK(c != nullptr);
    ZSTD_CCtx_reset(c, ZSTD_reset_session_and_parameters);
    ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0);
    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 0);
    ZSTD_CCtx_setParameter(c, ZSTD_c_dictIDFlag, 0);
    ZSTD_CCtx_setParameter(c, ZSTD_c_format, ZSTD_f_zstd1_magicless);
    Bytes out(ZSTD_compressBound(plain.size()));
    const std::size_t length = ZSTD_compress2(c, out.data(), out.size(), plain.data(), plain.size());
    CHECK(!ZSTD_isError(length));
    out.resize(length);
    return out;
}

Result<Bytes> zstd_decompress(ByteView stored, std::uint64_t original_length) {
    if (!unpacker) unpacker.reset(ZSTD_createDCtx());
    ZSTD_DCtx* d = unpacker.get();
    CHECK(d != nullptr);
    ZSTD_DCtx_reset(d, ZSTD_reset_session_and_parameters);
    ZSTD_DCtx_setParameter(d, ZSTD_d_format, ZSTD_f_zstd1_magicless);
    Bytes out(static_cast<std::size_t>(original_length));
    const std::size_t length = ZSTD_decompressDCtx(d, out.data(), out.size(), stored.data(), stored.size());
    if (ZSTD_isError(length) || length != original_length) return Error(Code::corrupt, "compressed bytes are wrong");
    return out;
}

}  // namespace kustos
