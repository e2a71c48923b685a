// Blobs that are too large to be held: sealed and opened in constant memory (docs/format/payload.md). What comes out is
// what seal_blob() and open_payload() make and read; zstd may cut its blocks elsewhere.
//
// Sealing takes two passes over the content, because the header (AAD of every chunk) holds the commitments: the first
// makes those and the ciphertext's length, the second encrypts. Opening takes one: each piece is given when the tag of
// its chunk is right, so it is what was sealed under this header; but only an ok in the end says that all of it came,
// and that it is what the header commits to. A consumer must not act on pieces as final before: a file gets its name
// after.
//
// Errors: environment (disk), corrupt, limit. Threads: one each.
#pragma once

#include <array>
#include <functional>
#include <memory>

#include "audit/entry.h"
#include "base/spool.h"

namespace kustos::vault {

inline constexpr std::uint64_t kMaxBlobContent = 64ull << 30;  // bytes

class BlobSealer {
public:
    // The first pass. header: as for seal_blob(). content: of a finished spool. Code::limit: kMaxBlobContent.
    static Result<BlobSealer> plan(const VaultId& vault, ByteView leaf_dek, audit::EntryHeader header,
                                   const SpoolPart& content, const std::array<std::uint8_t, 32>& b);
    BlobSealer(BlobSealer&&) noexcept;
    ~BlobSealer();
    std::uint64_t ciphertext_length() const;
    // The second pass: the whole ciphertext in pieces, then the finished header.
    Result<audit::EntryHeader> seal(const ByteSink& ciphertext);

private:
    struct State;
    explicit BlobSealer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// All of [at, at + out.size()) of the ciphertext, which has the header's length.
using CiphertextReader = std::function<Status(std::uint64_t at, std::span<std::uint8_t> out)>;
// dek: blob_dek().
Status open_blob_stream(const VaultId& vault, ByteView dek, const audit::EntryHeader& header,
                        const CiphertextReader& ciphertext, const ByteSink& content);

}  // namespace kustos::vault
