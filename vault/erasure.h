// Forgetting: what an erasure or a disposition hands to Archive::forget(), and what comes back.
//
// The order of a run (docs/format/keys.md, "Forgetting"): entry `begun`; leaves punctured in memory; keyring generation
// n+1 and its escrow written and read back, named by an entry; e_n destroyed; entry `done`. What is begun is finished,
// after a crash at the next start. Who decides that something may be forgotten (holds, approvals, periods) stands above
// this: forget() destroys what it is told.
#pragma once

#include <string>
#include <vector>

#include "audit/erasures.h"
#include "base/entry_set.h"
#include "base/time.h"
#include "vault/payload.h"

namespace kustos::vault {

enum class ForgetMethod : std::uint8_t { erasure, disposition, attachment };
std::string_view method_name(ForgetMethod method);  // as the entry has it

inline constexpr std::size_t kMostAffected = 1'000;  // of one order

struct ForgetOrder {
    ForgetMethod method = ForgetMethod::erasure;
    // Records, which take their blobs with them, and single blobs; any order; what is erased already is passed over;
    std::vector<EntryIndex> entries;  // and
    std::vector<KeyTreeId> trees;     // whole trees, whatever they hold
    // Method attachment: records that stay, but lose an attachment; at most kMostAffected.
    std::vector<EntryIndex> affected;
    bool without_escrow = false;      // although one is configured and its medium is away; the entry says so
    Composed reason;  // sealed in the entry `begun`: compose_reason()
};

// Why something is forgotten, and who says so: for the payload of an entry in class 4.
struct Reason {
    std::string ground;                  // legal basis
    std::string actor;                   // who asked for it
    std::vector<std::string> approvers;  // sealed as actors 1, 2, ...
    std::string query;                   // or how the records were named
};
Composed compose_reason(const Reason& reason);

struct Forgotten {
    audit::ErasureId erasure{};
    EntryIndex begun, done;
    std::uint32_t generation = 0;  // in which the keys are no more
    std::uint64_t count = 0;       // records and blobs
    std::string medium;            // of e_n: "file" (best effort), "tpm", "pkcs11"
};

}  // namespace kustos::vault
