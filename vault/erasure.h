// Forgetting: what an erasure or a disposition hands to Archive::forget(), and what comes back.
//
// The order of a run (docs/format/keys.md, "Forgetting"): entry `begun`; leaves punctured in memory; keyring generation
// n+1 and its escrow written and read back, named by an entry; e_n destroyed; entry `done`. What is begun is finished,
// after a crash at the next start. Who decides that something may be forgotten (holds, approvals, periods) stands above
// this: forget() destroys what it is told.
#pragma once

#include <string>
#include <vector>

#include "audit/entry.h"
#include "base/entry_set.h"
#include "base/time.h"
#include "vault/payload.h"

namespace kustos::vault {

enum class ForgetMethod : std::uint8_t { erasure, disposition, attachment };
std::string_view method_name(ForgetMethod method);

struct ForgetOrder {
    ForgetMethod method = ForgetMethod::erasure;
    std::vector<EntryIndex> entries;  // records and blobs; or
    std::vector<KeyTreeId> trees;     // whole trees, whatever they hold, and what they could still hold
    Composed reason;  // sealed in the entry `begun`: ground, approvers, query (vault/payload.h, compose_erasure)
};

struct Forgotten {
    std::array<std::uint8_t, 16> erasure{};
    EntryIndex begun, done;
    std::uint32_t generation = 0;  // in which the keys are no more
    std::uint64_t count = 0;       // records and blobs
    std::string medium;            // of e_n: "file", "tpm", "pkcs11"; a file is best effort
};

// How far a run has come (sealing.md, "States on an erasure's certificate").
enum class ErasureState : std::uint8_t { begun, unreadable, terms_gone, ciphertext_gone, final_ };
std::string_view state_name(ErasureState state);

struct ErasureInfo {
    std::array<std::uint8_t, 16> erasure{};
    ForgetMethod method = ForgetMethod::erasure;
    EntryIndex begun;  // part 0
    std::optional<EntryIndex> done;
    UtcTime begun_at, done_at;
    std::uint32_t generation = 0;
    std::uint64_t count = 0;
    std::optional<EntryIndex> terms, ciphertext, final_entry;  // the entries that say so
    ErasureState state() const;
};

}  // namespace kustos::vault
