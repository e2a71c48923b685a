// What is remembered of time-stamp authorities from one run to the next: how often each has failed in a row, when it is
// asked again, and the newest time that it has given. One small text file in the signer's state directory.
//
//   <name> <failures> <next try, ms since 1970> <newest time, ms since 1970, or 0>
//
// Back-off: 30 s, doubled with each failure in a row up to an hour, each time spread by up to a quarter either way, so
// that many archives do not come back to an authority at the same moment.
// Lost: authorities are asked at once, and a step back in time of one is not noticed. Threads: one.
#pragma once

#include <map>
#include <string>

#include "base/environment.h"

namespace kustos::audit {

class AuthorityBook {
public:
    static Result<AuthorityBook> open(Fs& fs, const Path& file);  // an unreadable one is begun anew
    bool due(const std::string& authority, UtcTime now) const;
    void failed(const std::string& authority, UtcTime now, Random& random);
    // Code::conflict: earlier than a time that it gave before (equal is legal). The token must not be used.
    Status answered(const std::string& authority, UtcTime gen_time);
    unsigned failures(const std::string& authority) const;
    std::optional<UtcTime> next_try(const std::string& authority) const;  // while it fails
    Status save();

private:
    struct Row {
        unsigned failures = 0;
        std::int64_t next_ms = 0, newest_ms = 0;
    };
    AuthorityBook(Fs& fs, Path file) : fs_(&fs), file_(std::move(file)) {}
    Fs* fs_;
    Path file_;
    std::map<std::string, Row> rows_;
};

}  // namespace kustos::audit
