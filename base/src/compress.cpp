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

struct FreeCDict {
    void operator()(ZSTD_CDict* d) const { ZSTD_freeCDict(d); }
};
struct FreeDDict {
    void operator()(ZSTD_DDict* d) const { ZSTD_freeDDict(d); }
};
}  // namespace

struct ZstdDictionary::State {
    std::unique_ptr<ZSTD_CDict, FreeCDict> packing;
    std::unique_ptr<ZSTD_DDict, FreeDDict> unpacking;
};

ZstdDictionary::ZstdDictionary(ByteView file, int level) : state_(std::make_unique<State>()) {
    CHECK(ZSTD_getDictID_fromDict(file.data(), file.size()) != 0);
    state_->packing.reset(ZSTD_createCDict_byReference(file.data(), file.size(), level));
    state_->unpacking.reset(ZSTD_createDDict_byReference(file.data(), file.size()));
    CHECK(state_->packing != nullptr && state_->unpacking != nullptr);
}
ZstdDictionary::~ZstdDictionary() = default;

namespace {
// Made when they are needed; making one for each call would cost more than packing 500 bytes.
thread_local std::unique_ptr<ZSTD_CCtx, FreeC> packer;
thread_local int packer_level = -1;  // that its parameters are set for
thread_local const ZstdDictionary* packer_dictionary = nullptr;
thread_local std::unique_ptr<ZSTD_DCtx, FreeD> unpacker;

void set_up(ZSTD_CCtx* c, int level) {
    CHECK(c != nullptr);
    ZSTD_CCtx_reset(c, ZSTD_reset_session_and_parameters);
    ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0);
    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 0);
    ZSTD_CCtx_setParameter(c, ZSTD_c_dictIDFlag, 0);
    ZSTD_CCtx_setParameter(c, ZSTD_c_format, ZSTD_f_zstd1_magicless);
}
}  // namespace

namespace {
// Parameters are set once for each thread: each call only starts a new session.
ZSTD_CCtx* session(int level, const ZstdDictionary* dictionary = nullptr) {
    if (!packer) {
        packer.reset(ZSTD_createCCtx());
        packer_level = -1;
    }
    ZSTD_CCtx* c = packer.get();
    if (packer_level != level) {
        set_up(c, level);  // it forgets the dictionary
        packer_level = level;
        packer_dictionary = nullptr;
    }
    ZSTD_CCtx_reset(c, ZSTD_reset_session_only);
    if (packer_dictionary != dictionary) {
        CHECK(!ZSTD_isError(ZSTD_CCtx_refCDict(c, dictionary ? dictionary->state().packing.get() : nullptr)));
        packer_dictionary = dictionary;
    }
    return c;
}
}  // namespace

void zstd_forget() noexcept {
    packer.reset();
    unpacker.reset();
}

Bytes zstd_compress(ByteView plain, int level) {
    Bytes out(ZSTD_compressBound(plain.size()));
    const std::size_t length = ZSTD_compress2(session(level), out.data(), out.size(), plain.data(), plain.size());
    CHECK(!ZSTD_isError(length));
    out.resize(length);
    return out;
}

bool zstd_append(ByteView plain, int level, Bytes& out, const ZstdDictionary* dictionary) {
    const std::size_t before = out.size();
    out.resize(before + ZSTD_compressBound(plain.size()));
    const std::size_t length = ZSTD_compress2(session(level, dictionary), out.data() + before, out.size() - before,
                                              plain.data(), plain.size());
    CHECK(!ZSTD_isError(length));
    const bool smaller = length < plain.size();
    out.resize(before + (smaller ? length : 0));
    return smaller;
}

Result<Bytes> zstd_decompress(ByteView stored, std::uint64_t original_length, const ZstdDictionary* dictionary) {
    if (!unpacker) unpacker.reset(ZSTD_createDCtx());
    ZSTD_DCtx* d = unpacker.get();
    CHECK(d != nullptr);
    ZSTD_DCtx_reset(d, ZSTD_reset_session_and_parameters);
    ZSTD_DCtx_setParameter(d, ZSTD_d_format, ZSTD_f_zstd1_magicless);
    if (dictionary != nullptr) ZSTD_DCtx_refDDict(d, dictionary->state().unpacking.get());
    Bytes out(static_cast<std::size_t>(original_length));
    const std::size_t length = ZSTD_decompressDCtx(d, out.data(), out.size(), stored.data(), stored.size());
    if (ZSTD_isError(length) || length != original_length) return Error(Code::corrupt, "compressed bytes are wrong");
    return out;
}

struct ZstdWriter::State {
    std::unique_ptr<ZSTD_CCtx, FreeC> context{ZSTD_createCCtx()};
    Bytes buffer = Bytes(ZSTD_CStreamOutSize());

    void step(ByteView plain, ZSTD_EndDirective directive, Bytes& out) {
        ZSTD_inBuffer in{plain.data(), plain.size(), 0};
        while (true) {
            ZSTD_outBuffer piece{buffer.data(), buffer.size(), 0};
            const std::size_t left = ZSTD_compressStream2(context.get(), &piece, &in, directive);
            CHECK(!ZSTD_isError(left));
            put(out, ByteView(buffer).first(piece.pos));
            if (directive == ZSTD_e_end ? left == 0 : in.pos == in.size) return;
        }
    }
};

ZstdWriter::ZstdWriter(int level) : state_(std::make_unique<State>()) {
    set_up(state_->context.get(), level);
}
ZstdWriter::~ZstdWriter() = default;

void ZstdWriter::write(ByteView plain, Bytes& out) {
    state_->step(plain, ZSTD_e_continue, out);
}

void ZstdWriter::finish(Bytes& out) {
    state_->step({}, ZSTD_e_end, out);
}

struct ZstdReader::State {
    std::unique_ptr<ZSTD_DCtx, FreeD> context{ZSTD_createDCtx()};
    Bytes buffer = Bytes(ZSTD_DStreamOutSize());
    bool finished = false;
};

ZstdReader::ZstdReader() : state_(std::make_unique<State>()) {
    constexpr int kWindowLog = 23;
    ZSTD_DCtx* d = state_->context.get();
    CHECK(d != nullptr);
    ZSTD_DCtx_setParameter(d, ZSTD_d_format, ZSTD_f_zstd1_magicless);
    ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, kWindowLog);
}
ZstdReader::~ZstdReader() = default;

bool ZstdReader::finished() const {
    return state_->finished;
}

Status ZstdReader::write(ByteView stored, const std::function<Status(ByteView)>& plain) {
    State& s = *state_;
    ZSTD_inBuffer in{stored.data(), stored.size(), 0};
    while (true) {
        if (s.finished && in.pos < in.size) return Error(Code::corrupt, "compressed bytes go on behind their end");
        if (s.finished) return {};
        ZSTD_outBuffer piece{s.buffer.data(), s.buffer.size(), 0};
        const std::size_t left = ZSTD_decompressStream(s.context.get(), &piece, &in);
        if (ZSTD_isError(left)) return Error(Code::corrupt, "compressed bytes are wrong");
        s.finished = left == 0;
        if (piece.pos != 0) TRY(plain(ByteView(s.buffer).first(piece.pos)));
        if (in.pos == in.size && piece.pos < piece.size) return {};
    }
}

}  // namespace kustos
