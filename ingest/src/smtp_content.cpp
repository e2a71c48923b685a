// The content of a mail in a session: DATA and BDAT, and the answer behind it.
#include <algorithm>

#include "ingest/src/smtp_session.h"

namespace kustos::ingest {

namespace {

constexpr std::uint64_t kPassedOver = 1u << 20;  // bytes that are read only to answer that they are too many

}  // namespace

std::string_view answer_text(MailAnswer answer) {
    switch (answer) {
        case MailAnswer::sealed:
            return "250 2.0.0 sealed";
        case MailAnswer::later:
            return "451 4.3.1 not now, send again later";
        case MailAnswer::no_memory:
            return "452 4.3.1 too much at once, send again later";
        case MailAnswer::too_large:
            return "552 5.3.4 larger than is taken here";
        case MailAnswer::broken:
            break;
    }
    return "451 4.3.0 the archive can't write, send again later";
}

void SmtpSession::data(const SmtpCommand& command) {
    // What came with it was sent before its answer: content that could be read as commands, or the reverse.
    if (more_behind_) return end("503 5.5.1 DATA is the last command of a group");
    if (!command.arguments.empty()) return refuse("501 5.5.4 DATA alone");
    if (chunked_) return refuse("503 5.5.1 BDAT has begun");
    if (!has_sender_) return refuse("503 5.5.1 MAIL first");
    if (envelope_.recipients.empty())
        return refuse(options_.lmtp ? "503 5.5.1 no recipient" : "554 5.5.1 no recipient");
    if (const MailAnswer begun = host_.begin_mail(); begun != MailAnswer::sealed) {
        reset();
        return reply(answer_text(begun));
    }
    has_mail_ = true;
    phase_ = Phase::data;
    reply("354 the mail, then a line with a dot");
}

void SmtpSession::chunk(const SmtpCommand& command) {
    const std::size_t space = command.arguments.find(' ');
    const auto size = read_decimal(std::string_view(command.arguments).substr(0, space));
    const std::string_view rest =
        space == std::string::npos ? std::string_view() : std::string_view(command.arguments).substr(space + 1);
    // Without the size nobody knows where the next command begins.
    if (!size || (!rest.empty() && !same_word(rest, "LAST"))) return end("501 5.5.4 BDAT size [LAST]");
    chunk_left_ = *size;
    last_chunk_ = !rest.empty();
    phase_ = Phase::chunk;
    if (has_sender_ && !envelope_.recipients.empty() && !has_mail_ && !chunked_) {
        state_ = host_.begin_mail();
        has_mail_ = state_ == MailAnswer::sealed;
    }
    chunked_ = true;
    if (chunk_left_ == 0) take_chunk({});
}

void SmtpSession::content(ByteView piece) {
    size_ += piece.size();
    if (size_ > 2 * options_.max_size + kPassedOver) return end(answer_text(MailAnswer::too_large));
    watch_.look(piece);
    if (state_ != MailAnswer::sealed || !has_mail_) return;
    state_ = size_ > options_.max_size ? MailAnswer::too_large : host_.mail_bytes(piece);
    if (state_ == MailAnswer::sealed) return;
    host_.drop_mail();
    has_mail_ = false;
}

std::size_t SmtpSession::take_data(ByteView bytes) {
    Bytes plain;
    const std::size_t read = dots_.feed(bytes, plain);
    content(plain);
    if (!ended_ && dots_.ended()) finish_mail();
    return read;
}

std::size_t SmtpSession::take_chunk(ByteView bytes) {
    const std::size_t read = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, bytes.size()));
    content(bytes.first(read));
    chunk_left_ -= read;
    if (ended_ || chunk_left_ > 0) return read;
    phase_ = Phase::commands;
    if (!has_sender_ || envelope_.recipients.empty()) {
        reset();
        refuse("503 5.5.1 MAIL and RCPT first");
    } else if (last_chunk_) {
        finish_mail();
    } else if (state_ == MailAnswer::sealed) {
        reply("250 2.0.0 chunk");
    } else {
        const MailAnswer why = state_;
        reset();
        reply(answer_text(why));
    }
    return read;
}

void SmtpSession::finish_mail() {
    watch_.end();
    envelope_.oddities = watch_.seen();
    MailAnswer answer = state_;
    if (has_mail_) {
        has_mail_ = false;
        answer = host_.end_mail(envelope_);
    }
    const std::size_t answers = options_.lmtp ? envelope_.recipients.size() : 1;
    for (std::size_t i = 0; i < answers; ++i) reply(answer_text(answer));
    if (answer == MailAnswer::sealed) errors_ = idle_commands_ = 0;
    reset();
}

}  // namespace kustos::ingest
