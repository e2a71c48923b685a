// A mailbox, from where the last round ended to its end (docs/architecture/streams.md): what is new is sealed, what is
// missing is found, and the place moves when what lies before it is on the disk.
//
// Errors: of ImapClient and Intake. Threads: one; sealed() from any.
#pragma once

#include <atomic>

#include "ingest/src/imap_batch.h"

namespace kustos::ingest {

struct ImapTakingOptions {
    std::size_t batch = 100;              // mails that are asked for, and sealed, together
    std::uint64_t max_size = 1ull << 30;  // bytes of one mail; larger ones stay where they are, and are found
    bool keep_slips = false;              // for ImapClearing
};

class ImapTaking {
public:
    ImapTaking(const ImapTakingOptions& options, Intake& intake) : options_(options), intake_(intake) {}
    Status round(ImapClient& client, const std::string& mailbox);
    std::uint64_t sealed() const { return sealed_; }  // records, since it was made

private:
    struct Pass;
    Status settle_numbering(Pass& pass);
    Status ask_again(Pass& pass);
    Status window(Pass& pass, std::uint64_t last);
    Status slice(Pass& pass, const std::vector<ImapUid>& uids);
    Status take_beginning(Pass& pass, std::vector<ImapUid> uids, const ImapBatch& batch);
    Status too_large(Pass& pass, const std::vector<ImapUid>& uids);
    Status note_missing(Pass& pass, const std::vector<ImapUid>& missing);
    Status advance(Pass& pass, std::uint64_t last, const std::vector<ImapUid>& there);
    Status keep(Pass& pass, const ImapBatch& batch);
    const ImapTakingOptions options_;
    Intake& intake_;
    std::set<std::string> one_by_one_;  // mailboxes in which something is too large
    std::atomic<std::uint64_t> sealed_ = 0;
};

}  // namespace kustos::ingest
