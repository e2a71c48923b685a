// Opens a file that a foreign text names, never outside a folder and never through a symbolic link.
#pragma once

#include <utility>

#include "base/fs.h"
#include "base/spool.h"

namespace kustos::ingest {

class NamedFile {
public:
    NamedFile(int fd, std::uint64_t size) : fd_(fd), size_(size) {}
    NamedFile(NamedFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}
    NamedFile(const NamedFile&) = delete;
    NamedFile& operator=(const NamedFile&) = delete;
    ~NamedFile();
    std::uint64_t size() const { return size_; }  // when it was opened
    Status read_all(const ByteSink& sink) const;  // of at most size() bytes, in pieces

private:
    int fd_;
    std::uint64_t size_;
};
// Code::not_found: absent; Code::bad_input: not a plain path inside.
Result<NamedFile> open_beneath(const Path& folder, std::string_view relative);

}  // namespace kustos::ingest
