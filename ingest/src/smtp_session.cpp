#include "ingest/src/smtp_session.h"

#include <utility>

namespace kustos::ingest {

namespace {

constexpr std::size_t kMaxLine = 4096;         // of a command; RFC 5321 has 512 and more for extensions
constexpr std::size_t kMaxErrors = 20;         // then the session ends
constexpr std::size_t kMaxIdleCommands = 200;  // NOOP, RSET, VRFY and the like between two mails

}  // namespace

SmtpSession::SmtpSession(SmtpOptions options, SmtpHost& host) : options_(std::move(options)), host_(host) {
    reply("220 " + options_.name + (options_.lmtp ? " LMTP" : " ESMTP") + " archive");
}

SmtpSession::~SmtpSession() {
    if (has_mail_) host_.drop_mail();
}

void SmtpSession::reply(std::string_view text) {
    replies_.append(text).append("\r\n");
}

void SmtpSession::refuse(std::string_view text) {
    reply(text);
    if (++errors_ >= kMaxErrors) end("421 4.7.0 too many errors");
}

void SmtpSession::end(std::string_view text) {
    if (ended_) return;
    reply(text);
    ended_ = true;
    reset();
}

std::string SmtpSession::take_replies() {
    return std::exchange(replies_, {});
}

void SmtpSession::tls_began(bool known_certificate) {
    wants_tls_ = false;
    tls_ = true;
    greeted_ = false;  // what was said before TLS is forgotten (RFC 3207, 4.2)
    authorised_ = known_certificate;
    reset();
}

void SmtpSession::reset() {
    if (has_mail_) host_.drop_mail();
    has_mail_ = has_sender_ = last_chunk_ = chunked_ = false;
    envelope_ = {};
    size_ = chunk_left_ = 0;
    state_ = MailAnswer::sealed;
    dots_ = {};
    watch_ = {};
    phase_ = Phase::commands;
}

void SmtpSession::feed(ByteView bytes) {
    while (!bytes.empty() && !ended_ && !wants_tls_) {
        std::size_t read = 0;
        if (phase_ == Phase::data) {
            read = take_data(bytes);
        } else if (phase_ == Phase::chunk) {
            read = take_chunk(bytes);
        } else {
            read = take_line(bytes);
        }
        bytes = bytes.subspan(read);
    }
}

// A line ends with CR LF and nothing else. Whatever is not clear about where it ends, ends the session: what follows
// would be a command to one of the two and none to the other.
std::size_t SmtpSession::take_line(ByteView bytes) {
    const std::string_view text = as_text(bytes);
    const std::size_t lf = text.find('\n');
    const std::size_t read = lf == std::string_view::npos ? text.size() : lf + 1;
    if (line_.size() + read > kMaxLine) {
        end("500 5.5.2 the line is too long");
        return read;
    }
    line_.append(text.substr(0, read));
    if (lf == std::string_view::npos) return read;
    more_behind_ = read < bytes.size();
    std::string line = std::exchange(line_, {});
    if (line.size() < 2 || line[line.size() - 2] != '\r') {
        end("500 5.5.2 a line ends with CR LF");
        return read;
    }
    line.resize(line.size() - 2);
    phase_ == Phase::commands ? command(line) : auth_line(line);
    wipe({reinterpret_cast<std::uint8_t*>(line.data()), line.size()});  // it may have been a password
    return read;
}

void SmtpSession::command(std::string_view line) {
    for (const char c : line)
        if (c == '\r' || c == '\0') return refuse("500 5.5.2 a command has no CR and no NUL");
    const SmtpCommand command = read_command(line);
    if (command.verb == "QUIT") return end("221 2.0.0 bye");
    if (transaction_command(command, line)) return;
    if (++idle_commands_ > kMaxIdleCommands) return end("421 4.7.0 too many commands without a mail");
    if (command.verb == "LHLO" || command.verb == "EHLO" || command.verb == "HELO") return hello(command);
    if (command.verb == "STARTTLS") return start_tls(command);
    if (command.verb == "AUTH") return auth(command);
    if (command.verb == "RSET") {
        reset();
        return reply("250 2.0.0 forgotten");
    }
    if (command.verb == "NOOP") return reply("250 2.0.0 here");
    if (command.verb == "VRFY") return reply("252 2.1.5 send it");
    if (command.verb == "HELP") return reply("214 2.0.0 an archive: it takes mails and gives none");
    refuse("500 5.5.1 no such command");
}

bool SmtpSession::transaction_command(const SmtpCommand& command, std::string_view line) {
    if (command.verb == "MAIL") {
        mail(command, line);
    } else if (command.verb == "RCPT") {
        recipient(command, line);
    } else if (command.verb == "DATA") {
        data(command);
    } else if (command.verb == "BDAT") {
        chunk(command);
    } else {
        return false;
    }
    return true;
}

void SmtpSession::hello(const SmtpCommand& command) {
    if (options_.lmtp != (command.verb == "LHLO")) return refuse("500 5.5.1 this listener speaks the other protocol");
    if (command.arguments.empty()) return refuse("501 5.5.4 a name is missing");
    reset();
    greeted_ = true;
    if (command.verb == "HELO") return reply("250 " + options_.name);
    reply("250-" + options_.name);
    for (const char* word : {"PIPELINING", "8BITMIME", "SMTPUTF8", "CHUNKING", "ENHANCEDSTATUSCODES"})
        reply(std::string("250-") + word);
    if (options_.tls_offered && !tls_) reply("250-STARTTLS");
    if (options_.auth_offered && tls_) reply("250-AUTH PLAIN LOGIN");
    reply("250 SIZE " + std::to_string(options_.max_size));
}

// Not 530: a certificate that has run out, or a setting that is wrong, would make a mail server throw away the
// archive's copies (and tell the senders that there are such). So they wait in its queue until somebody has repaired
// it.
bool SmtpSession::may_mail() {
    if (!greeted_) {
        refuse(options_.lmtp ? "503 5.5.1 LHLO first" : "503 5.5.1 EHLO first");
    } else if (options_.require_tls && !tls_) {
        refuse("451 4.7.0 STARTTLS first");
    } else if (options_.require_auth && !authorised_) {
        refuse("451 4.7.0 who are you? AUTH, or a client certificate that is known");
    } else {
        return true;
    }
    return false;
}

bool SmtpSession::parameters_hold(const SmtpPath& path) {
    for (const auto& [name, value] : path.parameters) {
        if (name == "SIZE") {
            const auto size = read_decimal(value);
            if (!size) return refuse("501 5.5.4 SIZE is a number"), false;
            if (*size > options_.max_size) return refuse(answer_text(MailAnswer::too_large)), false;
        } else if (name == "BODY") {
            if (!same_word(value, "7BIT") && !same_word(value, "8BITMIME"))
                return refuse("501 5.5.4 BODY is 7BIT or 8BITMIME"), false;
        } else if (name != "SMTPUTF8" && name != "AUTH") {
            return refuse("555 5.5.4 a parameter that was not offered"), false;
        }
    }
    return true;
}

void SmtpSession::mail(const SmtpCommand& command, std::string_view line) {
    if (!may_mail()) return;
    if (has_sender_) return refuse("503 5.5.1 a mail has begun");
    const auto path = read_path(command.arguments, "FROM:");
    if (!path) return refuse("501 5.1.7 MAIL FROM:<address>");
    if (!parameters_hold(*path)) return;
    if (const MailAnswer room = host_.room(); room != MailAnswer::sealed) return reply(answer_text(room));
    has_sender_ = had_sender_ = true;
    envelope_.sender = path->address;
    envelope_.commands = std::string(line) + "\r\n";
    reply("250 2.1.0 sender");
}

void SmtpSession::recipient(const SmtpCommand& command, std::string_view line) {
    if (!has_sender_ || has_mail_) return refuse("503 5.5.1 MAIL first");
    const auto path = read_path(command.arguments, "TO:");
    if (!path || path->address.empty()) return refuse("501 5.1.3 RCPT TO:<address>");
    if (!path->parameters.empty()) return refuse("555 5.5.4 a parameter that was not offered");
    if (envelope_.recipients.size() >= options_.max_recipients) return reply("452 4.5.3 too many recipients");
    if (!host_.knows_recipient(path->address)) return refuse("550 5.1.1 not an address of this archive");
    envelope_.recipients.push_back(path->address);
    envelope_.commands += std::string(line) + "\r\n";
    reply("250 2.1.5 recipient");
}

void SmtpSession::start_tls(const SmtpCommand& command) {
    if (!options_.tls_offered || tls_) return refuse("503 5.5.1 no TLS now");
    if (!command.arguments.empty()) return refuse("501 5.5.4 STARTTLS alone");
    if (more_behind_) return end("501 5.5.1 STARTTLS is the last command of a group");
    reply("220 2.0.0 begin");
    wants_tls_ = true;
}

}  // namespace kustos::ingest
