// What is remembered of a mailbox: how far it is taken, and what was sealed of it, until it may be taken out there.
//
// Durability: what a call of Intake::remember() has answered is on the disk; a place moves only behind what is sealed.
// Errors: of the intake. Threads: one for each mailbox.
#pragma once

#include <string>
#include <vector>

#include "ingest/intake.h"
#include "ingest/src/imap_client.h"

namespace kustos::ingest {

struct ImapPlace {
    static constexpr std::size_t kMostLate = 1000;
    std::uint32_t validity = 0;     // 0: never looked at
    std::uint64_t next = 1;         // mails below are done
    std::uint64_t begun = 0;        // UIDNEXT at the first look: what is missing below proves nothing
    std::uint64_t again_below = 0;  // the mailbox was numbered anew: mails below were read under other numbers
    std::uint64_t seen = 0, taken = 0;
    std::uint64_t first_slip = 0, next_slip = 0;  // slips first_slip to next_slip - 1 are kept
    std::vector<ImapUid> late;                    // the server has them and did not give them
};
Result<ImapPlace> recall_place(Intake& intake, const std::string& mailbox);  // as new where it is unreadable
Status remember_place(Intake& intake, const std::string& mailbox, const ImapPlace& place);

// Of some mails that were taken together: the entries of each. Kept only where they shall be taken out.
struct ImapSlip {
    struct Mail {
        ImapUid uid = 0;
        std::vector<EntryIndex> entries;
    };
    std::uint32_t validity = 0;
    std::int64_t sealed_ms = 0;
    std::vector<Mail> mails;
};
Result<ImapSlip> recall_slip(Intake& intake, const std::string& mailbox, std::uint64_t number);  // absent: empty
Status remember_slip(Intake& intake, const std::string& mailbox, std::uint64_t number, const ImapSlip& slip);
Status forget_slip(Intake& intake, const std::string& mailbox, std::uint64_t number);

}  // namespace kustos::ingest
