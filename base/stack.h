// What a piece of work left behind in its thread: on the stack words in small strings and keys in spilled registers, in
// zstd's buffers pieces of content. Call wipe_stack() where a thread is done with somebody's content and waits for the
// next.
#pragma once

#include <cstddef>

namespace kustos {

inline constexpr std::size_t kWipedStack = 192 * 1024;  // bytes below the caller; deeper calls are rare

void wipe_stack() noexcept;

// At the end of a scope: after everything that was made behind it.
class StackWiper {
public:
    StackWiper() = default;
    ~StackWiper() { wipe_stack(); }
    StackWiper(const StackWiper&) = delete;
    StackWiper& operator=(const StackWiper&) = delete;
};

}  // namespace kustos
