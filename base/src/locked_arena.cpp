#include "base/src/locked_arena.h"

#include <sodium.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>

#include "base/result.h"
#include "base/sanitized.h"

#ifdef KUSTOS_SANITIZED_ADDRESS
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) static_cast<void>(0)
#define ASAN_UNPOISON_MEMORY_REGION(address, size) static_cast<void>(0)
#endif

namespace kustos {

namespace {

constexpr std::array<std::size_t, 19> kClasses = {16,  32,   48,   64,   96,   128,  192,   256,   384,  512,
                                                  768, 1024, 1536, 2048, 4096, 8192, 12288, 16384, 32768};
constexpr std::size_t kChunk = 128 * 1024, kPage = 4096;

std::size_t class_of(std::size_t size) {
    return static_cast<std::size_t>(std::lower_bound(kClasses.begin(), kClasses.end(), size) - kClasses.begin());
}

std::size_t whole_pages(std::size_t size) {
    return (size + kPage - 1) / kPage * kPage;
}

// As far as this process may: root and CAP_SYS_RESOURCE without limit, others up to the hard limit.
void raise_limit() {
    const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
    if (setrlimit(RLIMIT_MEMLOCK, &all) == 0) return;
    rlimit now{};
    if (getrlimit(RLIMIT_MEMLOCK, &now) != 0) return;
    now.rlim_cur = now.rlim_max;
    static_cast<void>(setrlimit(RLIMIT_MEMLOCK, &now));
}

}  // namespace

LockedArena& LockedArena::instance() {
    static LockedArena& arena = *new LockedArena;
    return arena;
}

LockedArena::LockedArena() {
    raise_limit();
}

std::uint8_t* LockedArena::map(std::size_t size) {
    void* const at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(at != MAP_FAILED);
    use_.mapped += size;
    if (mlock(at, size) != 0) use_.unlocked += size;
    static_cast<void>(madvise(at, size, MADV_DONTDUMP));
    static_cast<void>(madvise(at, size, MADV_WIPEONFORK));
    return static_cast<std::uint8_t*>(at);
}

void LockedArena::refill(std::size_t size_class) {
    const std::size_t size = kClasses[size_class];
    if (fresh_left_ < size) {
        // What is left of the old chunk serves smaller cells.
        for (std::size_t c = size_class; c-- > 0;) {
            while (fresh_left_ >= kClasses[c]) {
                Free* const cell = reinterpret_cast<Free*>(fresh_);
                cell->next = free_[c];
                free_[c] = cell;
                ASAN_POISON_MEMORY_REGION(fresh_, kClasses[c]);
                fresh_ += kClasses[c];
                fresh_left_ -= kClasses[c];
            }
        }
        fresh_ = map(kChunk);
        fresh_left_ = kChunk;
    }
    Free* const cell = reinterpret_cast<Free*>(fresh_);
    cell->next = nullptr;
    free_[size_class] = cell;
    ASAN_POISON_MEMORY_REGION(fresh_, size);
    fresh_ += size;
    fresh_left_ -= size;
}

std::uint8_t* LockedArena::take(std::size_t size) {
    const std::lock_guard lock(mutex_);
    if (size > kLargest) return map(whole_pages(size));
    const std::size_t c = class_of(size);
    if (free_[c] == nullptr) refill(c);
    Free* const cell = free_[c];
    ASAN_UNPOISON_MEMORY_REGION(cell, size);
    ASAN_UNPOISON_MEMORY_REGION(cell, sizeof(Free));
    free_[c] = cell->next;
    cell->next = nullptr;
    return reinterpret_cast<std::uint8_t*>(cell);
}

void LockedArena::give_back(std::uint8_t* cell, std::size_t size) {
    sodium_memzero(cell, size);
    const std::lock_guard lock(mutex_);
    if (size > kLargest) {
        const std::size_t mapped = whole_pages(size);
        if (munmap(cell, mapped) == 0) {
            use_.mapped -= mapped;
            use_.unlocked -= std::min(use_.unlocked, mapped);
        }
        return;
    }
    const std::size_t c = class_of(size);
    Free* const freed = reinterpret_cast<Free*>(cell);
    freed->next = free_[c];
    free_[c] = freed;
    ASAN_POISON_MEMORY_REGION(cell, kClasses[c]);
}

LockedArena::Use LockedArena::use() const {
    const std::lock_guard lock(mutex_);
    return use_;
}

}  // namespace kustos
