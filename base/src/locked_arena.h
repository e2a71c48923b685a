// Where SecretBytes live: pages that are locked (not swapped), left out of core dumps, empty in a forked child.
//
// Cells of fixed sizes, without a header or guard page each, so that a key of 32 bytes costs 32 bytes; above kLargest a
// mapping of its own. What is released is wiped at once; its pages stay with the arena. Threads: safe. Never destroyed:
// secrets in static objects may outlive main().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace kustos {

class LockedArena {
public:
    static LockedArena& instance();

    std::uint8_t* take(std::size_t size);  // zeroes; never null (without memory the program ends)
    void give_back(std::uint8_t* cell, std::size_t size);

    struct Use {
        std::size_t mapped = 0, unlocked = 0;  // bytes
    };
    Use use() const;

    static constexpr std::size_t kLargest = 32 * 1024;

private:
    LockedArena();
    std::uint8_t* map(std::size_t size);  // under mutex_
    void refill(std::size_t size_class);  // likewise

    // In the released cell itself; all zero in a forked child, where the list then simply ends.
    struct Free {
        Free* next;
    };
    mutable std::mutex mutex_;
    std::array<Free*, 19> free_{};   // guarded by mutex_, as all below
    std::uint8_t* fresh_ = nullptr;  // of the chunk at work: not handed out yet
    std::size_t fresh_left_ = 0;
    Use use_;
};

}  // namespace kustos
