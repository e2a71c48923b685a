// One POST over HTTP or HTTPS: to time-stamp authorities and witnesses.
//
// No redirect is followed, no cookie kept. The answer is foreign bytes: at most max_answer, within the time limits.
// Errors: Code::environment for everything that a network does, Code::usage for an address or a file that can't be
// used, Code::bad_input for an answer that is not HTTP, Code::limit. Each has a hint. The address's path and query,
// user names and passwords never reach an error text. Threads: any.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace kustos::audit {

struct HttpOptions {
    std::int64_t connect_timeout_ms = 10'000;
    std::int64_t read_timeout_ms = 15'000;   // for each read
    std::int64_t total_timeout_ms = 30'000;  // from the connection on
    std::string ca_file;                     // https: trusted certificates, a PEM file; empty: the system's
    std::string client_certificate;          // https: PEM file with the chain; needs client_key
    std::string client_key;                  // PEM file
    std::string proxy;                       // "http://host:port"; empty: none, whatever the environment says
    std::string user, password;              // HTTP Basic (RFC 7617); empty: none
    std::size_t max_answer = 64 * 1024;
};

struct HttpAnswer {
    int status = 0;
    std::string content_type;  // lower case, without parameters
    Bytes body;
};

// peer: "time-stamp authority", for error texts.
Result<HttpAnswer> http_post(const std::string& peer, const std::string& url, const std::string& content_type,
                             const std::string& accept, ByteView body, const HttpOptions& options);
// GET: nothing is sent but the address.
Result<HttpAnswer> http_get(const std::string& peer, const std::string& url, const std::string& accept,
                            const HttpOptions& options);
Status check_http_address(const std::string& peer, const std::string& url);

}  // namespace kustos::audit
