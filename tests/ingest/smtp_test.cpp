// A session without sockets: commands, replies, and what is handed on.
#include <doctest/doctest.h>

#include <algorithm>

#include "base/crypto.h"
#include "ingest/src/lmtp_settings.h"
#include "ingest/src/smtp_session.h"

using namespace kustos;
using namespace kustos::ingest;

namespace {

class Host final : public SmtpHost {
public:
    MailAnswer room() override { return room_answer; }
    bool knows_recipient(std::string_view address) override { return address != "nobody@example.org"; }
    bool log_in(std::string_view user, ByteView password) override {
        return user == "journal" && as_text(password) == "secret";
    }
    MailAnswer begin_mail() override {
        content.clear();
        return MailAnswer::sealed;
    }
    MailAnswer mail_bytes(ByteView piece) override {
        content.append(as_text(piece));
        return bytes_answer;
    }
    MailAnswer end_mail(const SmtpEnvelope& given) override {
        envelope = given;
        mails.push_back(content);
        return end_answer;
    }
    void drop_mail() override { ++dropped; }

    MailAnswer room_answer = MailAnswer::sealed, bytes_answer = MailAnswer::sealed, end_answer = MailAnswer::sealed;
    SmtpEnvelope envelope;
    std::string content;
    std::vector<std::string> mails;
    int dropped = 0;
};

struct Talk {
    explicit Talk(SmtpOptions options = {}) : session(std::move(options), host) { session.take_replies(); }
    std::string say(std::string_view text) {
        session.feed(as_bytes(text));
        return session.take_replies();
    }
    // The code of the only reply, or of the last.
    std::string code(std::string_view text) {
        const std::string replies = say(text);
        const std::size_t before = replies.size() < 2 ? std::string::npos : replies.rfind('\n', replies.size() - 2);
        return replies.substr(before == std::string::npos ? 0 : before + 1, 3);
    }
    std::string begin(std::string_view hello = "LHLO me\r\n") {
        return say(std::string(hello) + "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n");
    }
    Host host;
    SmtpSession session;
};

SmtpOptions smtp() {
    SmtpOptions options;
    options.lmtp = false;
    return options;
}

std::size_t lines(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("LMTP answers once for each recipient that was accepted, after the mail is sealed") {
    Talk talk;
    talk.begin();
    CHECK(talk.code("RCPT TO:<nobody@example.org>\r\n") == "550");
    CHECK(talk.code("RCPT TO:<c@example.org>\r\n") == "250");
    CHECK(talk.code("DATA\r\n") == "354");
    CHECK(talk.say("Subject: x\r\n\r\n..a\r\n") == "");
    const std::string answer = talk.say(".\r\n");
    CHECK(answer == "250 2.0.0 sealed\r\n250 2.0.0 sealed\r\n");
    REQUIRE(talk.host.mails.size() == 1);
    CHECK(talk.host.mails[0] == "Subject: x\r\n\r\n.a\r\n");
    CHECK(talk.host.envelope.sender == "a@example.org");
    CHECK(talk.host.envelope.recipients == std::vector<std::string>{"b@example.org", "c@example.org"});
    CHECK(talk.host.envelope.commands ==
          "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nRCPT TO:<c@example.org>\r\n");
    CHECK(talk.code("QUIT\r\n") == "221");
    CHECK(talk.session.ended());
}

TEST_CASE("SMTP answers once for all recipients, and each protocol refuses the other's greeting") {
    Talk talk(smtp());
    CHECK(talk.code("LHLO me\r\n") == "500");
    talk.begin("EHLO me\r\n");
    talk.say("RCPT TO:<c@example.org>\r\nDATA\r\n");
    CHECK(talk.say("x\r\n.\r\n") == "250 2.0.0 sealed\r\n");
    CHECK(Talk().code("EHLO me\r\n") == "500");
}

TEST_CASE("only CR LF . CR LF ends a mail: what smuggling needs is content, and noted") {
    for (const std::string end : {"\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\n\n.\r\n"}) {
        Talk talk(smtp());
        talk.begin("EHLO me\r\n");
        talk.say("DATA\r\n");
        CHECK(talk.say("first" + end + "MAIL FROM:<evil@example.org>\r\n") == "");
        CHECK(talk.code("\r\n.\r\n") == "250");
        REQUIRE(talk.host.mails.size() == 1);
        CHECK(talk.host.mails[0].find("evil@example.org") != std::string::npos);
        const SmtpOddities& odd = talk.host.envelope.oddities;
        CHECK(odd.bare_lf + odd.bare_cr > 0);
    }
}

TEST_CASE("content cut anywhere is the same content") {
    const std::string mail = ".\r.\n..x\r\n..\r\ny\r\n\r\r\n.z";
    for (std::size_t step = 1; step < 6; ++step) {
        Talk talk(smtp());
        talk.begin("EHLO me\r\n");
        talk.say("DATA\r\n");
        const std::string all = mail + "\r\n.\r\n";
        std::string answer;
        for (std::size_t at = 0; at < all.size(); at += step) answer += talk.say(all.substr(at, step));
        CHECK(answer == "250 2.0.0 sealed\r\n");
        REQUIRE(talk.host.mails.size() == 1);
        CHECK(talk.host.mails[0] == "\r.\n..x\r\n.\r\ny\r\n\r\r\nz\r\n");
    }
}

TEST_CASE("what stands behind DATA or STARTTLS in one go is never read as anything") {
    Talk talk(smtp());
    talk.begin("EHLO me\r\n");
    CHECK(talk.code("DATA\r\nx\r\n.\r\nMAIL FROM:<x@example.org>\r\n") == "503");
    CHECK(talk.session.ended());
    CHECK(talk.host.mails.empty());
    SmtpOptions options = smtp();
    options.tls_offered = true;
    Talk other(options);
    CHECK(other.code("STARTTLS\r\nEHLO me\r\n") == "501");
    CHECK(other.session.ended());
    CHECK(!other.session.wants_tls());
}

TEST_CASE("a command line with a bare line feed, a NUL, or without end, is refused") {
    Talk talk;
    CHECK(talk.code("NOOP\nMAIL FROM:<x@example.org>\r\n") == "500");
    CHECK(talk.session.ended());
    Talk second;
    CHECK(second.code(std::string("NOOP\0x\r\n", 8)) == "500");
    CHECK(!second.session.ended());
    CHECK(second.code("NOOP \rx\r\n") == "500");
    CHECK(second.code(std::string(5000, 'x')) == "500");
    CHECK(second.session.ended());
}

TEST_CASE("a mail that can't be sealed now is put off, each recipient with its own answer") {
    const std::pair<MailAnswer, std::string> table[] = {{MailAnswer::later, "451"},
                                                        {MailAnswer::broken, "451"},
                                                        {MailAnswer::no_memory, "452"},
                                                        {MailAnswer::too_large, "552"}};
    for (const auto& [answer, code] : table) {
        Talk talk;
        talk.host.end_answer = answer;
        talk.begin();
        talk.say("RCPT TO:<c@example.org>\r\nDATA\r\n");
        const std::string replies = talk.say("x\r\n.\r\n");
        CHECK(lines(replies) == 2);
        CHECK(replies.substr(0, 3) == code);
    }
    Talk talk;
    talk.host.room_answer = MailAnswer::later;
    talk.say("LHLO me\r\n");
    CHECK(talk.code("MAIL FROM:<a@example.org>\r\n") == "451");
    CHECK(!talk.session.has_transaction());
}

TEST_CASE("a mail that fails in the middle is read to its end, and not handed on") {
    Talk talk;
    talk.host.bytes_answer = MailAnswer::no_memory;
    talk.begin();
    talk.say("DATA\r\n");
    CHECK(talk.say("x\r\nMAIL FROM:<a@example.org>\r\n") == "");
    CHECK(talk.code(".\r\n") == "452");
    CHECK(talk.host.mails.empty());
    CHECK(talk.host.dropped == 1);
    CHECK(talk.code("NOOP\r\n") == "250");
}

TEST_CASE("sizes above the limit are refused before the mail, or behind it") {
    SmtpOptions options = smtp();
    options.max_size = 1000;
    Talk talk(options);
    CHECK(talk.say("EHLO me\r\n").find("250 SIZE 1000\r\n") != std::string::npos);
    CHECK(talk.code("MAIL FROM:<a@example.org> SIZE=1001\r\n") == "552");
    CHECK(talk.code("MAIL FROM:<a@example.org> SIZE=1e3\r\n") == "501");
    talk.begin("EHLO me\r\n");
    talk.say("DATA\r\n");
    CHECK(talk.code(std::string(1001, 'x') + "\r\n.\r\n") == "552");
    talk.begin("EHLO me\r\n");
    CHECK(talk.code("BDAT 1001\r\n" + std::string(1001, 'x')) == "552");
    CHECK(talk.code("BDAT 1 LAST\r\nx") == "503");
    CHECK(talk.host.mails.empty());
    talk.begin("EHLO me\r\n");
    talk.say("DATA\r\n");
    CHECK(talk.code(std::string(3u << 20, 'x')) == "552");
    CHECK(talk.session.ended());
}

TEST_CASE("BDAT takes bytes as they are, pipelined, and an empty last chunk") {
    Talk talk;
    talk.begin();
    talk.say("RCPT TO:<c@example.org>\r\n");
    const std::string replies = talk.say("BDAT 5\r\n.\r\n.\rBDAT 3\r\nabcBDAT 0 LAST\r\nNOOP\r\n");
    CHECK(replies ==
          "250 2.0.0 chunk\r\n250 2.0.0 chunk\r\n250 2.0.0 sealed\r\n250 2.0.0 sealed\r\n250 2.0.0 here\r\n");
    REQUIRE(talk.host.mails.size() == 1);
    CHECK(talk.host.mails[0] == ".\r\n.\rabc");
    CHECK(talk.code("BDAT 4 LAST\r\nRSETNOOP\r\n") == "250");  // a chunk without a mail is passed over, not read
    CHECK(talk.host.mails.size() == 1);
    CHECK(talk.code("BDAT x\r\n") == "501");
    CHECK(talk.session.ended());
}

TEST_CASE("a mail needs a greeting, a sender, a recipient, TLS and a login where they are asked for") {
    SmtpOptions options = smtp();
    options.tls_offered = options.require_tls = options.auth_offered = options.require_auth = true;
    Talk talk(options);
    const std::string mail = "MAIL FROM:<a@example.org>\r\n";
    CHECK(talk.code(mail) == "503");
    CHECK(talk.say("EHLO me\r\n").find("AUTH") == std::string::npos);
    CHECK(talk.code(mail) == "451");
    CHECK(talk.code("AUTH PLAIN AGpvdXJuYWwAc2VjcmV0\r\n") == "538");
    CHECK(talk.code("STARTTLS\r\n") == "220");
    REQUIRE(talk.session.wants_tls());
    talk.session.tls_began(false);
    CHECK(talk.code(mail) == "503");  // greeted before TLS does not count
    const std::string hello = talk.say("EHLO me\r\n");
    CHECK(hello.find("AUTH PLAIN LOGIN") != std::string::npos);
    CHECK(hello.find("STARTTLS") == std::string::npos);
    CHECK(talk.code(mail) == "451");
    CHECK(talk.code("AUTH PLAIN AGpvdXJuYWwAd3Jvbmc=\r\n") == "535");
    CHECK(talk.code("AUTH LOGIN\r\n") == "334");
    CHECK(talk.code("am91cm5hbA==\r\n") == "334");
    CHECK(talk.code("c2VjcmV0\r\n") == "235");
    CHECK(talk.code(mail) == "250");
    CHECK(talk.code("DATA\r\n") == "554");
}

TEST_CASE("a known client certificate is a login") {
    SmtpOptions options = smtp();
    options.tls_offered = options.require_auth = true;
    Talk talk(options);
    talk.say("EHLO me\r\nSTARTTLS\r\n");
    talk.session.tls_began(true);
    CHECK(talk.code("EHLO me\r\nMAIL FROM:<>\r\n") == "250");
}

TEST_CASE("who makes too many errors, guesses passwords or sends no mail is cut off") {
    Talk talk;
    for (int i = 0; i < 19; ++i) CHECK(talk.code("WHAT\r\n") == "500");
    CHECK(talk.code("WHAT\r\n") == "421");
    CHECK(talk.session.ended());
    Talk idle;
    for (int i = 0; i < 200; ++i) CHECK(idle.code("NOOP\r\n") == "250");
    CHECK(idle.code("NOOP\r\n") == "421");
    SmtpOptions options = smtp();
    options.tls_offered = options.auth_offered = true;
    Talk guess(options);
    guess.session.tls_began(false);
    guess.say("EHLO me\r\n");
    for (int i = 0; i < 2; ++i) CHECK(guess.code("AUTH PLAIN AGpvdXJuYWwAd3Jvbmc=\r\n") == "535");
    CHECK(guess.code("AUTH PLAIN AGpvdXJuYWwAd3Jvbmc=\r\n") == "421");
}

TEST_CASE("paths are read as RFC 5321 writes them") {
    const auto path = [](std::string_view text) { return read_path(text, "FROM:"); };
    CHECK(path("FROM:<>")->address == "");
    CHECK(path("from: <a@b> SIZE=3 SMTPUTF8")->parameters.at("SIZE") == "3");
    CHECK(path("FROM:<\"a> \\\" b\"@c>")->address == "\"a> \\\" b\"@c");
    CHECK(path("FROM:<@relay,@other:a@b>")->address == "a@b");
    CHECK(path("FROM:<\xC3\xA4@b>")->address == "\xC3\xA4@b");
    for (const std::string_view bad : {"FROM:a@b", "FROM:<a@b", "FROM:<a b>", "FROM:<a@b>x", "FROM:<<a@b>>", "TO:<a@b>",
                                       "FROM:<\xE4@b>", "FROM:<a\x01@b>", "FROM:<a@b> =x", "FROM:<a@b> A=1 A=2"})
        CHECK(!path(bad));
}

TEST_CASE("networks hold the addresses that they should") {
    const auto holds = [](const std::string& network, const std::string& address) {
        return parse_network(network)->holds(*parse_net_address(address));
    };
    CHECK(holds("127.0.0.0/8", "127.9.9.9"));
    CHECK(holds("127.0.0.0/8", "::ffff:127.0.0.1"));
    CHECK(!holds("127.0.0.0/8", "128.0.0.1"));
    CHECK(holds("10.1.2.128/25", "10.1.2.200"));
    CHECK(!holds("10.1.2.128/25", "10.1.2.100"));
    CHECK(holds("fd00::/9", "fd7f::1"));
    CHECK(!holds("fd00::/9", "fd80::1"));
    CHECK(!holds("::1", "127.0.0.1"));
    CHECK(holds("0.0.0.0/0", "9.9.9.9"));
    CHECK(!holds("0.0.0.0/0", "2001:db8::1"));
    for (const char* bad : {"10.0.0.0/33", "10.0.0/8", "x", "", "::/129", "10.0.0.0/"}) CHECK(!parse_network(bad));
}

TEST_CASE("users are known by the digest of their password") {
    const std::string digest = sha256(as_bytes("secret")).hex();
    const auto users = SmtpUsers::parse("# who\n\njournal:" + digest + "\r\n");
    REQUIRE(users.ok());
    CHECK(users->knows("journal", as_bytes("secret")));
    CHECK(!users->knows("journal", as_bytes("other")));
    CHECK(!users->knows("other", as_bytes("secret")));
    const std::string bad_files[] = {"journal:" + digest.substr(1), ":" + digest, "journal",
                                     "a:" + digest + "\na:" + digest};
    for (const std::string& bad : bad_files) CHECK(!SmtpUsers::parse(bad).ok());
}
