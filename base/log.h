// The log: one line an event on standard error, `time level event key=value ...`.
//
// Content, addresses, subjects, query text and keys never reach it. So values are numbers, booleans, ids, hashes, error
// codes, and string literals; a std::string does not compile.
// Threads: safe.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"

namespace kustos {

enum class LogLevel { debug, info, warning, error };

class LogValue {
public:
    template <std::integral T>
    LogValue(T v) : text_(std::is_same_v<T, bool> ? (v ? "true" : "false") : std::to_string(v)) {}  // NOLINT
    template <class Tag, class Int>
    LogValue(StrongInt<Tag, Int> v) : text_(std::to_string(v.value)) {}  // NOLINT
    template <class Tag, std::size_t N>
    LogValue(const FixedBytes<Tag, N>& v) : text_(v.hex().substr(0, 16)) {}  // NOLINT
    template <std::size_t N>
    LogValue(const char (&literal)[N]) : text_(literal, N - 1) {}  // NOLINT
    LogValue(Code code) : text_(code_name(code)) {}                // NOLINT
    const std::string& text() const { return text_; }

private:
    std::string text_;
};

struct LogField {
    const char* key;
    LogValue value;
};

void set_log_level(LogLevel least);
// event: a literal of lower-case words, "batch committed".
void log(LogLevel level, const char* event, std::initializer_list<LogField> fields = {});

}  // namespace kustos
