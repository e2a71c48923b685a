// Walking the frames of one segment file; shared by writer and reader.
#pragma once

#include <functional>
#include <optional>

#include "audit/segment.h"

namespace kustos::audit {

// Reads frame lengths through a small window, because most frames are small and lie close together.
class FrameWalker {
public:
    FrameWalker(File& file, std::uint64_t offset) : file_(file), offset_(offset) {}
    std::uint64_t offset() const { return offset_; }
    // Steps over the frame of an entry with this header. Code::corrupt: the length is neither the header's nor 0, or
    // the file ends before the frame's head.
    Status step(const EntryHeader& header);
    // The file may have grown: what was read ahead (zeros, where frames stand by now) is read again.
    void forget_window() { window_.clear(); }

private:
    Result<std::uint64_t> length_at(std::uint64_t offset);
    File& file_;
    std::uint64_t offset_;
    Bytes window_;
    std::uint64_t window_start_ = 0;
};

Result<std::uint64_t> checked_length(std::uint64_t length, const EntryHeader& header);

}  // namespace kustos::audit
