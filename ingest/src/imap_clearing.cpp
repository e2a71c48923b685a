#include "ingest/src/imap_clearing.h"

#include <algorithm>

namespace kustos::ingest {

// A plain EXPUNGE would take other people's marked mails, too.
Status ImapClearing::can(const ImapClient& client) const {
    if (client.can(options_.move_to.empty() ? "UIDPLUS" : "MOVE")) return {};
    return Error(Code::environment, options_.move_to.empty() ? "the mail server can't delete single mails (no UIDPLUS)"
                                                             : "the mail server can't move mails (no MOVE)");
}

Status ImapClearing::round(ImapClient& client, const std::string& mailbox) {
    for (;;) {
        ImapPlace place = TRY(recall_place(intake_, mailbox));
        if (place.first_slip >= place.next_slip) return {};
        if (TRY(slip(client, mailbox, place, place.first_slip)) == Slip::waits) return {};
        const std::uint64_t done = place.first_slip++;
        TRY(remember_place(intake_, mailbox, place));
        TRY(forget_slip(intake_, mailbox, done));
    }
}

Result<ImapClearing::Slip> ImapClearing::slip(ImapClient& client, const std::string& mailbox, const ImapPlace& place,
                                              std::uint64_t number) {
    const ImapSlip slip = TRY(recall_slip(intake_, mailbox, number));
    if (slip.mails.empty() || slip.validity != place.validity) return Slip::done;
    if (slip.sealed_ms + options_.keep_ms > intake_.environment().clock.now().ms) return Slip::waits;
    std::vector<EntryIndex> entries;
    for (const ImapSlip::Mail& mail : slip.mails)
        entries.insert(entries.end(), mail.entries.begin(), mail.entries.end());
    const auto proofs = TRY(intake_.prove(entries));
    CHECK(proofs.size() == entries.size());
    if (std::find(proofs.begin(), proofs.end(), Proof::not_yet) != proofs.end()) return Slip::waits;
    std::vector<ImapUid> uids;
    std::uint64_t failed = 0;
    auto proof = proofs.begin();
    for (const ImapSlip::Mail& mail : slip.mails) {
        bool proven = true;
        for (std::size_t i = 0; i < mail.entries.size(); ++i, ++proof) {
            proven = proven && *proof == Proof::proven;
            failed += *proof == Proof::failed ? 1 : 0;
        }
        if (proven) uids.push_back(mail.uid);
    }
    if (failed > 0) TRY(intake_.finding("imap:not-proven", failed, mailbox + " " + std::to_string(number)));
    if (!uids.empty()) TRY(take_out(client, mailbox, place, uids));
    return Slip::done;
}

Status ImapClearing::take_out(ImapClient& client, const std::string& mailbox, const ImapPlace& place,
                              const std::vector<ImapUid>& uids) {
    TRY(can(client));
    const ImapBox box = TRY(client.open(mailbox, true));
    if (box.validity != place.validity) return Error(Code::environment, "a mailbox is being numbered anew");
    const std::string what = "UIDVALIDITY " + std::to_string(place.validity) + " UID " + imap_set(uids) +
                             (options_.move_to.empty() ? "" : " -> " + options_.move_to);
    TRY(intake_.clearing(uids.size(), mailbox, what));
    if (options_.move_to.empty()) {
        TRY(client.remove(uids));
    } else {
        TRY(client.move(uids, options_.move_to));
    }
    cleared_ += uids.size();
    return {};
}

}  // namespace kustos::ingest
