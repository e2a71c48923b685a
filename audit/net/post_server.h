// A small HTTP server for POST requests: the builtin authority's and the witness's.
//
// Everything but POST is refused (405, 411, 413). For a house network: plain HTTP, no users, few connections at a time;
// behind a reverse proxy where TLS is wanted. Threads: the function is called from the server's, several at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace kustos::audit {

struct PostRequest {
    std::string path;          // as asked for
    std::string content_type;  // lower case, without parameters
    Bytes body;
};
struct PostAnswer {
    int status = 200;
    std::string content_type = "text/plain";
    Bytes body;
};

class PostServer {
public:
    using Answer = std::function<PostAnswer(const PostRequest& request)>;
    // host: an IP address to listen on; port 0: any free one. Code::environment if it can't listen.
    static Result<std::unique_ptr<PostServer>> start(const std::string& host, std::uint16_t port, std::size_t max_body,
                                                     Answer answer);
    ~PostServer();  // stops listening, lets running answers end
    std::uint16_t port() const;
    std::string url() const;  // http://127.0.0.1:1234/

private:
    struct State;
    explicit PostServer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace kustos::audit
