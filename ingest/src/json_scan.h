// Where JSON values begin and end, so that each element of a large file is read and sealed on its own, as the exact
// bytes that stand there. Nothing here judges whether a value is JSON: json_value.h does.
//
// Threads: one object, one thread. Errors: of the source only.
#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "ingest/src/window.h"

namespace kustos::ingest {

// Finds the end of one value that may come in pieces. Brackets are counted, not nested, so depth costs nothing.
class JsonExtent {
public:
    // text: from the value's first byte on, at each call as long as before or longer. npos: its end is not in it yet.
    std::size_t find(std::string_view text, bool ended);
    void consumed(std::size_t size) { at_ -= size; }  // text will start that much later

private:
    std::size_t at_ = 0, depth_ = 0;
    bool started_ = false, scalar_ = false, string_ = false, escaped_ = false;
};

// Of values that are held: views into what was given, empty where there is none. Keys are compared as they are written.
std::string_view json_member(std::string_view object, std::string_view key);
std::vector<std::string_view> json_elements(std::string_view array);
// The values of an object, in their order.
std::vector<std::string_view> json_values(std::string_view object);

// The text without the given parts of it, which are views into it and do not overlap.
Bytes without_slices(std::string_view text, std::vector<std::string_view> parts);

// One record of a stream of JSON values, and what it was.
struct JsonRecord {
    Bytes bytes;
    // piece: of a value that is longer than the limit; frame: take_frame() would have become longer than that
    enum class Is { whole, truncated, piece, frame } is = Is::whole;
};

// Reads, in their order: the elements of each top-level array; the elements of the arrays under one of `keys` in each
// top-level object; every other top-level value whole. Top-level values may follow each other with or without line
// ends between them. What is no JSON is given out line by line.
class JsonRecords {
public:
    JsonRecords(ByteSource& source, std::initializer_list<std::string_view> keys, std::size_t limit)
        : window_(source), keys_(keys), limit_(limit) {}
    Result<bool> next(JsonRecord& record);  // false: the end
    // What stood between the records since the last call: braces, other keys of an object, white space.
    Bytes take_frame();

private:
    enum class State { top, array, object };
    enum class Found { more, array, end, broken };
    void frame(std::size_t size);
    Result<bool> value(JsonRecord& record, bool to_line_end);
    Result<bool> object(JsonRecord& record, bool opened);
    Found scan_members(std::string_view text, bool opened, std::size_t& at) const;

    Window window_;
    std::vector<std::string_view> keys_;
    std::size_t limit_;
    State state_ = State::top;
    bool array_in_object_ = false, in_long_ = false, started_ = false;
    JsonExtent long_;
    Bytes frame_;
};

// Whether a frame says nothing but punctuation and the given keys.
bool is_bare_frame(std::string_view frame, std::initializer_list<std::string_view> keys);

}  // namespace kustos::ingest
