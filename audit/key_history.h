// Rotations of the checkpoint key (docs/format/signer.md). A ledger keeps the name of its first key, the one in entry
// 0; each later key is named by a control entry key_rotated, and an inclusion proof under the key before shows that.
//
//   ledger/rotations/<number, 6 digits>.entry       the entry, header || body
//   ledger/rotations/<number, 6 digits>.tlog-proof  C2SP tlog-proof under the key before
//
// A continuation (docs/format/signer.md) begins a new ledger with a name and key of its own on what is left of the one
// before; its first entry, archive_continued, says so:
//
//   ledger/continuations/<index, 12 digits>.entry   that entry, header || body
//
// Nobody announces the new key: it is trusted because it was published, or not at all. Keys of ledgers before open
// their own checkpoints and say nothing about origin any more.
//
// Key k signs checkpoints of sizes above the proof's that made it known, up to the next proof's size. The checkpoint of
// exactly that size may be signed by either. Errors: bad_input for what does not hold. Threads: values.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/entry.h"
#include "base/fs.h"

namespace kustos::audit {

// The key that a control entry key_rotated (header || body) names. Code::bad_input: it is no such entry.
Result<VerifierKey> announced_key(ByteView entry);

struct Rotation {
    Bytes entry;
    std::string proof;
};

class KeyHistory {
public:
    explicit KeyHistory(VerifierKey first) { steps_.push_back({std::move(first), EntryIndex(0), TreeSize(0)}); }
    // The next continuation: the entry archive_continued and its place. Code::bad_input: it does not fit.
    Status add(EntryIndex index, ByteView continued);
    // The next rotation. Code::bad_input: its proof does not hold under the newest key so far.
    Status add(const Rotation& rotation);

    struct Step {
        VerifierKey key;
        EntryIndex entry;  // that names it
        TreeSize proven;   // size of the checkpoint that proves it; 0 for the first; of a continuation: where it begins
        bool continuation = false;
        Hash leaf{};  // of the entry
    };
    const std::vector<Step>& steps() const { return steps_; }
    const VerifierKey& first() const { return steps_[era_].key; }  // of the ledger as it is called today
    std::size_t era() const { return era_; }                       // the step where it begins
    const VerifierKey& newest() const { return steps_.back().key; }
    bool has(const VerifierKey& key) const;  // of the ledger as it is called today
    // Opens a checkpoint note with the key that its size asks for.
    struct Opened {
        Checkpoint checkpoint;
        VerifierKey key;
    };
    Result<Opened> open(ByteView note) const;

private:
    std::vector<Step> steps_;
    std::size_t era_ = 0;
};

struct Continued {
    EntryIndex index;
    Bytes entry;
};

inline constexpr std::uint32_t kMaxRotations = 10'000;

// In order, without gaps. Code::corrupt.
Result<std::vector<Rotation>> read_rotations(Fs& fs, const Path& ledger_dir);
Status store_rotation(Fs& fs, const Path& ledger_dir, std::uint32_t number, const Rotation& rotation);  // from 1
Result<std::vector<Continued>> read_continuations(Fs& fs, const Path& ledger_dir);  // ascending. Code::corrupt
Status store_continuation(Fs& fs, const Path& ledger_dir, const Continued& continued);
// In the order in which they happened.
Status add_all(KeyHistory& history, std::span<const Rotation> rotations, std::span<const Continued> continuations);
// The history of a ledger whose entry 0 names `first`. Code::bad_input: a rotation does not hold.
Result<KeyHistory> read_history(Fs& fs, const Path& ledger_dir, const VerifierKey& first);

}  // namespace kustos::audit
