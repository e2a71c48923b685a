// One GET of a stream, bounded in time: no redirect is followed, no proxy asked, and never another host than the one
// given. Threads: safe.
#pragma once

#include <cstdint>
#include <string>

#include "base/spool.h"

namespace kustos::ingest {

struct HttpPlace {
    bool tls = true;
    std::string host;
    std::uint16_t port = 443;
    std::string target;               // path and query, encoded
    std::string authorization;        // the header's value; empty: none
    std::string ca_file;              // trusted certificates, PEM; empty: the system's
    std::string who;                  // "the homeserver": in texts of errors
    std::int64_t answer_ms = 20'000;  // until the answer begins, and for each piece of it
    std::int64_t whole_ms = 120'000;  // for all of it
};
// The answer's status. Only of 200 the body goes to `out`. Code::environment: it can't be reached, its certificate is
// not trusted (TLS 1.2 or newer, host name checked), it is too slow, it ended early. Errors of `out` are handed
// through.
Result<int> http_get(const HttpPlace& place, const ByteSink& out);

}  // namespace kustos::ingest
