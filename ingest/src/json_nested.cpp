#include "ingest/src/json_nested.h"

namespace kustos::ingest {

namespace {
constexpr std::size_t kDepth = 64;
constexpr std::size_t kHead = 16u << 10;  // of an object before its array
constexpr std::size_t kString = 256;      // of a key
constexpr auto npos = std::string_view::npos;
}  // namespace

void JsonNested::to_frame(std::size_t size) {
    put(frame_, window_.text().substr(0, size));
    window_.consume(size);
}

void JsonNested::note(char c) {
    if (deeper_ > 0 || levels_.empty() || !levels_.back().object) return;
    std::string& head = levels_.back().head;
    if (head.size() <= kHead) head += c;
}

void JsonNested::inside_string(char c) {
    if (escaped_) {
        escaped_ = false;
    } else if (c == '\\') {
        escaped_ = true;
    } else if (c == '"') {
        in_string_ = false;
        return;
    }
    if (string_.size() <= kString) string_ += c;
}

void JsonNested::open(char c) {
    key_.clear();
    if (levels_.size() >= kDepth) {
        ++deeper_;
        return;
    }
    levels_.push_back({c == '{', "{"});
}

void JsonNested::close() {
    key_.clear();
    if (deeper_ > 0) {
        --deeper_;
        return;
    }
    if (!levels_.empty()) levels_.pop_back();
    for (const char c : std::string_view("null")) note(c);
}

// Goes on over `text`; true: an event came up, `at` is behind it.
bool JsonNested::scan(std::string_view text, std::size_t& at, JsonNestedEvent& event) {
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (in_string_) {
            note(c);
            inside_string(c);
        } else if (c == '"') {
            note(c);
            in_string_ = true;
            string_.clear();
        } else if (c == '[' && key_ == wanted_ && deeper_ == 0 && !levels_.empty() && levels_.back().object) {
            ++at;
            in_elements_ = true;
            event.is = JsonNestedEvent::Is::opened;
            event.text = levels_.back().head.size() <= kHead ? levels_.back().head + "[]}" : std::string();
            return true;
        } else if (c == '{' || c == '[') {
            open(c);
        } else if (c == '}' || c == ']') {
            close();
        } else {
            note(c);
            if (c == ':') key_ = string_;
            if (c == ',') key_.clear();
        }
    }
    return false;
}

Result<bool> JsonNested::element(JsonNestedEvent& event) {
    using Is = JsonNestedEvent::Is;
    JsonExtent fresh;
    JsonExtent& extent = in_long_ ? long_ : fresh;
    for (;;) {
        const std::string_view text = window_.text().substr(0, limit_);
        const bool ended = window_.ended() && text.size() == window_.size();
        std::size_t end = extent.find(text, ended);
        if (end == 0 && in_long_) {
            in_long_ = false;
            return next(event);
        }
        if (end == 0) end = 1;  // a stray bracket
        if (end != npos || ended) {
            event.is = in_long_ ? Is::piece : end == npos ? Is::truncated : Is::element;
            event.bytes = window_.take(end == npos ? text.size() : end);
            in_long_ = false;
            return !event.bytes.empty();
        }
        if (text.size() == limit_) {
            if (!in_long_) long_ = extent;
            long_.consumed(limit_);
            in_long_ = true;
            event.is = Is::piece;
            event.bytes = window_.take(limit_);
            return true;
        }
        TRY(window_.want(std::max<std::size_t>(window_.size() * 2, 1)));
    }
}

Result<bool> JsonNested::next(JsonNestedEvent& event) {
    event = {};
    for (;;) {
        TRY(window_.want(1));
        const bool ended = window_.size() == 0;
        if (frame_.size() >= limit_ || (ended && !frame_.empty())) {
            event.is = JsonNestedEvent::Is::frame;
            event.bytes = std::exchange(frame_, {});
            return true;
        }
        if (ended) return false;
        if (in_long_) return element(event);
        if (in_elements_) {
            const char c = window_.text().front();
            if (c == ']') {
                in_elements_ = false;
                key_.clear();
                for (const char n : std::string_view("null")) note(n);
                to_frame(1);
            } else if (c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n') {
                to_frame(1);
            } else {
                return element(event);
            }
            continue;
        }
        std::size_t at = 0;
        const bool found = scan(window_.text().substr(0, limit_), at, event);
        to_frame(at);
        if (found) return true;
    }
}

}  // namespace kustos::ingest
