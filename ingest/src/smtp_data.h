// The content of one mail between DATA and its end (RFC 5321, 4.5.2): dots are unstuffed, and nothing but CR LF . CR LF
// ends it. A line feed or carriage return that stands alone is content, kept and counted: a server that took one for a
// line's end would see other commands than the sender's server did (SMTP smuggling).
//
// Pure. Threads: one.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace kustos::ingest {

// Odd things about the bytes, for the notes of the message.
struct SmtpOddities {
    std::uint64_t bare_lf = 0, bare_cr = 0, nul = 0, long_lines = 0;
    void operator+=(const SmtpOddities& other) {
        bare_lf += other.bare_lf;
        bare_cr += other.bare_cr;
        nul += other.nul;
        long_lines += other.long_lines;
    }
};

// Counts without changing anything; used for BDAT, whose content is taken as it is.
class LineWatch {
public:
    void look(ByteView piece);
    void end();
    const SmtpOddities& seen() const { return seen_; }

private:
    SmtpOddities seen_;
    std::uint64_t line_ = 0;
    bool cr_ = false;
};

class DotReader {
public:
    // Reads up to the end of the mail. Appends content to out; says how many bytes of piece were read. Once ended() is
    // true nothing more may be fed.
    std::size_t feed(ByteView piece, Bytes& out);
    bool ended() const { return state_ == State::ended; }

private:
    // after CR LF (or at the very start); after it a dot; after it a dot and CR; inside a line; inside, after CR
    enum class State : std::uint8_t { start, dot, dot_cr, inside, cr, ended };
    State state_ = State::start;
};

}  // namespace kustos::ingest
