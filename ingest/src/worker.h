// One running kustos-extract, spoken to over a socket, ended at a deadline.
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/clock.h"
#include "ingest/extract.h"

namespace kustos::ingest {

class Worker {
public:
    // mode: "text", "unpack" or "pst". file: a descriptor that the worker gets as its third one, or -1. It stays the
    // caller's.
    // Code::environment: bubblewrap or the program can't be started; Code::corrupt, Code::interrupted: it did not come
    // up. What layers() says is the caller's to judge, before the first foreign byte.
    static Result<std::unique_ptr<Worker>> start(const ExtractorOptions& options, const char* mode, int file);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // Code::interrupted: the time is over; Code::corrupt: it ended, or what it says is no frame. Then the worker is of
    // no use.
    Status send(std::initializer_list<ByteView> parts, std::int64_t timeout_ms);
    // A frame of `size` bytes in pieces; each may take timeout_ms.
    Status begin(std::uint64_t size, std::int64_t timeout_ms);
    Status go_on(ByteView piece);
    Result<Bytes> receive(std::uint64_t most, std::int64_t timeout_ms);
    const SandboxLayers& layers() const { return layers_; }

private:
    Worker(int socket, int pid) : socket_(socket), pid_(pid) {}
    Status wait_for(short events, std::int64_t deadline_ms);
    Status read_fully(std::span<std::uint8_t> out, std::int64_t deadline_ms);
    Status send_part(ByteView part, std::int64_t deadline_ms);
    std::int64_t piece_timeout_ms_ = 0;  // of begin()
    int socket_ = -1;
    int pid_ = -1;
    SandboxLayers layers_;
    SystemClock clock_;
};

}  // namespace kustos::ingest
