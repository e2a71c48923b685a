#include "base/stack.h"

#include <sodium.h>

#include "base/compress.h"

namespace kustos {

// libsodium's sodium_stackzero() does the same, and says of itself that it can't promise to; neither can this: a
// compiler may keep copies elsewhere. A test looks (tests/e2e/memory_test.py).
[[gnu::noinline]] void wipe_stack() noexcept {
    zstd_forget();
    unsigned char below[kWipedStack];
    sodium_memzero(below, sizeof below);
}

}  // namespace kustos
