#include "ingest/src/smtp_data.h"

namespace kustos::ingest {

namespace {

constexpr std::uint64_t kLongLine = 998;  // RFC 5322, 2.1.1; without its end

}  // namespace

void LineWatch::look(ByteView piece) {
    for (const std::uint8_t byte : piece) {
        if (byte == '\n') {
            if (!cr_) ++seen_.bare_lf;
            line_ = 0;
            cr_ = false;
            continue;
        }
        if (cr_) ++seen_.bare_cr;
        cr_ = byte == '\r';
        if (byte == 0) ++seen_.nul;
        if (!cr_ && ++line_ == kLongLine + 1) ++seen_.long_lines;
    }
}

void LineWatch::end() {
    if (cr_) ++seen_.bare_cr;
    cr_ = false;
}

std::size_t DotReader::feed(ByteView piece, Bytes& out) {
    std::size_t at = 0;
    while (at < piece.size() && state_ != State::ended) {
        const std::uint8_t byte = piece[at++];
        switch (state_) {
            case State::start:
                if (byte == '.') {
                    state_ = State::dot;
                    continue;
                }
                break;
            case State::dot:  // the dot in front of a line is taken off
                if (byte == '\r') {
                    state_ = State::dot_cr;
                    continue;
                }
                break;
            case State::dot_cr:
                if (byte == '\n') {
                    state_ = State::ended;
                    continue;
                }
                out.push_back('\r');
                break;
            case State::cr:
                if (byte == '\n') {
                    out.push_back(byte);
                    state_ = State::start;
                    continue;
                }
                break;
            default:
                break;
        }
        out.push_back(byte);
        state_ = byte == '\r' ? State::cr : State::inside;
    }
    return at;
}

}  // namespace kustos::ingest
