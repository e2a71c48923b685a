// A large thing on its way: written once, from front to back, then read anywhere. It lies encrypted in a file without a
// name, under a random key that exists in this object alone: nothing of it can be read once the process has ended, and
// nothing is left behind (the file goes when its last descriptor does).
//
// AES-256-GCM in chunks of 64 KiB, the chunk's number as nonce: a disk that changes it is noticed (Code::corrupt).
// Durability: none, on purpose. Memory: one chunk for each object and each reader. Errors: environment (disk).
// Threads: writing one; after finish() any number may read.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/bytes.h"
#include "base/fs.h"
#include "base/ids.h"
#include "base/random.h"

namespace kustos {

using ByteSink = std::function<Status(ByteView)>;  // takes one piece after the other; an error ends the giving

class Spool {
public:
    // In a folder on the disk that has room for it.
    static Result<std::shared_ptr<Spool>> create(const Path& folder, Random& random);
    ~Spool();
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;

    Status write(ByteView piece);
    // Size and SHA-256 of what was written since the last call: one spool holds many contents, one after the other.
    struct Sum {
        std::uint64_t offset = 0, size = 0;
        Hash sha256;
    };
    Sum end_part();
    Status finish();  // no write() after it, no read before it (CHECKed)
    std::uint64_t size() const;
    // All of [offset, offset + out.size()), which must lie inside (CHECKed).
    Status read(std::uint64_t offset, std::span<std::uint8_t> out) const;

private:
    struct State;
    explicit Spool(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// One content in a spool. Empty (false): none.
struct SpoolPart {
    std::shared_ptr<const Spool> spool;
    std::uint64_t offset = 0, size = 0;
    Hash sha256;
    explicit operator bool() const { return spool != nullptr; }
    Status read(std::uint64_t at, std::span<std::uint8_t> out) const;  // inside the part (CHECKed)
    Status read_all(const ByteSink& sink) const;                       // in pieces of at most 64 KiB
};
SpoolPart end_part(const std::shared_ptr<Spool>& spool);  // may be read once the spool is finished

}  // namespace kustos
