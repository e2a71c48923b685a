#include "ingest/src/json_scan.h"

#include <algorithm>

namespace kustos::ingest {

namespace {

constexpr auto npos = std::string_view::npos;

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
std::size_t skip_space(std::string_view text, std::size_t at) {
    while (at < text.size() && is_space(text[at])) ++at;
    return at;
}

}  // namespace

std::size_t JsonExtent::find(std::string_view text, bool ended) {
    for (; at_ < text.size(); ++at_) {
        const char c = text[at_];
        if (!started_) {
            started_ = true;
            scalar_ = c != '{' && c != '[' && c != '"';
        }
        if (string_) {
            if (escaped_) {
                escaped_ = false;
            } else if (c == '\\') {
                escaped_ = true;
            } else if (c == '"') {
                string_ = false;
                if (depth_ == 0) return ++at_;
            }
        } else if (scalar_) {
            if (is_space(c) || c == ',' || c == ']' || c == '}') return at_;
        } else if (c == '"') {
            string_ = true;
        } else if (c == '{' || c == '[') {
            ++depth_;
        } else if (c == '}' || c == ']') {
            if (depth_ <= 1) return ++at_;
            --depth_;
        }
    }
    return ended && scalar_ ? at_ : npos;
}

namespace {

// Gives each member (key as it is written, value) until `give` says false or the object is no more one.
template <typename Give>
void walk_members(std::string_view object, const Give& give) {
    std::size_t at = skip_space(object, 0);
    if (at >= object.size() || object[at] != '{') return;
    for (++at;;) {
        at = skip_space(object, at);
        if (at >= object.size() || object[at] != '"') return;
        JsonExtent name_extent;
        const std::size_t name_end = name_extent.find(object.substr(at), true);
        if (name_end == npos) return;
        const std::string_view name = object.substr(at + 1, name_end - 2);
        at = skip_space(object, at + name_end);
        if (at >= object.size() || object[at] != ':') return;
        at = skip_space(object, at + 1);
        JsonExtent extent;
        const std::size_t size = at < object.size() ? extent.find(object.substr(at), true) : npos;
        if (size == npos || !give(name, object.substr(at, size))) return;
        at = skip_space(object, at + size);
        if (at >= object.size() || object[at] != ',') return;
        ++at;
    }
}

}  // namespace

std::string_view json_member(std::string_view object, std::string_view key) {
    std::string_view out;
    walk_members(object, [&](std::string_view name, std::string_view value) {
        if (name != key) return true;
        out = value;
        return false;
    });
    return out;
}

std::vector<std::string_view> json_values(std::string_view object) {
    std::vector<std::string_view> out;
    walk_members(object, [&](std::string_view, std::string_view value) {
        out.push_back(value);
        return true;
    });
    return out;
}

std::vector<std::string_view> json_elements(std::string_view array) {
    std::vector<std::string_view> out;
    std::size_t at = skip_space(array, 0);
    if (at >= array.size() || array[at] != '[') return out;
    for (++at;;) {
        at = skip_space(array, at);
        if (at >= array.size() || array[at] == ']') return out;
        JsonExtent extent;
        const std::size_t size = extent.find(array.substr(at), true);
        if (size == npos || size == 0) return out;
        out.push_back(array.substr(at, size));
        at = skip_space(array, at + size);
        if (at >= array.size() || array[at] != ',') return out;
        ++at;
    }
}

void JsonRecords::frame(std::size_t size) {
    put(frame_, window_.text().substr(0, size));
    window_.consume(size);
}

Bytes JsonRecords::take_frame() {
    return std::exchange(frame_, {});
}

// A value that starts at the window's front. A value longer than the limit comes out in pieces.
Result<bool> JsonRecords::value(JsonRecord& record, bool to_line_end) {
    JsonExtent fresh;
    JsonExtent& extent = in_long_ ? long_ : fresh;
    for (;;) {
        const std::string_view text = window_.text().substr(0, limit_);
        const bool ended = window_.ended() && text.size() == window_.size();
        std::size_t end = to_line_end ? text.find('\n') : extent.find(text, ended);
        if (to_line_end && end == npos && ended) end = text.size();
        if (in_long_ && (end == 0 || (ended && text.empty()))) {
            in_long_ = false;
            return next(record);
        }
        // A stray bracket where a value should be is a value of one byte: reading goes on behind it.
        if (end == 0) end = 1;
        if (end != npos) {
            record = {window_.take(end), in_long_ ? JsonRecord::Is::piece : JsonRecord::Is::whole};
            in_long_ = false;
            return true;
        }
        if (ended) {
            record = {window_.take(text.size()), in_long_ ? JsonRecord::Is::piece : JsonRecord::Is::truncated};
            in_long_ = false;
            return true;
        }
        if (text.size() == limit_) {
            if (!to_line_end) {
                if (!in_long_) long_ = extent;
                long_.consumed(limit_);
                in_long_ = true;
            }
            record = {window_.take(limit_), JsonRecord::Is::piece};
            return true;
        }
        TRY(window_.want(std::max<std::size_t>(window_.size() * 2, 1)));
    }
}

// From the front of the window, an object's '{' (opened: behind an array in it). array: `at` is behind the array's '['.
JsonRecords::Found JsonRecords::scan_members(std::string_view text, bool opened, std::size_t& at) const {
    at = opened ? 0 : 1;
    bool expect_key = !opened;
    for (;;) {
        at = skip_space(text, at);
        if (at >= text.size()) return Found::more;
        if (text[at] == '}') {
            ++at;
            return Found::end;
        }
        if (!expect_key) {
            if (text[at] != ',') return Found::broken;
            ++at;
            expect_key = true;
            continue;
        }
        if (text[at] != '"') return Found::broken;
        JsonExtent name_extent;
        const std::size_t name_size = name_extent.find(text.substr(at), false);
        if (name_size == npos) return Found::more;
        const std::string_view name = text.substr(at + 1, name_size - 2);
        at = skip_space(text, at + name_size);
        if (at >= text.size()) return Found::more;
        if (text[at] != ':') return Found::broken;
        at = skip_space(text, at + 1);
        if (at >= text.size()) return Found::more;
        if (text[at] == '[' && std::find(keys_.begin(), keys_.end(), name) != keys_.end()) {
            ++at;
            return Found::array;
        }
        JsonExtent extent;
        const std::size_t size = extent.find(text.substr(at), false);
        if (size == npos) return Found::more;
        if (size == 0) return Found::broken;
        at += size;
        expect_key = false;
    }
}

// true: a record; false: the state has moved on.
Result<bool> JsonRecords::object(JsonRecord& record, bool opened) {
    for (;;) {
        const std::string_view text = window_.text();
        std::size_t at = 0;
        const Found found = scan_members(text, opened, at);
        if (found == Found::array) {
            frame(at);
            state_ = State::array;
            array_in_object_ = true;
            return false;
        }
        if (found == Found::end && opened) {
            frame(at);
            state_ = State::top;
            return false;
        }
        if (found == Found::broken || (found == Found::more && (window_.ended() || text.size() > limit_))) {
            state_ = State::top;
            // The rest of an object that goes wrong behind its array is no frame: it may hold anything.
            return value(record, opened);
        }
        if (found == Found::end) return value(record, false);
        TRY(window_.want(text.size() * 2));
    }
}

Result<bool> JsonRecords::next(JsonRecord& record) {
    if (in_long_) return value(record, false);
    for (;;) {
        if (frame_.size() >= limit_ && !frame_.empty()) {
            record = {take_frame(), JsonRecord::Is::frame};
            return true;
        }
        TRY(window_.want(started_ ? 1 : 3));
        if (!started_ && window_.text().substr(0, 3) == "\xEF\xBB\xBF") frame(3);
        started_ = true;
        if (window_.size() == 0) {
            if (window_.ended()) return false;
            continue;
        }
        const char c = window_.text().front();
        if (is_space(c) || (c == ',' && state_ != State::object)) {
            frame(1);
        } else if (state_ == State::object) {
            if (TRY(object(record, true))) return true;
        } else if (state_ == State::array) {
            if (c == ']') {
                frame(1);
                state_ = array_in_object_ ? State::object : State::top;
                array_in_object_ = false;
            } else {
                return value(record, false);
            }
        } else if (c == '[') {
            frame(1);
            state_ = State::array;
        } else if (c == '{') {
            if (TRY(object(record, false))) return true;
        } else {
            return value(record, true);
        }
    }
}

bool is_bare_frame(std::string_view frame, std::initializer_list<std::string_view> keys) {
    if (frame.substr(0, 3) == "\xEF\xBB\xBF") frame.remove_prefix(3);
    while (!frame.empty()) {
        const char c = frame.front();
        if (is_space(c) || c == ',' || c == '{' || c == '}' || c == '[' || c == ']' || c == ':') {
            frame.remove_prefix(1);
            continue;
        }
        const auto key = std::find_if(keys.begin(), keys.end(), [&](std::string_view k) {
            return frame.size() >= k.size() + 2 && frame[0] == '"' && frame.substr(1, k.size()) == k &&
                   frame[k.size() + 1] == '"';
        });
        if (key == keys.end()) return false;
        frame.remove_prefix(key->size() + 2);
    }
    return true;
}

Bytes without_slices(std::string_view text, std::vector<std::string_view> parts) {
    std::sort(parts.begin(), parts.end(), [](auto a, auto b) { return a.data() < b.data(); });
    Bytes out;
    std::size_t at = 0;
    for (const std::string_view part : parts) {
        const auto begin = static_cast<std::size_t>(part.data() - text.data());
        put(out, text.substr(at, begin - at));
        at = begin + part.size();
    }
    put(out, text.substr(at));
    return out;
}

}  // namespace kustos::ingest
