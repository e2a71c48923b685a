// An archive from its backup and its escrow, onto an empty place (docs/operations.md, "Restoring").
// Threads: one; nobody else has the places.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/call.h"
#include "app/commands.h"
#include "audit/report.h"
#include "base/environment.h"
#include "base/secret.h"
#include "base/time.h"

namespace kustos::app {

struct RestoreRequest {
    Path from;            // the backup
    Path escrow;          // the medium; empty: the content stays closed
    Path archive, state;  // where to; state: as --state
    std::optional<SecretBytes> passphrase;
    bool go_on = false;  // also where a signer's memory is newer than the backup
    bool drill = false;  // the escrow is only read; keys and the signer's store go where the environment's disk says
    std::uint64_t sample = 64;  // records that are opened, if a key holder is there
};

struct RestoredSource {
    std::string name, kind;
    std::uint64_t records = 0;
};

struct RestoreReport {
    UtcTime backed_up;
    std::uint64_t entries = 0, records = 0, erased = 0;
    std::uint32_t ledger_generation = 0, key_generation = 0;    // 0: no keys were restored
    std::uint64_t erased_again = 0;                             // that the backup still knew
    std::uint64_t opened = 0, not_opened = 0, passed_over = 0;  // of the sample; the last: erased
    bool vault_open = false;
    bool continued = false;  // under a new name
    bool waiting = false;    // a signer's memory is newer: kustos continue --yes
    std::string origin, fingerprint;
    std::uint64_t remembered = 0;  // entries that a signer, a time stamp or a witness knows of; 0: nobody
    std::vector<RestoredSource> sources;
    audit::Report verification;
    bool ok() const { return verification.ok && not_opened == 0; }
    std::string to_json() const;
    std::string to_text(Language language) const;
};

// One file that was lost or damaged, into an archive that nobody has open: keys from the escrow, all else from the
// backup. `name`: as the archive directory has it.
Status restore_file(Environment environment, const RestoreRequest& request, const std::string& name);
Result<RestoreReport> restore_archive(Environment environment, const RestoreRequest& request);

}  // namespace kustos::app
