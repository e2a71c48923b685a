// The escrow: what opens the content, kept on another medium than the archive and its backups (docs/format/escrow.md).
// A keyring generation there is its root page, its e_n and the pages that belong to it; beside it what unlocks the root
// key (slots, auto.key) and the key of the duplicate store.
//
//   <medium>/kustos-escrow-<vault id>/generation-<n>/{root, e, about}, pages/, slots, auto.key, duplicates.key
//
// Losing the machine without an escrow loses the content. An erasure is final once no generation before it is left
// here: remove_superseded() takes old ones away, overwritten as EpochStore does it.
//
// Durability: what store() has answered is on the medium, synced and read back. Threads: the owner locks.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/environment.h"
#include "base/ids.h"
#include "base/secret.h"
#include "base/time.h"

namespace kustos::vault {

struct EscrowedGeneration {
    std::uint32_t generation = 0;
    UtcTime stored;
    Hash root;                       // SHA-256 of its root page
    std::vector<std::string> pages;  // names of files below pages/
};
std::string format(const EscrowedGeneration& about, const VaultId& vault);
Result<EscrowedGeneration> parse_escrow_about(std::string_view text, const VaultId& vault);  // Code::bad_input

class EscrowTarget {
public:
    virtual ~EscrowTarget() = default;
    // Code::environment: the medium is not there, or it is another one; the text says so.
    // first: nothing was ever stored: the folder may be made.
    virtual Status reachable(bool first) = 0;
    // The keyring generation as it lies in the archive, and its e_n. What an interrupted try left is written over.
    virtual Status store(std::uint32_t generation, ByteView epoch32, UtcTime now, bool first) = 0;
    // Slots and the like as they are now. Nothing is written where nothing has changed.
    virtual Status refresh() = 0;
    virtual Result<std::vector<EscrowedGeneration>> generations() = 0;  // whole ones, ascending
    // Those whose successor was stored before `time`. The newest always stays.
    virtual Status remove_superseded(UtcTime time) = 0;
};

// How an archive that is opened gets at its escrow.
using EscrowMaker = std::function<std::unique_ptr<EscrowTarget>(Environment, const Path& keys_dir, const VaultId&)>;
EscrowMaker escrow_in_folder(const Path& medium);
Path escrow_folder(const Path& medium, const VaultId& vault);

// What status, certificates and people are told.
struct EscrowState {
    bool configured = false;
    std::string problem;            // why the medium can't be used now; empty: it can
    std::uint32_t present = 1;      // the generation of today
    std::uint32_t newest = 0;       // on the medium; as the ledger knows, if it is not here; 0: none
    std::uint32_t oldest = 0;       // on the medium; 0: none, or it is not here
    std::optional<UtcTime> stored;  // when the newest was stored, if the medium is here
    bool behind() const { return configured && newest < present; }
};

// Puts the newest whole generation of `medium` into keys_dir, with slots and the like; into an empty place. Code::
// not_found: nothing of this vault is there.
Result<EscrowedGeneration> restore_escrow(Environment environment, const Path& medium, const VaultId& vault,
                                          const Path& keys_dir);

// One file of keys/ ("slots", "pages/...", "generation-<n>/root"; the newest generation's alone), from the escrow.
Status restore_escrow_file(Environment environment, const Path& medium, const VaultId& vault, const Path& keys_dir,
                           const std::string& name);

}  // namespace kustos::vault
