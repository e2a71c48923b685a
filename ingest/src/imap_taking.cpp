#include "ingest/src/imap_taking.h"

#include <algorithm>

#include "base/log.h"

namespace kustos::ingest {

namespace {

constexpr std::uint64_t kWindow = 100'000, kWidest = 1'000'000'000;  // UIDs that are searched at once
constexpr std::size_t kFew = 1000;
constexpr std::uint64_t kEnd = 0x1'0000'0000u;

}  // namespace

struct ImapTaking::Pass {
    ImapClient& client;
    const std::string& mailbox;
    ImapPlace place;
    ImapBox box;
    std::uint64_t found = 0;  // mails that are there, of those looked at
    std::vector<ImapUid> searched;

    std::string about(const std::string& uids) const {
        return mailbox + " UIDVALIDITY " + std::to_string(place.validity) + " UID " + uids;
    }
};

Status ImapTaking::round(ImapClient& client, const std::string& mailbox) {
    Pass pass{client, mailbox, TRY(recall_place(intake_, mailbox)), TRY(client.open(mailbox, false)), 0, {}};
    TRY(settle_numbering(pass));
    ImapPlace& place = pass.place;
    TRY(ask_again(pass));
    const bool whole = place.next == 1, says_next = pass.box.next != 0;
    const std::uint64_t end = says_next ? pass.box.next : kEnd;
    std::uint64_t width = says_next ? kWindow : kEnd;
    while (place.next < end) {
        TRY(window(pass, std::min(place.next + width, end) - 1));
        width = pass.searched.size() < kFew ? std::min(width * 8, kWidest) : kWindow;
        if (!says_next) break;
    }
    // What a server says it has, and what it shows, must be the same where nothing came or went meanwhile.
    if (whole && !client.changed() && pass.found != pass.box.exists)
        TRY(intake_.finding("imap:exists-differs",
                            std::max(pass.found, pass.box.exists) - std::min(pass.found, pass.box.exists), mailbox));
    TRY(intake_.promise({mailbox, place.seen, place.taken,
                         "UIDVALIDITY " + std::to_string(place.validity) + " UIDNEXT " + std::to_string(place.next)}));
    return intake_.heard();
}

// UIDs are the same mails as long as UIDVALIDITY is the same. Where it is not, everything is read anew: what is known
// is a duplicate. UIDNEXT that goes back is a server that was restored without saying so.
Status ImapTaking::settle_numbering(Pass& pass) {
    ImapPlace& place = pass.place;
    const bool other = place.validity != 0 && place.validity != pass.box.validity;
    const bool back = place.validity != 0 && !other && pass.box.next != 0 && pass.box.next < place.next;
    if (place.validity != 0 && !other && !back) return {};
    if (back)
        TRY(intake_.finding("imap:uidnext-back", place.next - pass.box.next,
                            pass.about(std::to_string(pass.box.next) + ":" + std::to_string(place.next))));
    if (other) log(LogLevel::info, "a mailbox was numbered anew", {{"uidvalidity", pass.box.validity}});
    for (std::uint64_t n = place.first_slip; n < place.next_slip; ++n) TRY(forget_slip(intake_, pass.mailbox, n));
    const std::uint64_t begun = pass.box.next != 0 ? pass.box.next : kEnd;
    place = ImapPlace{};
    place.validity = pass.box.validity;
    place.begun = begun;
    if (other || back) place.again_below = begun;
    return remember_place(intake_, pass.mailbox, place);
}

Status ImapTaking::ask_again(Pass& pass) {
    if (pass.place.late.empty()) return {};
    std::vector<ImapUid> asked = std::exchange(pass.place.late, {});
    std::sort(asked.begin(), asked.end());
    ImapBatch batch(intake_, pass.mailbox, pass.place, options_.max_size);
    const auto given = TRY(pass.client.fetch(asked, batch));
    TRY(batch.flush());
    sealed_ += batch.sealed();
    std::vector<ImapUid> missing;
    for (const ImapUid uid : asked) {
        if (given.count(uid) == 0) {
            missing.push_back(uid);
            continue;
        }
        ++pass.place.taken;
        TRY(intake_.resolve("imap:not-given", pass.about(std::to_string(uid))));
    }
    pass.place.seen -= missing.size();  // note_missing() counts again what is still there
    TRY(note_missing(pass, missing));
    TRY(keep(pass, batch));
    return remember_place(intake_, pass.mailbox, pass.place);
}

Status ImapTaking::window(Pass& pass, std::uint64_t last) {
    pass.searched = TRY(pass.client.search(pass.place.next, std::min(last, kEnd - 1)));
    pass.found += pass.searched.size();
    const std::size_t step = one_by_one_.count(pass.mailbox) != 0 ? 1 : options_.batch;
    for (std::size_t at = 0; at < pass.searched.size(); at += step) {
        const auto begin = pass.searched.begin() + static_cast<std::ptrdiff_t>(at);
        const auto size = static_cast<std::ptrdiff_t>(std::min(step, pass.searched.size() - at));
        TRY(slice(pass, std::vector<ImapUid>(begin, begin + size)));
    }
    one_by_one_.erase(pass.mailbox);
    if (pass.box.next == 0) {  // then nobody knows how far the numbers go
        if (pass.place.begun == kEnd) pass.place.begun = pass.place.next;
        if (pass.place.again_below == kEnd) pass.place.again_below = pass.place.next;
        return remember_place(intake_, pass.mailbox, pass.place);
    }
    if (pass.place.next > last) return {};
    TRY(advance(pass, last, {}));
    return remember_place(intake_, pass.mailbox, pass.place);
}

Status ImapTaking::slice(Pass& pass, const std::vector<ImapUid>& uids) {
    ImapBatch batch(intake_, pass.mailbox, pass.place, options_.max_size);
    const auto given = pass.client.fetch(uids, batch);
    if (!given.ok() && batch.too_large()) return too_large(pass, uids);
    TRY(batch.flush());
    sealed_ += batch.sealed();
    if (!given.ok()) {
        TRY(take_beginning(pass, uids, batch));
        return given.error();
    }
    std::vector<ImapUid> missing;
    for (const ImapUid uid : uids)
        if (given->count(uid) == 0) missing.push_back(uid);
    TRY(advance(pass, uids.back(), uids));
    pass.place.seen += given->size();
    pass.place.taken += given->size();
    TRY(note_missing(pass, missing));
    TRY(keep(pass, batch));
    return remember_place(intake_, pass.mailbox, pass.place);
}

// What came whole before the connection broke, up to the first that did not, need not come again.
Status ImapTaking::take_beginning(Pass& pass, std::vector<ImapUid> uids, const ImapBatch& batch) {
    const auto end = std::find_if(uids.begin(), uids.end(), [&](ImapUid uid) { return batch.taken().count(uid) == 0; });
    uids.erase(end, uids.end());
    if (uids.empty()) return {};
    TRY(advance(pass, uids.back(), uids));
    pass.place.seen += uids.size();
    pass.place.taken += uids.size();
    TRY(keep(pass, batch));
    return remember_place(intake_, pass.mailbox, pass.place);
}

// The rest of the answer would have to be read to its end: the connection is given up. Which mail it is shows when each
// is asked for alone.
Status ImapTaking::too_large(Pass& pass, const std::vector<ImapUid>& uids) {
    if (uids.size() > 1) {
        one_by_one_.insert(pass.mailbox);
    } else {
        TRY(intake_.finding("imap:too-large", 1, pass.about(std::to_string(uids.front()))));
        TRY(advance(pass, uids.back(), uids));
        TRY(remember_place(intake_, pass.mailbox, pass.place));
    }
    return Error(Code::overloaded, "a mail is larger than max_size_mib");
}

// What was there and is gone was taken out before we had it; what is there and is not given is asked for again.
Status ImapTaking::note_missing(Pass& pass, const std::vector<ImapUid>& missing) {
    if (missing.empty()) return {};
    const auto there = TRY(pass.client.search(missing.front(), missing.back()));
    std::vector<ImapUid> gone;
    for (const ImapUid uid : missing) {
        if (!std::binary_search(there.begin(), there.end(), uid)) {
            gone.push_back(uid);
            continue;
        }
        TRY(intake_.finding("imap:not-given", 1, pass.about(std::to_string(uid))));
        pass.place.late.push_back(uid);
        ++pass.place.seen;
    }
    if (pass.place.late.size() > ImapPlace::kMostLate)
        return Error(Code::environment, "the mail server shows many mails that it does not give");
    if (gone.empty()) return {};
    return intake_.finding("imap:vanished", gone.size(), pass.about(imap_set(gone)));
}

// The place moves behind `last`. Numbers that were given out since the first look, and are not there, had a mail, or
// the server passed them over: which of the two nobody can tell.
Status ImapTaking::advance(Pass& pass, std::uint64_t last, const std::vector<ImapUid>& there) {
    const std::uint64_t from = std::max(pass.place.next, pass.place.begun);
    if (last >= from) {
        const auto present = static_cast<std::uint64_t>(
            std::count_if(there.begin(), there.end(), [from](ImapUid uid) { return uid >= from; }));
        const std::uint64_t lacking = last - from + 1 - present;
        if (lacking > 0)
            TRY(intake_.finding("imap:uid-gap", lacking,
                                pass.about(std::to_string(from) + ":" + std::to_string(last))));
    }
    pass.place.next = last + 1;
    return {};
}

// Before the place moves: a crash between writes the same slip again.
Status ImapTaking::keep(Pass& pass, const ImapBatch& batch) {
    if (!options_.keep_slips) return {};
    ImapSlip slip;
    slip.validity = pass.place.validity;
    slip.sealed_ms = intake_.environment().clock.now().ms;
    for (const auto& [uid, entries] : batch.taken())
        if (!entries.empty()) slip.mails.push_back({uid, entries});
    if (slip.mails.empty()) return {};
    TRY(remember_slip(intake_, pass.mailbox, pass.place.next_slip, slip));
    ++pass.place.next_slip;
    return {};
}

}  // namespace kustos::ingest
