// zstd frames without magic, content size, checksum and dictionary id (the lengths are ours: docs/format/payload.md).
#pragma once

#include <functional>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"

namespace kustos {

// What both sides know beforehand. Made once, used by any thread; outlives every use.
class ZstdDictionary {
public:
    // file: as `zstd --train` and ZDICT_finalizeDictionary() make it (CHECKed); outlives this. level: of what is
    // packed.
    ZstdDictionary(ByteView file, int level);
    ~ZstdDictionary();
    ZstdDictionary(const ZstdDictionary&) = delete;
    ZstdDictionary& operator=(const ZstdDictionary&) = delete;
    struct State;
    const State& state() const { return *state_; }

private:
    std::unique_ptr<State> state_;
};

Bytes zstd_compress(ByteView plain, int level);
// Behind what is in `out` already, without a copy. true: appended; false: it would not be smaller than `plain`, and out
// is as it was. With a dictionary its level counts.
bool zstd_append(ByteView plain, int level, Bytes& out, const ZstdDictionary* dictionary = nullptr);
// Exactly original_length bytes, else Code::corrupt. Checked against limits by the caller before the call: this
// allocates original_length.
Result<Bytes> zstd_decompress(ByteView stored, std::uint64_t original_length,
                              const ZstdDictionary* dictionary = nullptr);

// The same frames in constant memory (some megabytes), for what is too large to be held. The same input in the same
// pieces gives the same bytes. Threads: one each.
class ZstdWriter {
public:
    explicit ZstdWriter(int level);
    ~ZstdWriter();
    void write(ByteView plain, Bytes& out);  // appends what is ready
    void finish(Bytes& out);                 // the rest; no write() after it

private:
    struct State;
    std::unique_ptr<State> state_;
};

class ZstdReader {
public:
    ZstdReader();
    ~ZstdReader();
    // Gives pieces of at most 128 KiB. Code::corrupt: no frame, more behind its end, or a window above 8 MiB.
    Status write(ByteView stored, const std::function<Status(ByteView)>& plain);
    bool finished() const;  // the frame's end was there

private:
    struct State;
    std::unique_ptr<State> state_;
};

// zstd's buffers hold pieces of what this thread has packed or unpacked last: gives them back (to be made anew).
void zstd_forget() noexcept;

}  // namespace kustos
