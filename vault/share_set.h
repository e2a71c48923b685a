// A set of shares as a slot knows it, and the desk at which its holders come one after another.
//
// For each share the slot keeps a hash, so that a wrong one is known when it is given, and not only when nothing opens.
// A share has 256 random bits: its hash says nothing that could be guessed. Sets that were replaced are remembered by
// number and date, so that a holder of an old sheet is told what it is.
//
// Threads: one at a time.
#pragma once

#include <optional>
#include <vector>

#include "base/crypto.h"
#include "base/time.h"
#include "vault/shares.h"

namespace kustos::vault {

struct ShareSetInfo {
    struct Old {
        std::uint32_t set = 0;
        UtcTime replaced;
    };
    std::uint32_t set = 0;
    unsigned threshold = 0;
    std::vector<Hash> checks;  // of share 1, 2, ...
    std::vector<Old> old;      // newest first, at most kMostOldSets
    unsigned count() const { return static_cast<unsigned>(checks.size()); }
};
inline constexpr std::size_t kMostOldSets = 8;

Bytes encode(const ShareSetInfo& info);
Result<ShareSetInfo> decode_share_set(ByteView bytes);
Hash share_check(const VaultId& vault, const Share& share);
std::string set_name(std::uint32_t set);  // as it stands on the sheets: six hex digits

struct ShareAnswer {
    enum class Kind {
        good,
        slip,         // see slip
        twice,        // this number was given already
        old_set,      // of a set that was replaced; see replaced
        other_set,    // of another archive, or made up
        not_genuine,  // says it is of this set, and is none of its shares
    };
    Kind kind = Kind::slip;
    unsigned number = 0;  // that the share bears; 0: not readable
    std::uint32_t set = 0;
    ShareSlip slip;
    std::optional<UtcTime> replaced;
};
// One sentence without a line end, for messages: "share 2 is of the set 12ab34, which was replaced on 2026-03-02".
std::string share_answer_text(const ShareAnswer& answer, bool german);

class ShareDesk {
public:
    ShareDesk(const VaultId& vault, ShareSetInfo info) : vault_(vault), info_(std::move(info)) {}
    ShareAnswer give(ByteView text);
    unsigned have() const { return static_cast<unsigned>(shares_.size()); }
    unsigned need() const { return info_.threshold; }
    bool enough() const { return have() >= need(); }
    std::vector<unsigned> numbers() const;   // ascending
    Result<SecretBytes> secret() const;      // Code::usage: shares are missing
    std::vector<SecretBytes> texts() const;  // of the good ones
    const ShareSetInfo& info() const { return info_; }

private:
    VaultId vault_;
    ShareSetInfo info_;
    std::vector<Share> shares_;
};

}  // namespace kustos::vault
