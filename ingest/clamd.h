// Asks a ClamAV daemon on this machine whether it knows something in an attachment. The verdict is shown, never acted
// on: what is sealed stays. Protocol: clamd(8), zINSTREAM and zVERSION.
//
// The content goes to that daemon in clear: so only a local socket or loopback. Bounded in time. Threads: any.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/spool.h"

namespace kustos::ingest {

struct ScanVerdict {
    enum class Result : std::uint8_t { clean, found, unchecked } result = Result::unchecked;
    std::string signature;  // of what was found, printable ASCII, at most 120 characters
    std::string engine;     // "ClamAV 1.4.3/27812/Sat Nov 28 09:40:00 2026": with the version of its signatures
};

// "stream: OK", "stream: NAME FOUND"; all else is unchecked. Foreign bytes.
ScanVerdict parse_clamd_reply(std::string_view reply);

class Clamd {
public:
    // An absolute path, or 127.0.0.1:PORT or [::1]:PORT. Code::usage.
    static Result<Clamd> at(const std::string& address, std::int64_t timeout_ms = 30'000);
    // give() gives all of its bytes, in pieces; its errors are handed through. A daemon that is away, too slow or that
    // refuses (its size limit) is the verdict `unchecked`, not an error.
    Result<ScanVerdict> scan(const std::function<Status(const ByteSink&)>& give) const;

private:
    Clamd(std::string path, bool v6, std::uint16_t port, std::int64_t timeout_ms)
        : path_(std::move(path)), v6_(v6), port_(port), timeout_ms_(timeout_ms) {}
    int connect() const;
    std::string ask_version() const;
    std::string path_;  // empty: loopback
    bool v6_;
    std::uint16_t port_;
    std::int64_t timeout_ms_;
};

}  // namespace kustos::ingest
