// Asks a time-stamping authority over HTTP or HTTPS (RFC 3161 section 3.4).
//
// The answer is foreign bytes of the right content type; whether it proves anything is timestamp.h's matter. Errors as
// in http_post.h, and Code::bad_input for an answer that is no time stamp reply. Some authorities put a customer number
// into the address: it never reaches an error text.
// Threads: any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "audit/net/http_post.h"
#include "audit/tsa_authority.h"

namespace kustos::audit {

// tsq to tsr. Code::usage, Code::environment, Code::bad_input, Code::limit.
Result<Bytes> post_query(const std::string& url, ByteView tsq, const HttpOptions& options = {});

// For collect_validation: through the same proxy, without credentials, each within 10 s.
Fetcher validation_fetcher(const HttpOptions& options);

class HttpAuthority final : public TimeAuthority {
public:
    // Code::usage for a name or an address that can't be used; nothing is connected yet.
    static Result<std::unique_ptr<HttpAuthority>> make(std::string name, std::string url, HttpOptions options = {});
    const std::string& name() const override { return name_; }
    Result<Bytes> ask(ByteView tsq) override { return post_query(url_, tsq, options_); }
    Fetcher fetcher() const override { return validation_fetcher(options_); }

private:
    HttpAuthority(std::string name, std::string url, HttpOptions options)
        : name_(std::move(name)), url_(std::move(url)), options_(std::move(options)) {}
    std::string name_, url_;
    HttpOptions options_;
};

}  // namespace kustos::audit
