// The elements of the arrays under one key, wherever they stand in a JSON text of any size: for exports that nest chats
// in lists. What stands around them is frame. Nothing here judges whether it is JSON: json_value.h does.
//
// Threads: one object, one thread. Errors: of the source only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "ingest/src/json_scan.h"
#include "ingest/src/window.h"

namespace kustos::ingest {

struct JsonNestedEvent {
    // opened: such an array begins; `text` is its object so far, closed, with null for what was nested in it (empty:
    // too long). element, piece (of one longer than the limit), truncated, frame: `bytes`.
    enum class Is { opened, element, piece, truncated, frame } is = Is::frame;
    Bytes bytes;
    std::string text;
};

class JsonNested {
public:
    JsonNested(ByteSource& source, std::string_view key, std::size_t limit)
        : window_(source), wanted_(key), limit_(limit) {}
    Result<bool> next(JsonNestedEvent& event);  // false: the end

private:
    struct Level {
        bool object = false;
        std::string head;
    };
    bool scan(std::string_view text, std::size_t& at, JsonNestedEvent& event);
    void inside_string(char c);
    void open(char c);
    void close();
    void note(char c);
    Result<bool> element(JsonNestedEvent& event);
    void to_frame(std::size_t size);

    Window window_;
    std::string wanted_;
    std::size_t limit_;
    std::vector<Level> levels_;
    std::size_t deeper_ = 0;  // levels that are only counted
    std::string string_, key_;
    bool in_string_ = false, escaped_ = false, in_elements_ = false, in_long_ = false;
    JsonExtent long_;
    Bytes frame_;
};

}  // namespace kustos::ingest
