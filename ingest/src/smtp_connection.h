// One connection of a mail listener from its greeting to its end, in the calling thread.
#pragma once

#include <functional>

#include "ingest/src/smtp_session.h"
#include "ingest/src/smtp_wire.h"

namespace kustos::ingest {

struct SmtpTimes {
    std::int64_t command_ms = 300'000;  // until a command is whole, however slowly its bytes come (RFC 5321, 4.5.3.2)
    std::int64_t silence_ms = 180'000;  // between two bytes of a mail
    std::int64_t mail_ms = 600'000;     // for a mail, and a second more for each KiB of it
    std::int64_t session_ms = 3'600'000;
};
SmtpTimes smtp_times(std::int64_t command_ms);  // of a shorter or longer command's time, the others in proportion

struct SmtpService {
    const SmtpOptions& options;
    const SmtpTls* tls;                     // nullptr: none
    const std::vector<Hash>& certificates;  // of clients that may deliver
    SmtpTimes times;
    std::function<bool()> stopping;
};
void serve_smtp(SmtpWire& wire, const SmtpService& service, SmtpHost& host);

}  // namespace kustos::ingest
