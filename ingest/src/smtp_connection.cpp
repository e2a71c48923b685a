#include "ingest/src/smtp_connection.h"

#include <algorithm>
#include <chrono>

namespace kustos::ingest {

namespace {

constexpr int kSlice = 100;            // ms; as often it is looked whether the server ends
constexpr int kWrite = 60'000;         // ms
constexpr int kHandshake = 30'000;     // ms
constexpr std::int64_t kLast = 5'000;  // ms that a mail on its way has once the server ends

std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

class Connection {
public:
    Connection(SmtpWire& wire, const SmtpService& service, SmtpHost& host)
        : wire_(wire), service_(service), session_(service.options, host) {}

    void run() {
        Bytes buffer(64u << 10);
        if (!say()) return;
        while (!session_.ended()) {
            std::size_t size = 0;
            const auto got = wire_.read(buffer, size, kSlice);
            if (got == SmtpWire::Got::over) return;
            if (got == SmtpWire::Got::bytes) take(ByteView(buffer).first(size));
            watch_times();
            if (!say()) return;
            if (session_.wants_tls() && !begin_tls()) return;
        }
    }

private:
    void take(ByteView bytes) {
        last_byte_ = now_ms();
        const bool content = session_.in_mail();
        if (content) mail_bytes_ += bytes.size();
        session_.feed(bytes);
        last_byte_ = now_ms();                  // sealing is our own time
        if (content) last_reply_ = last_byte_;  // the time of a command does not run during a mail
        if (!session_.in_mail() && !session_.has_transaction()) {
            mail_since_ = -1;
            mail_bytes_ = 0;
        } else if (mail_since_ < 0) {
            mail_since_ = now_ms();
        }
    }

    void watch_times() {
        const std::int64_t now = now_ms();
        const SmtpTimes& times = service_.times;
        if (service_.stopping()) {
            if (stopped_ < 0) stopped_ = now;
            if (!session_.in_mail() || now - stopped_ > kLast)
                session_.end("421 4.3.2 the archive ends, send again later");
        }
        const auto for_bytes = static_cast<std::int64_t>(mail_bytes_ / 1024 * 1000);
        const bool slow_mail = mail_since_ >= 0 && now - mail_since_ > times.mail_ms + for_bytes;
        const bool slow_command = !session_.in_mail() && now - last_reply_ > times.command_ms;
        const bool silent = session_.in_mail() && now - last_byte_ > times.silence_ms;
        // Who sends no mail does not hold a place for long.
        const bool idle = !session_.had_transaction() && now - began_ > times.command_ms;
        const bool long_session = mail_since_ < 0 && now - began_ > times.session_ms;
        if (slow_mail || slow_command || silent || idle) session_.end("421 4.4.2 too slow");
        if (long_session) session_.end("421 4.4.2 the session is long enough, connect again");
    }

    bool say() {
        const std::string replies = session_.take_replies();
        if (replies.empty()) return true;
        const bool said = wire_.write(replies, kWrite);
        last_reply_ = now_ms();
        return said;
    }

    bool begin_tls() {
        if (!service_.tls || !wire_.begin_tls(*service_.tls, kHandshake)) return false;
        const auto certificate = wire_.certificate();
        const auto& known = service_.certificates;
        session_.tls_began(certificate && std::find(known.begin(), known.end(), *certificate) != known.end());
        last_reply_ = now_ms();
        return true;
    }

    SmtpWire& wire_;
    const SmtpService& service_;
    SmtpSession session_;
    const std::int64_t began_ = now_ms();
    std::int64_t last_reply_ = began_, last_byte_ = began_, mail_since_ = -1, stopped_ = -1;
    std::uint64_t mail_bytes_ = 0;
};

}  // namespace

SmtpTimes smtp_times(std::int64_t command_ms) {
    SmtpTimes out;
    out.mail_ms = 2 * command_ms;
    out.silence_ms = std::min(out.silence_ms, command_ms);
    out.command_ms = command_ms;
    return out;
}

void serve_smtp(SmtpWire& wire, const SmtpService& service, SmtpHost& host) {
    Connection(wire, service, host).run();
}

}  // namespace kustos::ingest
