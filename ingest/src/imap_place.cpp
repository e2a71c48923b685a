#include "ingest/src/imap_place.h"

#include <charconv>

namespace kustos::ingest {

namespace {

std::string place_name(const std::string& mailbox) {
    return "mailbox/" + mailbox;
}

std::string slip_name(const std::string& mailbox, std::uint64_t number) {
    return "sealed/" + std::to_string(number) + "/" + mailbox;
}

// Numbers in a row, with one character between; the first that is none ends it.
class Numbers {
public:
    explicit Numbers(std::string_view text) : text_(text) {}
    std::uint64_t next() {
        std::uint64_t out = 0;
        const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), out);
        ok_ = ok_ && error == std::errc();
        text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
        between_ = text_.empty() ? '\0' : text_.front();
        if (!text_.empty()) text_.remove_prefix(1);
        return out;
    }
    char between() const { return between_; }  // behind the last number
    bool more() const { return ok_ && !text_.empty(); }
    bool ok() const { return ok_; }

private:
    std::string_view text_;
    char between_ = '\0';
    bool ok_ = true;
};

}  // namespace

Result<ImapPlace> recall_place(Intake& intake, const std::string& mailbox) {
    const auto text = TRY(intake.recall(place_name(mailbox)));
    ImapPlace out;
    if (!text) return out;
    Numbers in(*text);
    out.validity = static_cast<std::uint32_t>(in.next());
    for (std::uint64_t* value :
         {&out.next, &out.begun, &out.again_below, &out.seen, &out.taken, &out.first_slip, &out.next_slip})
        *value = in.next();
    while (in.more()) out.late.push_back(static_cast<ImapUid>(in.next()));
    return in.ok() ? out : ImapPlace{};
}

Status remember_place(Intake& intake, const std::string& mailbox, const ImapPlace& place) {
    std::string text = std::to_string(place.validity);
    for (const std::uint64_t value :
         {place.next, place.begun, place.again_below, place.seen, place.taken, place.first_slip, place.next_slip})
        text += " " + std::to_string(value);
    for (const ImapUid uid : place.late) text += " " + std::to_string(uid);
    return intake.remember(place_name(mailbox), text);
}

// "validity time", then "uid entry entry" a line.
Result<ImapSlip> recall_slip(Intake& intake, const std::string& mailbox, std::uint64_t number) {
    const auto text = TRY(intake.recall(slip_name(mailbox, number)));
    ImapSlip out;
    if (!text) return out;
    Numbers in(*text);
    out.validity = static_cast<std::uint32_t>(in.next());
    out.sealed_ms = static_cast<std::int64_t>(in.next());
    while (in.more()) {
        ImapSlip::Mail mail;
        mail.uid = static_cast<ImapUid>(in.next());
        while (in.ok() && in.between() == ' ') mail.entries.emplace_back(in.next());
        out.mails.push_back(std::move(mail));
    }
    return in.ok() ? out : ImapSlip{};
}

Status remember_slip(Intake& intake, const std::string& mailbox, std::uint64_t number, const ImapSlip& slip) {
    std::string text = std::to_string(slip.validity) + " " + std::to_string(slip.sealed_ms) + "\n";
    for (const ImapSlip::Mail& mail : slip.mails) {
        text += std::to_string(mail.uid);
        for (const EntryIndex entry : mail.entries) text += " " + std::to_string(entry.value);
        text += "\n";
    }
    return intake.remember(slip_name(mailbox, number), text);
}

Status forget_slip(Intake& intake, const std::string& mailbox, std::uint64_t number) {
    return intake.forget(slip_name(mailbox, number));
}

}  // namespace kustos::ingest
