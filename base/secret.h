// Key material: locked in memory as far as the system lets us (key_memory()), left out of core dumps, gone from forked
// children, wiped when released, and without any way to print, log, compare or convert it by accident
// (tests/base/secret_test.cpp). Read it through view() at the place of use.
#pragma once

#include <cstddef>
#include <ostream>
#include <span>

#include "base/bytes.h"
#include "base/random.h"

namespace kustos {

class SecretBytes {
public:
    SecretBytes() = default;
    explicit SecretBytes(std::size_t size);  // zeroes
    explicit SecretBytes(ByteView copy_of);
    SecretBytes(SecretBytes&& other) noexcept;
    SecretBytes& operator=(SecretBytes&& other) noexcept;
    SecretBytes(const SecretBytes&) = delete;
    SecretBytes& operator=(const SecretBytes&) = delete;
    ~SecretBytes();
    SecretBytes clone() const { return SecretBytes(view()); }
    static SecretBytes random(Random& random, std::size_t size);
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    ByteView view() const { return {data_, size_}; }
    std::span<std::uint8_t> writable() { return {data_, size_}; }
    void wipe();  // now, and become empty
    bool operator==(const SecretBytes&) const = delete;

private:
    std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
};

// Printing a secret does not compile.
template <class Stream>
Stream& operator<<(Stream&, const SecretBytes&) = delete;

// How well this machine keeps secrets off its disks. What can't be known: whether swap is encrypted or in memory
// (zram).
struct KeyMemory {
    std::size_t bytes = 0;     // that secrets have taken from the system so far
    std::size_t unlocked = 0;  // of these: pages that may be swapped (RLIMIT_MEMLOCK)
    bool swap_on = false;
    bool hibernation = false;  // the kernel offers it: all of the memory would be written to swap
    bool may_be_swapped() const { return unlocked != 0 && swap_on; }
    bool may_be_hibernated() const { return hibernation && swap_on; }
};
KeyMemory key_memory();

bool equal_constant_time(ByteView a, ByteView b);
void wipe(std::span<std::uint8_t> bytes);
// No core dumps, no ptrace by the same user (PR_SET_DUMPABLE 0, RLIMIT_CORE 0). Call first in main().
Status harden_process();

}  // namespace kustos
