#include "ingest/src/imap_batch.h"

#include <algorithm>

#include "base/text.h"

namespace kustos::ingest {

namespace {

constexpr std::uint64_t kSpooledHeld = 64u << 20;  // as smtp_delivery.cpp has it

}  // namespace

ImapBatch::ImapBatch(Intake& intake, std::string mailbox, const ImapPlace& place, std::uint64_t most)
    : intake_(intake),
      mailbox_(std::move(mailbox)),
      validity_(place.validity),
      again_below_(place.again_below),
      most_(most),
      sink_(intake) {
    sink_.tell([this](const Taken& taken) { took(taken); });
}

Status ImapBatch::begin(std::uint64_t size) {
    held_ = {};
    spool_.reset();
    const bool spools = !intake_.spool_folder().empty() && size > intake_.limits().in_memory;
    const std::uint64_t most = std::min(most_, spools ? intake_.limits().spooled : intake_.limits().mail);
    too_large_ = size > most;
    if (too_large_) return Error(Code::limit, "a mail is larger than max_size_mib");
    if (spools) spool_ = TRY(MailSpool::create(intake_.spool_folder()));
    return {};
}

Status ImapBatch::bytes(ByteView piece) {
    if (spool_) return spool_->write(piece);
    put(held_, piece);
    return {};
}

void ImapBatch::describe(vault::Message& message) const {
    message.feed_position = std::to_string(validity_) + ":" + std::to_string(uid_);
    message.notes.push_back("folder:" + repair_utf8(mailbox_));
    if (uid_ < again_below_) message.notes.emplace_back("imap:numbered-anew");
}

Status ImapBatch::end(ImapUid uid) {
    uid_ = uid;
    TRY(read());
    taken_[uid];  // it came whole
    return {};
}

Status ImapBatch::read() {
    if (spool_) {
        ReadContext context;
        context.limits = intake_.limits();
        context.limits.mail = std::min(context.limits.mail, kSpooledHeld);
        context.spool_folder = intake_.spool_folder();
        TRY(spool_->read("eml", context, *this, [this](vault::Message& message) { describe(message); }));
        spool_.reset();
        return {};
    }
    const Limits limits = intake_.limits();
    return parse_mail_items(std::exchange(held_, {}), limits, *this, [&](Bytes raw) {
        ParsedItem item = parse_mail(std::move(raw), limits);
        describe(item.message);
        return item;
    });
}

Status ImapBatch::item(ParsedItem item) {
    waiting_.push_back(uid_);
    return sink_.item(std::move(item));
}

void ImapBatch::took(const Taken& taken) {
    const ImapUid uid = waiting_.front();
    waiting_.pop_front();
    if (taken.quarantined || taken.dropped) spoilt_.insert(uid);
    if (!taken.dropped) taken_[uid].push_back(taken.entry);
}

Status ImapBatch::flush() {
    TRY(sink_.flush());
    for (const auto& [code, count] : std::exchange(findings_, {})) TRY(intake_.finding(code, count, mailbox_));
    for (const ImapUid uid : spoilt_) taken_[uid].clear();
    return {};
}

}  // namespace kustos::ingest
