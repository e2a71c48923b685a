// AUTH PLAIN and LOGIN (RFC 4954, RFC 4616) of a session.
#include "base/lenient_base64.h"
#include "ingest/src/smtp_session.h"

namespace kustos::ingest {

namespace {

constexpr std::size_t kMaxLogins = 3;  // wrong ones of a session

SecretBytes decoded(std::string_view text) {
    LenientBase64Decoder decoder;
    Bytes plain;
    plain.reserve(text.size());
    decoder.write(as_bytes(text), plain);
    decoder.finish(plain);
    SecretBytes out(plain);
    wipe(plain);
    return out;
}

}  // namespace

void SmtpSession::auth(const SmtpCommand& command) {
    if (!options_.auth_offered) return refuse("503 5.5.1 no AUTH here");
    if (!tls_) return refuse("538 5.7.11 STARTTLS first");
    if (!greeted_ || authorised_ || has_sender_) return refuse("503 5.5.1 no AUTH now");
    const SmtpCommand how = read_command(command.arguments);
    if (how.verb == "PLAIN") {
        if (!how.arguments.empty()) return try_plain(how.arguments);
        phase_ = Phase::auth_plain;
        return reply("334 ");
    }
    if (how.verb != "LOGIN") return refuse("504 5.5.4 PLAIN or LOGIN");
    if (!how.arguments.empty()) {
        user_ = to_text(decoded(how.arguments).view());
        phase_ = Phase::auth_password;
        return reply("334 UGFzc3dvcmQ6");
    }
    phase_ = Phase::auth_user;
    reply("334 VXNlcm5hbWU6");
}

void SmtpSession::auth_line(std::string_view line) {
    const Phase phase = std::exchange(phase_, Phase::commands);
    if (line == "*") return refuse("501 5.7.0 given up");
    if (phase == Phase::auth_plain) return try_plain(line);
    if (phase == Phase::auth_password) {
        const SecretBytes password = decoded(line);
        return log_in(std::exchange(user_, {}), password.view());
    }
    user_ = to_text(decoded(line).view());
    phase_ = Phase::auth_password;
    reply("334 UGFzc3dvcmQ6");
}

// authorisation identity NUL user NUL password
void SmtpSession::try_plain(std::string_view encoded) {
    const SecretBytes all = decoded(encoded);
    const std::string_view text = as_text(all.view());
    const std::size_t first = text.find('\0');
    const std::size_t second = first == std::string_view::npos ? first : text.find('\0', first + 1);
    if (second == std::string_view::npos) return refuse("501 5.5.2 not AUTH PLAIN");
    log_in(text.substr(first + 1, second - first - 1), all.view().subspan(second + 1));
}

void SmtpSession::log_in(std::string_view user, ByteView password) {
    if (host_.log_in(user, password)) {
        authorised_ = true;
        return reply("235 2.7.0 known");
    }
    if (++logins_ >= kMaxLogins) return end("421 4.7.0 too many wrong logins");
    refuse("535 5.7.8 unknown user or wrong password");
}

}  // namespace kustos::ingest
