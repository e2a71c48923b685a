// Asks a time-stamping authority over HTTP or HTTPS (RFC 3161 section 3.4).
//
// One POST, no proxy, no redirect followed, no cookies, no user name in the address. The answer is foreign bytes: at
// most 64 KiB, within the time limits, of the right content type; whether it proves anything is timestamp.h's matter.
// Errors: Code::environment for everything that a network does, Code::bad_input for an answer that is no time stamp
// reply, Code::usage for an address that can't be used. Each has a hint with the next step. The address's path and
// query never reach an error text: some authorities put a customer number there.
// Threads: any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "audit/tsa_authority.h"

namespace kustos::audit {

struct TsaHttpOptions {
    std::int64_t connect_timeout_ms = 10'000;
    std::int64_t read_timeout_ms = 15'000;   // for each read
    std::int64_t total_timeout_ms = 30'000;  // from the connection on
    // https: trusted certificates, a PEM file; empty: the system's.
    std::string ca_file;
};

// tsq to tsr. Code::usage, Code::environment, Code::bad_input, Code::limit.
Result<Bytes> post_query(const std::string& url, ByteView tsq, const TsaHttpOptions& options = {});

class HttpAuthority final : public TimeAuthority {
public:
    // Code::usage for a name or an address that can't be used; nothing is connected yet.
    static Result<std::unique_ptr<HttpAuthority>> make(std::string name, std::string url, TsaHttpOptions options = {});
    const std::string& name() const override { return name_; }
    Result<Bytes> ask(ByteView tsq) override { return post_query(url_, tsq, options_); }

private:
    HttpAuthority(std::string name, std::string url, TsaHttpOptions options)
        : name_(std::move(name)), url_(std::move(url)), options_(std::move(options)) {}
    std::string name_, url_;
    TsaHttpOptions options_;
};

}  // namespace kustos::audit
