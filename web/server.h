// The HTTPS server: push ingest for machines, four plain pages for people. Loopback only in this version.
//
// A handler parses, calls one function of Service, renders. TLS 1.2 and 1.3; the certificate and its key are made at
// first start beside the signer's store (self-signed, for "localhost", P-256). Threads: its own pool; start() returns
// at once, stop() waits for running requests.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/environment.h"
#include "web/service.h"

namespace kustos::web {

struct ServerOptions {
    std::uint16_t port = 8443;                   // 0: any free one
    Path tls_dir;                                // server.key and server.crt are kept here
    Language language = Language::german;        // of pages whose browser asks for neither German nor English
    std::uint64_t max_push_bytes = 64ull << 20;  // of one push; larger ones are answered 413 with advice
    std::uint64_t max_bodies = 128ull << 20;     // of pushes at one time, together; more is answered 503
    std::uint32_t threads = 16;
};

class Server {
public:
    static Result<std::unique_ptr<Server>> start(Environment environment, Service& service, ServerOptions options);
    ~Server();
    std::uint16_t port() const;
    std::string certificate_fingerprint() const;  // SHA-256 of its DER, hex
    // What requests and answers left in buffers that nobody uses now. Call now and then.
    static void wipe_buffers();
    void stop();

private:
    struct State;
    explicit Server(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace kustos::web
