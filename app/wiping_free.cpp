// Memory that this program releases is overwritten: what was searched, shown or sealed must not outlive its use in the
// heap. So free() and realloc() of the whole program, libraries included, stand here in front of glibc's.
//
// Rejected: mallopt(M_PERTURB), which leaves alone what goes into a thread's cache (up to 1,032 bytes, glibc 2.36), and
// wiping by hand, which ends at the first library. Not under a sanitizer, which has its own.
#include <malloc.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/sanitized.h"

#if defined(__GLIBC__) && !defined(KUSTOS_SANITIZED)

extern "C" {

void __libc_free(void*);
void* __libc_realloc(void*, std::size_t);

namespace {
// Large blocks are mappings of their own, which the kernel takes back whole: glibc's chunk header says so (bit 1 of
// the size before the block; malloc/malloc.c, IS_MMAPPED).
bool is_mapping(const void* block) {
    std::size_t head = 0;
    std::memcpy(&head, static_cast<const std::uint8_t*>(block) - sizeof head, sizeof head);
    return (head & 2) != 0;
}

void overwrite(void* block, std::size_t from, std::size_t end) {
    std::memset(static_cast<std::uint8_t*>(block) + from, 0, end - from);
    __asm__ volatile("" : : "r"(block) : "memory");
}
}  // namespace

void free(void* block) noexcept {
    if (block == nullptr) return;
    const int before = errno;
    if (!is_mapping(block)) overwrite(block, 0, malloc_usable_size(block));
    __libc_free(block);
    errno = before;
}

void* realloc(void* block, std::size_t size) noexcept {
    if (block == nullptr) return std::malloc(size);
    if (size == 0) {
        free(block);
        return nullptr;
    }
    const std::size_t now = malloc_usable_size(block);
    if (is_mapping(block)) {
        if (size > 256 * 1024) return __libc_realloc(block, size);  // moved by the kernel, nothing is copied
    } else if (size <= now && size >= now / 2) {
        overwrite(block, size, now);
        return block;
    }
    void* const moved = std::malloc(size);
    if (moved == nullptr) return nullptr;
    std::memcpy(moved, block, now < size ? now : size);
    free(block);
    return moved;
}

void* reallocarray(void* block, std::size_t count, std::size_t size) noexcept {
    std::size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return nullptr;
    }
    return realloc(block, bytes);
}

}  // extern "C"

#endif
