// Who decides, beside an opener apart, whether something may be opened. It believes the ledger alone: `ledger` is what
// the opener has followed itself. Rules of grants and signed approvals come in as another implementation of this.
//
// Errors: denied, limit; the text says why. Threads: one at a time.
#pragma once

#include <span>

#include "audit/erasures.h"
#include "vault/catalog.h"
#include "vault/purpose.h"

namespace kustos::vault {

class GrantVerifier {
public:
    virtual ~GrantVerifier() = default;
    // Records by number; none yet: a query is to be run.
    virtual Status allow(const Purpose& purpose, std::span<const EntryIndex> ids, const Catalog& ledger) = 0;
    // What is sealed in a control or access entry.
    virtual Status allow_trail(const Purpose& purpose, const audit::EntryHeader& header, const Catalog& ledger) = 0;
    // Keys are destroyed because the ledger says so.
    virtual Status allow_forgetting(const audit::ErasureRun& run, const Catalog& ledger) = 0;
};

// The matter exists and is open; somebody asks; the list is not too long; reading the trail has a ground.
class LedgerGrants final : public GrantVerifier {
public:
    explicit LedgerGrants(std::size_t most_records) : most_records_(most_records) {}
    Status allow(const Purpose& purpose, std::span<const EntryIndex> ids, const Catalog& ledger) override;
    Status allow_trail(const Purpose& purpose, const audit::EntryHeader& header, const Catalog& ledger) override;
    Status allow_forgetting(const audit::ErasureRun&, const Catalog&) override { return {}; }

private:
    std::size_t most_records_;
};

inline constexpr std::size_t kIndexBatch = 512;  // records of one access entry for the index
inline constexpr const char* kIndexActor = "kustos indexer";

}  // namespace kustos::vault
