// Key material: locked in memory, left out of core dumps, wiped when released, and without any way to
// print, log or compare it by accident. Read it through view() at the place of use.
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

bool equal_constant_time(ByteView a, ByteView b);
void wipe(std::span<std::uint8_t> bytes);
// No core dumps, no ptrace by the same user (PR_SET_DUMPABLE 0, RLIMIT_CORE 0). Call first in main().
Status harden_process();

}  // namespace kustos
