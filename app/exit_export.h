// The whole archive for whoever leaves the product: originals, an index, the ledger with its proofs, the ciphertext,
// and the keys in the clear, so that a program of somebody else opens every record (docs/format/exit.md). Two people
// decide; an entry says so before the first key is written. Goes on where it was interrupted. Threads: one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/house.h"

namespace kustos::app {

struct ExitRequest {
    Path to;
    std::string ground;
    std::vector<std::string> approvers;  // at least two, different people
    std::string actor;
    SecretBytes secret;  // encode_secret(): an opener apart gives its keys to who can open it alone
    // Records whose use is restricted (DSGVO Art. 18): they leave, too, and the index names them. Empty: none.
    std::function<bool(EntryIndex)> restricted;
};
struct ExitReport {
    EntryIndex entry;  // exit_exported
    TreeSize size;
    std::uint64_t records = 0, erased = 0, unreadable = 0, attachments = 0, trees = 0, bytes = 0;
};

// Code::denied: not two people. Code::closed. Code::conflict: the folder holds something else. Code::interrupted: the
// same command goes on.
Result<ExitReport> exit_export(House& house, const ExitRequest& request);
// secret: what opens the vault, as it was brought; null: nothing.
Result<int> exit_export(House& house, const Call& call, const std::string& actor, const vault::UnlockSecret* secret,
                        Streams streams);

}  // namespace kustos::app
