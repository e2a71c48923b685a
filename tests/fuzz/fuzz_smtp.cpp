// A session of SMTP and of LMTP with anybody: never a crash; bytes cut anywhere give the same answers; no mail is
// ended that was not begun, and none is handed on without a recipient.
#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "ingest/src/smtp_session.h"

namespace {

using namespace kustos::ingest;

class Host final : public SmtpHost {
public:
    MailAnswer room() override { return MailAnswer::sealed; }
    bool knows_recipient(std::string_view address) override { return address.find("none") == std::string_view::npos; }
    bool log_in(std::string_view, kustos::ByteView password) override { return password.size() == 3; }
    MailAnswer begin_mail() override {
        if (open_) std::abort();
        open_ = true;
        begin_ = content.size();
        return MailAnswer::sealed;
    }
    MailAnswer mail_bytes(kustos::ByteView piece) override {
        if (!open_) std::abort();
        kustos::put(content, piece);
        return MailAnswer::sealed;
    }
    MailAnswer end_mail(const SmtpEnvelope& envelope) override {
        if (!open_ || envelope.recipients.empty()) std::abort();
        if (!kustos::is_valid_utf8(envelope.sender)) std::abort();
        open_ = false;
        content.push_back('|');
        return MailAnswer::sealed;
    }
    void drop_mail() override {
        if (open_) content.resize(begin_);  // how much of it came before it was too large depends on the pieces
        open_ = false;
        content.push_back('-');
    }
    kustos::Bytes content;

private:
    bool open_ = false;
    std::size_t begin_ = 0;
};

std::string run(kustos::ByteView bytes, bool lmtp, std::size_t step, kustos::Bytes& content) {
    Host host;
    SmtpOptions options;
    options.lmtp = lmtp;
    options.max_size = 300;
    options.tls_offered = options.auth_offered = true;
    std::string replies;
    {
        SmtpSession session(options, host);
        while (!bytes.empty() && !session.ended()) {
            const std::size_t size = std::min(step, bytes.size());
            session.feed(bytes.first(size));
            bytes = bytes.subspan(size);
            replies += session.take_replies();
            if (session.wants_tls()) session.tls_began(false);
        }
        replies += session.take_replies();
    }
    content = host.content;
    return replies;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    for (const bool lmtp : {false, true}) {
        kustos::Bytes one, other;
        const std::string slow = run({data, size}, lmtp, 1, one);
        const std::string fast = run({data, size}, lmtp, 1 + size % 50, other);
        if (slow.rfind("220 ", 0) != 0) std::abort();
        // Sending ahead where that is forbidden shows only in larger pieces.
        const bool ahead =
            fast.find("last command of a group") != std::string::npos || fast.find("\n220 ") != std::string::npos;
        if (!ahead && (slow != fast || one != other)) std::abort();
    }
    return 0;
}
