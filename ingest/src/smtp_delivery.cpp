#include "ingest/src/smtp_delivery.h"

#include <algorithm>
#include <utility>

#include "base/crypto.h"
#include "ingest/src/intake_sink.h"

namespace kustos::ingest {

namespace {

constexpr std::uint64_t kStep = 1u << 20;
constexpr std::uint64_t kTimes = 3;                   // what reading a held mail takes, of its size
constexpr std::uint64_t kSpooledMemory = 160u << 20;  // what reading a spooled one takes at most
constexpr std::uint64_t kSpooledHeld = 64u << 20;     // a spooled mail that can't be condensed is held up to this
constexpr std::uint64_t kBatch = 16u << 20;

// Collects the items of one mail and gives them to the intake, together as long as they are small.
class MailSink final : public ItemSink {
public:
    MailSink(Intake& intake, const SmtpEnvelope& envelope) : intake_(intake), envelope_(envelope) {}

    Status item(ParsedItem item) override {
        bytes_ += message_bytes(item.message);
        if (message_id_.empty() && item.message.kind == vault::MessageKind::mail) message_id_ = item.message.native_id;
        report_ = report_ || item.message.kind == vault::MessageKind::envelope;
        items_.push_back(std::move(item));
        return bytes_ >= kBatch ? flush() : ok_status();
    }
    void finding(std::string_view code, std::uint64_t count) override { findings_[std::string(code)] += count; }

    Status flush() {
        if (items_.empty()) return {};
        mark();
        bytes_ = 0;
        for (const Taken& taken : TRY(intake_.take(std::exchange(items_, {}))))
            if (!taken.duplicate && !taken.dropped) ++sealed_;
        return {};
    }

    // Writes the envelope on the first that came as it is; once.
    void mark() {
        for (ParsedItem& item : items_) {
            const auto& notes = item.message.notes;
            if (marked_ || std::find(notes.begin(), notes.end(), "journal:enclosed") != notes.end()) continue;
            envelope_on(item.message);
            marked_ = true;
        }
    }
    Status tell() {
        for (const auto& [code, count] : findings_) TRY(intake_.finding(code, count, ""));
        return {};
    }
    bool report() const { return report_; }
    const std::string& message_id() const { return message_id_; }
    std::uint64_t sealed() const { return sealed_; }

private:
    // A journal report's own envelope names its mailbox: no recipient of the mail inside. It goes into the notes.
    void envelope_on(vault::Message& message) {
        message.notes.push_back("smtp-from:" + envelope_.sender);
        if (envelope_.oddities.bare_lf > 0) message.notes.emplace_back("smtp:bare-lf");
        if (envelope_.oddities.bare_cr > 0) message.notes.emplace_back("smtp:bare-cr");
        if (envelope_.oddities.nul > 0) message.notes.emplace_back("smtp:nul");
        if (envelope_.oddities.long_lines > 0) message.notes.emplace_back("smtp:long-line");
        for (const std::string& address : envelope_.recipients) {
            if (message.kind == vault::MessageKind::mail) {
                vault::Person person;
                person.address = address;
                message.recipients.push_back({vault::Role::envelope, std::move(person)});
            } else {
                message.notes.push_back("smtp-to:" + address);
            }
        }
    }

