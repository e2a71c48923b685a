// Who holds the root key, the keyring and what was opened with it: in this process (LocalKeys over a Keyholder), or in
// one of its own that hands keys out under access entries alone (opener_client.h; docs/architecture/opener.md).
//
// Archive drives it; Opener (opener.h) asks it for grants. Errors: closed (nobody has unlocked it, or the opener is
// away), denied (not to be had from an opener apart), erased, corrupt, overloaded. Threads: safe from any thread.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/entry_set.h"
#include "base/secret.h"
#include "vault/catalog.h"
#include "vault/epoch.h"
#include "vault/key_tree.h"
#include "vault/opener_orders.h"
#include "vault/payload.h"
#include "vault/purpose.h"
#include "vault/unlock.h"

namespace kustos::vault {

// What a new generation of the keyring leaves out, and the boxes that it adopts. An opener apart takes dropped_shards
// from it and reads the rest from the ledger.
struct GenerationPlan {
    std::map<KeyTreeId, std::vector<KeyCover::Leaves>> punctured;  // ascending, apart
    std::vector<TreeInfo> trees;                                   // all that the ledger knows
    std::vector<ShardInfo> shards;                                 // likewise
    std::set<std::uint32_t> dropped_shards;
    const EpochOrder* move_to = nullptr;  // where the new generation's e is to lie; null: where the present one's does
};
struct NextGeneration {
    std::uint32_t generation = 0;
    Bytes intake_key;
    Hash keyring_hash;
    std::string medium = {};  // where its e lies; empty: as the present one's
};

// Has the access entry appended with exactly this body and payload, and the ledger's files settled. Its place.
using AppendAccess = std::function<Result<EntryIndex>(Bytes body, Payload content)>;

// The same for a control entry; without content nothing is sealed in it. After it the ledger's files are settled, too.
using AppendControl = std::function<Result<EntryIndex>(Bytes body, std::optional<Payload> content)>;

// What an access entry lists, and no more. Ends with the object. Threads: one at a time.
class KeyGrant {
public:
    virtual ~KeyGrant() = default;
    virtual EntryIndex access_entry() const = 0;
    // Of a record on the list. Code::denied: it is not.
    virtual Result<SecretBytes> dek(EntryIndex record) = 0;
    // Of a blob that this record refers to.
    virtual Result<SecretBytes> blob_dek(EntryIndex record, const BlobRef& blob) = 0;
};

struct SearchAsk {
    Purpose purpose;  // action search or export; total and result set are filled in by who answers
    bool by_relevance = false;
    bool german = false;
    std::uint64_t offset = 0, limit = 0;  // of the page that is listed, and opened
    std::optional<EntrySet> within;       // of these alone
    bool whole = false;                   // the numbers of all are wanted, too; none of them is opened for it
};
struct SearchReply {
    std::uint64_t total = 0;
    std::vector<EntryIndex> listed;
    Hash result_set;
    // sealed, searchable, partial, opaque, deferred, failed, erased
    std::array<std::uint64_t, 7> coverage{};
    Unsearched unsearched;  // within the question
    EntryIndex index_end;   // one past the newest record in the index
    EntrySet all;           // where they were wanted
};

class Keyholder;

class KeyService {
public:
    virtual ~KeyService() = default;
    virtual bool apart() const = 0;
    virtual Keyholder* local() { return nullptr; }  // the keys themselves, where they are in this process
    virtual void work_for(const VaultId&) {}        // an opener of another vault counts as away
    virtual bool is_open() const = 0;
    virtual std::string state() const = 0;  // "open (auto)", "open (passphrase)", "closed", "closed (opener away)"
    virtual std::uint32_t generation() const = 0;
    virtual std::string medium() const = 0;                 // of e_n
    virtual std::string method() const = 0;                 // what stands in the brackets; empty: closed
    virtual Status unlock(const UnlockSecret& secret) = 0;  // Code::usage of an opener apart: open_noted()
    virtual void lock() = 0;
    // For the sealer to go on with: what lies ahead of the tree's used leaves.
    virtual Result<KeyCover> ahead(const TreeInfo& tree) const = 0;

    // Keys one by one, for who holds them in this process. An opener apart gives the keys of matters' own entries
    // alone.
    virtual Result<SecretBytes> dek(EntryIndex index, const audit::EntryHeader& header) const = 0;
    virtual Result<SecretBytes> shard_key(std::uint32_t shard) const = 0;

    // --- a new generation (erasure runs). prepare: all of it is on the disk, and counts for nothing before adopt(),
    // which comes after the entry generation_opened. Each may be called again.
    virtual void puncture(KeyTreeId tree, const std::vector<KeyCover::Leaves>& leaves) = 0;  // in memory, at once
    virtual Result<NextGeneration> prepare(const GenerationPlan& plan) = 0;
    // Whether what a run needs is there (a TPM, a token): asked before one is begun. An opener apart says it by closed.
    virtual Status ready() const { return {}; }
    virtual Status adopt() = 0;
    virtual Status destroy_before(std::uint32_t generation) = 0;  // every generation below; needs no key
    virtual Status remove_noise() = 0;                            // files that no root page names. Code::closed

    // --- of an opener apart; Code::usage from the others, whose Opener does all this itself ---
    virtual Result<std::unique_ptr<KeyGrant>> begin(const Purpose& purpose, const std::vector<EntryIndex>& ids,
                                                    const AppendAccess& append);
    virtual Result<std::pair<std::unique_ptr<KeyGrant>, SearchReply>> search(const SearchAsk& ask,
                                                                             const AppendAccess& append);
    // Whether what is sealed in a record is what its entry commits to; nothing of it is handed out.
    virtual Status check(EntryIndex record);
    virtual Result<EntrySet> accounted();       // entries that the index accounts for
    virtual Result<std::string> status_json();  // of the process, for people and monitoring
    // The entry first, then the vault is open. seconds: 0: no limit. actor: who brought the secret.
    virtual Status open_noted(const UnlockSecret& secret, std::uint32_t seconds, const std::string& actor,
                              const AppendControl& append);
    // The entry first, then it is closed. Nothing to close: ok. After an error it may be open: lock().
    virtual Status close_noted(const std::string& actor, std::string_view why, const AppendControl& append);
    // A closing that could not wait for its entry (the time was over, the opener had ended) gets it now.
    virtual Status settle_owed(const AppendControl& append);
    // Shares are handed out before the entry; the slots are replaced behind it.
    virtual Status rekey(const RekeyOrder& order, const std::function<Status(const std::vector<Share>&)>& hand_out,
                         const AppendControl& append);
    // Behind the entry exit_exported, dek() and surviving() answer for these trees, until this object ends.
    virtual Status give_away(const LeaveOrder& order, const std::vector<KeyTreeId>& trees, const AppendControl& append);
    // Takes words out of closed index shards, where their keys are. store: the box, then the entry that names it.
    virtual Result<RewriteDone> rewrite(const RewriteOrder& order,
                                        const std::function<Result<EntryIndex>(const ShardWanted&)>& store);
    virtual Result<std::vector<std::uint32_t>> living_shards();  // whose keys can be had
    virtual std::unique_ptr<EscrowTarget> escrow_apart();  // written by the opener, on a medium that it alone can write

    // What survives of a tree (KeyCover::encode). Code::closed, Code::erased.
    virtual Result<SecretBytes> surviving(KeyTreeId tree) const = 0;
};

}  // namespace kustos::vault
