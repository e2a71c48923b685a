// A sliding view over a ByteSource: what was read and not yet consumed.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "ingest/format.h"

namespace kustos::ingest {

class Window {
public:
    explicit Window(ByteSource& source) : source_(source) {}
    // Reads until at least `size` bytes are there, or the input ends. Views from text() end with the call.
    Status want(std::size_t size);
    Status more();  // at least one byte more, unless at the end
    bool ended() const { return ended_; }
    std::string_view text() const { return {reinterpret_cast<const char*>(buffer_.data()) + begin_, end_ - begin_}; }
    std::size_t size() const { return end_ - begin_; }
    Bytes take(std::size_t size);  // and consume
    void consume(std::size_t size);
    std::uint64_t offset() const { return offset_; }  // of text() in the input

private:
    ByteSource& source_;
    Bytes buffer_;
    std::size_t begin_ = 0, end_ = 0;
    std::uint64_t offset_ = 0;
    bool ended_ = false;
};

struct FoundLine {
    std::size_t length = 0;    // without its end
    std::size_t consumed = 0;  // with it
    bool found = false;        // false: nothing left, or longer than the limit
    bool too_long = false;
};
// The line that starts at `from` in the window; reads more as needed. The last line may lack its end.
Result<FoundLine> find_line(Window& window, std::size_t from, std::size_t limit);

}  // namespace kustos::ingest
