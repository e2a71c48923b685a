// The server's side of one SMTP or LMTP session (RFC 5321, RFC 2033), without a socket: bytes in, bytes out.
//
// Extensions: SIZE (1870), 8BITMIME (6152), SMTPUTF8 (6531), PIPELINING (2920), CHUNKING (3030), ENHANCEDSTATUSCODES
// (2034), STARTTLS (3207), AUTH PLAIN and LOGIN (4954; under TLS only). A mail is answered with 250 only after
// SmtpHost::end_mail() has said that it is sealed. What lies behind a STARTTLS, or behind a DATA before its 354, is
// never read as a command: the session ends there.
//
// Pure: no clock, no disk; what the host does is the host's. Errors: none, the replies carry them; a session whose
// errors are too many ends itself. Threads: one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "ingest/src/smtp_command.h"
#include "ingest/src/smtp_data.h"

namespace kustos::ingest {

struct SmtpEnvelope {
    std::string sender;                   // empty: the null sender (a bounce)
    std::vector<std::string> recipients;  // in order, as accepted
    std::string commands;                 // the MAIL and RCPT lines that were accepted, each with its CR LF
    SmtpOddities oddities;                // of the content
};

enum class MailAnswer : std::uint8_t {
    sealed,     // durable: 250
    later,      // 451 4.3.1: overloaded, paused, disk
    broken,     // 451 4.3.0: the archive can't write
    no_memory,  // 452 4.3.1
    too_large,  // 552 5.3.4
};

std::string_view answer_text(MailAnswer answer);  // the reply, without its CR LF

// What a session asks of the archive. begin_mail() is followed by mail_bytes() and one of end_mail() and drop_mail().
class SmtpHost {
public:
    virtual ~SmtpHost() = default;
    virtual MailAnswer room() = 0;  // sealed: a mail may come
    virtual bool knows_recipient(std::string_view address) = 0;
    virtual bool log_in(std::string_view user, ByteView password) = 0;
    virtual MailAnswer begin_mail() = 0;
    virtual MailAnswer mail_bytes(ByteView piece) = 0;  // not sealed: the rest need not be given
    virtual MailAnswer end_mail(const SmtpEnvelope& envelope) = 0;
    virtual void drop_mail() = 0;
};

struct SmtpOptions {
    bool lmtp = true;
    std::string name = "localhost";     // that it greets with
    std::uint64_t max_size = 64 << 20;  // bytes of one mail
    std::size_t max_recipients = 1000;  // of one mail
    bool tls_offered = false;
    bool require_tls = false;
    bool auth_offered = false;  // there are users
    bool require_auth = false;  // by user, or log_in_by_certificate()
};

class SmtpSession {
public:
    SmtpSession(SmtpOptions options, SmtpHost& host);
    ~SmtpSession();
    SmtpSession(const SmtpSession&) = delete;
    SmtpSession& operator=(const SmtpSession&) = delete;

    // Bytes from the counterpart. After wants_tls() or ended() nothing more is read of them.
    void feed(ByteView bytes);
    std::string take_replies();                    // to be sent now
    bool wants_tls() const { return wants_tls_; }  // after the replies are sent: the handshake, then tls_began()
    void tls_began(bool known_certificate);
    bool ended() const { return ended_; }
    void end(std::string_view reply);  // "421 4.4.2 timeout"; to be sent, then closed
    bool in_mail() const { return phase_ == Phase::data || phase_ == Phase::chunk; }  // content is coming
    bool has_transaction() const { return has_sender_; }
    bool had_transaction() const { return had_sender_; }  // one at least, ended or not

private:
    enum class Phase : std::uint8_t { commands, data, chunk, auth_plain, auth_user, auth_password };
    std::size_t take_line(ByteView bytes);
    std::size_t take_data(ByteView bytes);
    std::size_t take_chunk(ByteView bytes);
    void command(std::string_view line);
    bool transaction_command(const SmtpCommand& command, std::string_view line);
    void hello(const SmtpCommand& command);
    void mail(const SmtpCommand& command, std::string_view line);
    bool may_mail();
    bool parameters_hold(const SmtpPath& path);
    void recipient(const SmtpCommand& command, std::string_view line);
    void data(const SmtpCommand& command);
    void chunk(const SmtpCommand& command);
    void start_tls(const SmtpCommand& command);
    void auth(const SmtpCommand& command);
    void auth_line(std::string_view line);
    void try_plain(std::string_view encoded);
    void log_in(std::string_view user, ByteView password);
    void content(ByteView piece);
    void finish_mail();
    void reset();
    void reply(std::string_view text);
    void refuse(std::string_view text);  // an error of the counterpart: they are counted

    SmtpOptions options_;
    SmtpHost& host_;
    Phase phase_ = Phase::commands;
    std::string replies_;
    std::string line_;
    bool more_behind_ = false;
    bool wants_tls_ = false, ended_ = false, tls_ = false, greeted_ = false, authorised_ = false;
    std::size_t errors_ = 0, idle_commands_ = 0, logins_ = 0;
    std::string user_;
    // the transaction
    bool has_sender_ = false, had_sender_ = false, has_mail_ = false, last_chunk_ = false, chunked_ = false;
    SmtpEnvelope envelope_;
    std::uint64_t size_ = 0, chunk_left_ = 0;
    MailAnswer state_ = MailAnswer::sealed;  // of the content so far
    DotReader dots_;
    LineWatch watch_;
};

}  // namespace kustos::ingest