    Intake& intake_;
    const SmtpEnvelope& envelope_;
    bool marked_ = false, report_ = false;
    std::vector<ParsedItem> items_;
    std::uint64_t bytes_ = 0, sealed_ = 0;
    Findings findings_;
    std::string message_id_;
};

MailAnswer answer_of(const Status& status) {
    if (status.ok()) return MailAnswer::sealed;
    switch (status.error().code()) {
        case Code::overloaded:
        case Code::environment:
        case Code::interrupted:
            return MailAnswer::later;
        default:
            return MailAnswer::broken;
    }
}

}  // namespace

bool MailBudget::take(std::uint64_t bytes) {
    std::uint64_t left = left_;
    while (left >= bytes)
        if (left_.compare_exchange_weak(left, left - bytes)) return true;
    return false;
}

ParsedItem smtp_envelope_item(const SmtpEnvelope& envelope, const std::string& message_id, const Hash& mail) {
    ParsedItem item;
    vault::Message& message = item.message;
    message.kind = vault::MessageKind::envelope;
    message.format = "smtp-envelope";
    message.sender.address = envelope.sender;
    for (const std::string& address : envelope.recipients) {
        vault::Person person;
        person.address = address;
        message.recipients.push_back({vault::Role::envelope, std::move(person)});
    }
    message.target = message_id;
    message.thread = mail.hex();
    message.raw = to_bytes(envelope.commands);
    item.update_type = mail.hex();
    item.source_bytes = message.raw.size();
    return item;
}

SmtpDelivery::SmtpDelivery(const LmtpSettings& settings, Intake& intake, MailBudget& budget, SmtpCounts& counts)
    : settings_(settings), intake_(intake), budget_(budget), counts_(counts) {}

SmtpDelivery::~SmtpDelivery() {
    drop_mail();
}

MailAnswer SmtpDelivery::refused(MailAnswer answer) {
    if (answer != MailAnswer::sealed) ++counts_.refused;
    return answer;
}

MailAnswer SmtpDelivery::room() {
    if (intake_.stopping()) return refused(MailAnswer::later);
    return refused(answer_of(intake_.room()));
}

bool SmtpDelivery::knows_recipient(std::string_view address) {
    const auto& known = settings_.recipients;
    return known.empty() ||
           std::any_of(known.begin(), known.end(), [&](const std::string& one) { return same_word(one, address); });
}

bool SmtpDelivery::log_in(std::string_view user, ByteView password) {
    return settings_.users.knows(user, password);
}

MailAnswer SmtpDelivery::hold(std::uint64_t bytes) {
    if (bytes <= memory_) return MailAnswer::sealed;
    if (!budget_.take(bytes - memory_)) return refused(MailAnswer::no_memory);
    memory_ = bytes;
    return MailAnswer::sealed;
}

MailAnswer SmtpDelivery::begin_mail() {
    drop_mail();
    return hold(kStep);
}

MailAnswer SmtpDelivery::mail_bytes(ByteView piece) {
    if (!spool_ && held_.size() + piece.size() > intake_.limits().in_memory && !intake_.spool_folder().empty()) {
        if (const MailAnswer room = hold(kSpooledMemory); room != MailAnswer::sealed) return room;
        auto spool = MailSpool::create(intake_.spool_folder());
        if (!spool.ok() || !spool.value()->write(held_).ok()) return refused(MailAnswer::later);
        spool_ = std::move(spool).value();
        held_ = {};
    }
    if (spool_) return spool_->write(piece).ok() ? MailAnswer::sealed : refused(MailAnswer::later);
    const std::uint64_t steps = (held_.size() + piece.size()) / kStep + 1;
    if (const MailAnswer room = hold(steps * kStep * kTimes); room != MailAnswer::sealed) return room;
    put(held_, piece);
    return MailAnswer::sealed;
}

Status SmtpDelivery::seal(const SmtpEnvelope& envelope) {
    TRY(intake_.room());
    MailSink sink(intake_, envelope);
    Hash mail;
    if (spool_) {
        ReadContext context;
        context.limits = intake_.limits();
        context.limits.mail = std::min(context.limits.mail, kSpooledHeld);
        context.spool_folder = intake_.spool_folder();
        TRY(spool_->read("eml", context, sink, [](vault::Message&) {}));
        mail = spool_->sha256();
    } else {
        mail = sha256(held_);
        TRY(parse_mail_items(std::exchange(held_, {}), intake_.limits(), sink));
    }
    sink.mark();
    // Where the archive's own addresses are known, an envelope has no others: it proves nothing of its own.
    if (!sink.report() && settings_.recipients.empty())
        TRY(sink.item(smtp_envelope_item(envelope, sink.message_id(), mail)));
    TRY(sink.flush());
    counts_.sealed += sink.sealed();
    TRY(sink.tell());
    return intake_.heard();
}

MailAnswer SmtpDelivery::end_mail(const SmtpEnvelope& envelope) {
    const Status done = seal(envelope);
    drop_mail();
    if (done.ok()) counts_.last_ms = intake_.environment().clock.now().ms;
    return refused(answer_of(done));
}

void SmtpDelivery::drop_mail() {
    spool_.reset();
    held_ = {};
    budget_.give(std::exchange(memory_, 0));
}

}  // namespace kustos::ingest
