// What is asked of an opener apart beside openings (docs/format/opener-protocol.md, "Orders"): new slots, the whole
// archive with its keys, the escrow, taking words out of the index. decode takes foreign bytes: Code::bad_input for
// everything that is not the one encoding. Threads: pure.
#pragma once

#include <string>
#include <vector>

#include "base/entry_set.h"
#include "vault/escrow.h"
#include "vault/slots.h"

namespace kustos::vault {

// Slots are changed by who opens the vault anew, whether it is open or not.
struct RekeyOrder {
    SecretBytes secret;  // encode_secret()
    std::string actor;
    std::vector<SlotOrder> add;
    std::vector<SlotKind> remove;
};
SecretBytes encode(const RekeyOrder& order);
Result<RekeyOrder> decode_rekey_order(ByteView bytes);

// New shares, for their holders; the draft of the entry is in front of them.
SecretBytes encode(const std::vector<Share>& shares);
Result<std::vector<Share>> decode_shares(ByteView bytes);

struct LeaveOrder {
    SecretBytes secret;  // encode_secret(): the vault is opened anew, whether it is open or not
    std::string actor, ground;
    std::vector<std::string> approvers;
    std::uint64_t size = 0;  // of the ledger that goes along
};
SecretBytes encode(const LeaveOrder& order);
Result<LeaveOrder> decode_leave_order(ByteView bytes);
// Names that are the same but for case and spaces are one person. Code::denied: fewer than two.
Status two_people(const std::vector<std::string>& approvers);

struct EscrowOrder {
    enum class Kind : std::uint8_t { reachable = 1, store, refresh, list, remove_superseded };
    Kind kind = Kind::reachable;
    bool first = false;            // reachable, store
    std::uint32_t generation = 0;  // store
    UtcTime time;                  // remove_superseded
};
SecretBytes encode(const EscrowOrder& order);
Result<EscrowOrder> decode_escrow_order(ByteView bytes);
Bytes encode(const std::vector<EscrowedGeneration>& list);  // without the names of pages
Result<std::vector<EscrowedGeneration>> decode_escrow_list(ByteView bytes);

struct RewriteOrder {
    EntrySet reindex;  // search::RewriteOptions
    bool merge = true;
};
SecretBytes encode(const RewriteOrder& order);
Result<RewriteOrder> decode_rewrite_order(ByteView bytes);

// A term key that the opener wants to have: the box is stored, then named by a control entry with this body.
struct ShardWanted {
    std::uint32_t shard = 0;
    Bytes box;   // the file (vault/boxes.h)
    Bytes body;  // shard_opened
};
struct RewriteDone {
    std::uint64_t looked_at = 0, rewritten = 0, joined = 0, written = 0, documents_dropped = 0, words_dropped = 0;
    std::vector<std::uint32_t> gone;
    bool operator==(const RewriteDone&) const = default;
};
struct RewriteStep {
    std::optional<ShardWanted> wanted;  // else it is done
    RewriteDone done;
};
Bytes encode(const RewriteStep& step);
Result<RewriteStep> decode_rewrite_step(ByteView bytes);

}  // namespace kustos::vault
