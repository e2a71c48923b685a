// The ledger as somebody sees it who does not trust its files: the opener apart. It follows the signed checkpoint, adds
// every leaf up itself, and compares with the signed root; what it has seen once it never unsees, across restarts
// (docs/format/opener-protocol.md, "State").
//
// Errors of follow(): rolled_back (an older ledger), conflict (another history, another key), corrupt (leaves that do
// not add up), environment. Nothing of a step that failed counts: the next one begins where the disk's memory ends.
// Threads: the owner locks.
#pragma once

#include <memory>
#include <optional>

#include "audit/key_history.h"
#include "audit/ledger.h"
#include "audit/merkle.h"
#include "base/environment.h"
#include "vault/catalog.h"

namespace kustos::vault {

struct SeenLedger {
    VaultId vault;
    audit::TreeHead head;         // of the largest checkpoint that was followed
    audit::CompactRange catalog;  // of the entries that catalog.db is made of
};
Bytes encode(const SeenLedger& seen);
Result<SeenLedger> decode_seen(ByteView bytes);  // Code::corrupt

class LedgerView {
public:
    // key: the verifier key of the ledger as it is called today; absent: the one of an earlier start, else the one that
    // entry 0 names.
    static Result<std::unique_ptr<LedgerView>> open(Environment environment, const Path& archive, const Path& state,
                                                    const std::optional<audit::VerifierKey>& key);

    // Takes in what was added since.
    Status follow();
    // What was followed is remembered, durable when it returns.
    Status remember();
    // remember(), and the catalog: the next start goes on from here.
    Status flush();

    const VaultId& vault() const { return vault_; }
    const audit::VerifierKey& key() const { return key_; }
    const audit::TreeHead& head() const { return head_; }
    const Catalog& catalog() const { return *catalog_; }
    // Proven under head().
    Result<audit::Entry> entry(EntryIndex index) const;
    // As the file has it: to find frames with.
    Result<audit::EntryHeader> unproven_header(EntryIndex index) const { return reader_->header(index); }

private:
    LedgerView(Environment environment, Path archive, Path state)
        : environment_(environment), archive_(std::move(archive)), state_(std::move(state)) {}
    Status trust(const std::optional<audit::VerifierKey>& key);
    Status read_history();
    Status load();
    Status start_over();
    Result<SecretBytes> catalog_key() const;
    Status open_catalog();
    Result<audit::Checkpoint> checkpoint();
    Status take(EntryIndex index, ByteView bytes);
    Status follow_to(const audit::Checkpoint& checkpoint);

    Environment environment_;
    Path archive_, state_;
    VaultId vault_;
    audit::VerifierKey key_;
    std::optional<audit::KeyHistory> history_;
    std::unique_ptr<audit::LedgerReader> reader_;
    std::optional<Catalog> catalog_;
    audit::CompactRange range_;    // of all that was followed
    audit::CompactRange flushed_;  // as the catalog on the disk
    audit::TreeHead head_, seen_;  // seen_: of an earlier start; passed on the way
    audit::TreeHead remembered_;   // as on the disk
    bool dirty_ = false;           // a step failed
};

}  // namespace kustos::vault
