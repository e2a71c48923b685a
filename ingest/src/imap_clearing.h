// Takes mails out of a mailbox: only where the settings say so, and only what is proven sealed (Intake::prove). An
// entry comes before each run. What was quarantined, left out by the profile, or erased since, stays there.
//
// Errors: of ImapClient and Intake; Code::environment: the server can't take out single mails. Threads: one; counts
// from any.
#pragma once

#include <atomic>

#include "ingest/src/imap_place.h"

namespace kustos::ingest {

struct ImapClearingOptions {
    std::string move_to;       // empty: deleted
    std::int64_t keep_ms = 0;  // a mail stays so long behind its sealing
};

class ImapClearing {
public:
    ImapClearing(ImapClearingOptions options, Intake& intake) : options_(std::move(options)), intake_(intake) {}
    // Behind a round of ImapTaking over the same connection.
    Status round(ImapClient& client, const std::string& mailbox);
    std::uint64_t cleared() const { return cleared_; }  // mails, since it was made

private:
    enum class Slip : std::uint8_t { done, waits };
    Result<Slip> slip(ImapClient& client, const std::string& mailbox, const ImapPlace& place, std::uint64_t number);
    Status take_out(ImapClient& client, const std::string& mailbox, const ImapPlace& place,
                    const std::vector<ImapUid>& uids);
    Status can(const ImapClient& client) const;
    const ImapClearingOptions options_;
    Intake& intake_;
    std::atomic<std::uint64_t> cleared_ = 0;
};

}  // namespace kustos::ingest
