// From a session of SMTP or LMTP into the intake: one mail after the other, held or spooled, sealed with its envelope.
// Threads: one for each; a MailBudget is shared.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "ingest/intake.h"
#include "ingest/src/large_mail.h"
#include "ingest/src/lmtp_settings.h"

namespace kustos::ingest {

// Memory for all mails that are on their way, in bytes. Threads: safe.
class MailBudget {
public:
    explicit MailBudget(std::uint64_t most) : left_(most) {}
    bool take(std::uint64_t bytes);  // false: nothing was taken
    void give(std::uint64_t bytes) { left_ += bytes; }
    std::uint64_t left() const { return left_; }

private:
    std::atomic<std::uint64_t> left_;
};

struct SmtpCounts {
    std::atomic<std::uint64_t> sealed = 0, refused = 0;  // records; mails that were refused
    std::atomic<std::int64_t> last_ms = -1;              // UTC, of the last one taken
};

class SmtpDelivery final : public SmtpHost {
public:
    SmtpDelivery(const LmtpSettings& settings, Intake& intake, MailBudget& budget, SmtpCounts& counts);
    ~SmtpDelivery() override;
    MailAnswer room() override;
    bool knows_recipient(std::string_view address) override;
    bool log_in(std::string_view user, ByteView password) override;
    MailAnswer begin_mail() override;
    MailAnswer mail_bytes(ByteView piece) override;
    MailAnswer end_mail(const SmtpEnvelope& envelope) override;
    void drop_mail() override;

private:
    MailAnswer refused(MailAnswer answer);
    MailAnswer hold(std::uint64_t bytes);  // of memory, in all
    Status seal(const SmtpEnvelope& envelope);
    const LmtpSettings& settings_;
    Intake& intake_;
    MailBudget& budget_;
    SmtpCounts& counts_;
    Bytes held_;
    std::unique_ptr<MailSpool> spool_;
    std::uint64_t memory_ = 0;  // taken of the budget
};

// The envelope of a mail as a record of its own (docs/format/smtp-envelope.md).
ParsedItem smtp_envelope_item(const SmtpEnvelope& envelope, const std::string& message_id, const Hash& mail);

}  // namespace kustos::ingest
