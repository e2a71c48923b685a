// A sample of an archive, drawn by an auditor's nonce, so that who runs the archive could not know what would be asked
// for: entry k is SHA-256(root || nonce || u64 k) mod size, with what was drawn before passed over.
//
// verify_drawn() checks each without keys: entry, proof to the signed checkpoint, ciphertext. Whether plaintext matches
// the commitments needs an open vault (kustos audit sample), and is asked for the same entries: both draw alike.
//
// Choose the nonce after the checkpoint is fixed (published, witnessed), never before. Threads: any.
#pragma once

#include <vector>

#include "audit/verify_archive.h"

namespace kustos::audit {

inline constexpr std::size_t kMaxNonce = 64;  // bytes
inline constexpr std::uint64_t kMostDrawn = 1'000'000;

// Distinct entries, in the order in which they are drawn; all of them if there are no more than `count`. `fits` may
// refuse an entry (of another kind, erased): then the next one is drawn in its place. Ends also when as many as 64
// times `count`, and the ledger's size at least, were drawn in vain.
class Draw {
public:
    Draw(const Hash& root, TreeSize size, ByteView nonce);
    EntryIndex next();  // may come again

private:
    Bytes seed_;
    std::uint64_t size_, counter_ = 0;
};
Result<std::vector<EntryIndex>> draw_entries(const Hash& root, TreeSize size, ByteView nonce, std::uint64_t count,
                                             const std::function<Result<bool>(EntryIndex)>& fits = {});

// mode "sampled". Checks the signed checkpoint and the drawn entries, nothing else; the report says so.
Report verify_drawn(Fs& fs, const Path& dir, ByteView nonce, std::uint64_t count, const std::optional<Trust>& trust);

}  // namespace kustos::audit
