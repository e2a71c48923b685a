// A small HTTP server around a function from time-stamp request to response: `kustos tsa serve`.
//
// POST with content type application/timestamp-query, to any path; everything else is refused with 405, 415, 411 or
// 413. For a demonstration or a house network: plain HTTP, no users, few connections at a time. Threads: the function
// is called from the server's threads, several at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace kustos::audit {

class TsaServer {
public:
    using Answer = std::function<Result<Bytes>(ByteView tsq)>;
    // host: an IP address to listen on; port 0: any free one. Code::environment if it can't listen.
    static Result<std::unique_ptr<TsaServer>> start(const std::string& host, std::uint16_t port, Answer answer);
    ~TsaServer();  // stops listening, lets running answers end
    std::uint16_t port() const;
    std::string url() const;  // http://127.0.0.1:1234/

private:
    struct State;
    explicit TsaServer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace kustos::audit
