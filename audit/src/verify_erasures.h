// What a verification of an archive makes of erasures: entries that are malformed, ciphertext that is missing and may
// not be, or is there and must not be. Frames come before the entries that speak of them, so the judgement falls at the
// end of the walk. Private to the verifier.
//
// Memory: up to four bits for each sealed entry. Threads: one.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "audit/erasures.h"
#include "audit/ledger.h"
#include "audit/report.h"
#include "audit/verify_archive.h"
#include "base/entry_set.h"

namespace kustos::audit {

class ErasureJudge {
public:
    ErasureJudge(Fs& fs, const Path& dir, Report& report) : fs_(fs), dir_(dir), report_(report) {}

    // size: of the ledger. from: where the walk begins.
    void begin(TreeSize size, std::uint64_t from);
    // What an earlier verification knew of the entries before: they are read again, and proven to be under its root.
    // False: they are not.
    bool go_on_from(const VerifiedState& state);

    void take_entry(EntryIndex index, const EntryHeader& header);
    void take_erasure(EntryIndex index, const Entry& entry);  // and generation_opened
    void frame_gone(const EntryHeader& header) { gone_.add(header.tree, header.leaf); }
    void frame_unseen(const EntryHeader& header) { unseen_.add(header.tree, header.leaf); }

    // Behind the walk, or where it ended.
    void judge(const std::vector<EntryIndex>& segments);
    // generation: the newest that an entry opened, if any.
    void judge_keys(const std::optional<std::uint32_t>& generation);
    void tell();

    const Erasures& erasures() const { return *erasures_; }
    // For a state that begins at `resume`; false: what is gone and not explained yet is too much for it.
    bool put_into(VerifiedState& state, std::uint64_t resume, bool interrupted) const;
    std::optional<std::pair<std::uint32_t, Hash>> generation_before() const { return generation_before_; }

private:
    bool learn(const LedgerReader& reader, EntryIndex index, const VerifiedState& state);
    std::string frame_name(EntryIndex index, const EntryHeader& header, const std::vector<EntryIndex>& segments) const;

    Fs& fs_;
    Path dir_;
    Report& report_;
    TreeSize size_;
    std::uint64_t from_ = 0;
    std::unique_ptr<LedgerReader> reader_;
    std::optional<Erasures> erasures_;
    EntrySet named_;  // entries that a verification that goes on must know
    std::optional<std::pair<std::uint32_t, Hash>> generation_before_;
    LeafSet sealed_, gone_, unseen_;
};

}  // namespace kustos::audit
