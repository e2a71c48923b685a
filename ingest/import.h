// Import: everything at some paths, in one format, into the archive, through a port that app/ wires to vault::Archive.
//
// Idempotent: each message has a duplicate identity (dedupe_identity), and the port answers `duplicate` for what it
// already holds; so an interrupted import is resumed by running it again. Durability: a message counts only after the
// port's seal() has returned. Threads: one import reads in the caller's and seals in another, a batch at a time; it
// stops at the next message when interrupt_requested() (result.interrupted).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "ingest/format.h"

namespace kustos::ingest {

struct PortItem {
    vault::Message message;
    Bytes dedupe_identity;  // unique within a source; the vault stores only a keyed MAC of it
};

enum class Outcome : std::uint8_t { sealed, duplicate, left_out };  // left_out: by the capture profile

class SealPort {
public:
    virtual ~SealPort() = default;
    // All or an error; one outcome per item, in order. Durable when it returns.
    virtual Result<std::vector<Outcome>> seal(std::vector<PortItem> items) = 0;
};

// mail: Message-ID and SHA-256(raw), so that two different mails with one Message-ID are both kept.
// else: native id, kind and update type; without a native id SHA-256(raw).
Bytes dedupe_identity(const vault::Message& message, std::string_view update_type);

struct ImportOptions {
    ReadContext context;
    const FormatInfo* format = nullptr;  // nullptr: detected
    std::size_t batch_messages = 1024;   // a batch ends at whichever comes first; the first ones are smaller
    std::uint64_t batch_bytes = 8ull << 20;
    bool progress = true;  // on standard error, where it is a terminal
};

// What came of one folder of an export: for moving from another archive, where every folder must add up.
struct FolderCount {
    std::uint64_t promised = 0;  // mails that the export says it has, or files that it holds
    std::uint64_t sealed = 0, duplicates = 0, left_out = 0;  // envelopes are not counted
    std::uint64_t quarantined = 0;                           // of sealed
    std::uint64_t missing() const {
        const std::uint64_t came = sealed + duplicates + left_out;
        return came < promised ? promised - came : 0;
    }
};

struct ImportResult {
    std::uint64_t messages = 0;     // sealed now, quarantined ones included
    std::uint64_t attachments = 0;  // of these
    std::uint64_t duplicates = 0;   // sealed earlier
    std::uint64_t quarantined = 0;  // of messages: sealed as they came
    std::uint64_t left_out = 0;     // by the source's capture profile
    Findings findings;
    std::map<std::string, FolderCount> folders;  // only of formats that promise something; by the export's own names
    std::uint64_t bytes = 0;                     // of input read
    double seconds = 0;
    bool interrupted = false;  // run it again to go on
};

// Errors: of the port (read_only, closed, environment, ...) and of the disk. What was sealed before stays sealed, and
// `so_far`, if given, holds the counts.
Result<ImportResult> run_import(SealPort& port, const Clock& clock, const std::vector<Path>& paths,
                                const ImportOptions& options, ImportResult* so_far = nullptr);

// {"messages":..,"attachments":..,"duplicates":..,"quarantined":..,"left_out":..,"findings":[{"code":..,"count":..}],
//  "folders":[{"folder":..,"promised":..,"sealed":..,"duplicates":..,"left_out":..,"quarantined":..}],"bytes":..,"seconds":..,
//  "interrupted":..}
std::string to_json(const ImportResult& result);

}  // namespace kustos::ingest
