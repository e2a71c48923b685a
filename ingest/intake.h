// What a stream hands its messages to: the door of one source into the archive.
//
// The house stands behind it (app/): capture profile, duplicates, sealing, counts, findings, the stream's own memory.
// A stream acknowledges to its counterpart only what take() has answered. Since a counterpart sends again what was not
// acknowledged, and the archive knows what it has, everything is sealed exactly once whatever fails between.
//
// Errors of take(): Code::overloaded (nothing was taken: answer "again later"; the source is paused, the disk is nearly
// full, the indexer is behind), Code::read_only and Code::environment (likewise, for longer). Durability: what take()
// has answered, and what remember() has, is on the disk. Threads: safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/environment.h"
#include "ingest/format.h"

namespace kustos::ingest {

struct Taken {
    EntryIndex entry;  // of the record; of an earlier one where duplicate; none where dropped
    RecordId record;
    Hash leaf;
    bool duplicate = false;
    bool dropped = false;      // the capture profile leaves it out; it is counted
    bool quarantined = false;  // sealed as it came
};

// What a counterpart says it has given so far, of one part of the source (a room, a mailbox, a day's export).
struct Promise {
    std::string part;         // sealed; empty: the whole source
    std::uint64_t count = 0;  // by its own word
    std::uint64_t taken = 0;  // of these the archive has answered for: sealed, duplicate, or left out by the profile
    std::string position;     // the source's own, of the last of them; sealed
};

// Whether a record is sealed, shown anew: a published checkpoint of ours covers it, and its ciphertext and that of its
// attachments, read back from the disk, are what the ledger says.
enum class Proof : std::uint8_t {
    proven,
    not_yet,  // no published checkpoint covers it
    erased,   // its keys are destroyed: the archive has it no more
    failed    // it does not hold: nothing may rest on it
};

class Intake {
public:
    virtual ~Intake() = default;
    // Code::overloaded while take() would say so.
    virtual Status room() const = 0;
    // All or an error; one answer per item, in order.
    virtual Result<std::vector<Taken>> take(std::vector<ParsedItem> items) = 0;
    // A gap, a loss, a contradiction: an entry at once, counts only. code: a machine word ("matrix:gap"). Same code and
    // same `about` again is one finding until it is resolved; about: sealed, what it is about (a room, a position).
    virtual Status finding(std::string_view code, std::uint64_t count, std::string_view about) = 0;
    virtual Status resolve(std::string_view code, std::string_view about) = 0;  // what was missing has come
    // Less taken than promised is the finding "source:missing" by itself, until a later promise is met.
    virtual Status promise(const Promise& promise) = 0;
    // Of entries that take() has answered; one answer for each. Who takes mails out of a counterpart asks this first.
    virtual Result<std::vector<Proof>> prove(const std::vector<EntryIndex>& entries) {
        return std::vector<Proof>(entries.size(), Proof::not_yet);
    }
    // An entry, before something that is proven sealed is taken out of the counterpart: how much of it. part, what:
    // sealed (a mailbox, its mails' numbers). Nothing may be taken out where it fails.
    virtual Status clearing(std::uint64_t count, std::string_view part, std::string_view what) {
        static_cast<void>(count);
        static_cast<void>(part);
        static_cast<void>(what);
        return Error(Code::not_in_version, "this intake lets nothing be taken out");
    }
    virtual Status heard() = 0;  // the counterpart is alive; at most one entry an hour comes of it
    // The stream's own memory (a cursor, a transaction id): name and value are sealed on the disk. At most 64 KiB.
    virtual Result<std::optional<std::string>> recall(std::string_view name) = 0;
    virtual Status remember(std::string_view name, std::string_view value) = 0;
    virtual Status forget(std::string_view name) = 0;
    // Limits, sandbox and spool folder for formats. One at a time: a thread that reads with it holds its own.
    virtual Result<std::unique_ptr<Extractor>> sandbox() = 0;
    virtual Limits limits() const = 0;
    virtual Path spool_folder() const = 0;
    virtual const Environment& environment() const = 0;
    virtual bool stopping() const = 0;  // the server ends: finish what was begun, begin nothing
};

}  // namespace kustos::ingest
