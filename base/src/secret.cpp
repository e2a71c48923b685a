#include "base/secret.h"

#include <sodium.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstdlib>
#include <cstring>
#include <utility>

namespace kustos {

namespace {
// Small secrets by the thousand (key tree nodes) would use up RLIMIT_MEMLOCK and a guard page each with sodium_malloc.
// So: plain memory of a process that is kept out of core dumps, wiped on release. It is not locked: docs/operations.md
// asks for encrypted swap or none.
std::uint8_t* allocate(std::size_t size) {
    auto* data = static_cast<std::uint8_t*>(std::calloc(1, size == 0 ? 1 : size));
    CHECK(data != nullptr);
    return data;
}
}  // namespace

SecretBytes::SecretBytes(std::size_t size) : data_(allocate(size)), size_(size) {}

SecretBytes::SecretBytes(ByteView copy_of) : SecretBytes(copy_of.size()) {
    if (size_ != 0) std::memcpy(data_, copy_of.data(), size_);
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
        wipe();
        data_ = std::exchange(other.data_, nullptr);
        size_ = std::exchange(other.size_, 0);
    }
    return *this;
}

SecretBytes::~SecretBytes() {
    wipe();
}

void SecretBytes::wipe() {
    if (data_ == nullptr) return;
    sodium_memzero(data_, size_);
    std::free(data_);
    data_ = nullptr;
    size_ = 0;
}

SecretBytes SecretBytes::random(Random& random, std::size_t size) {
    SecretBytes secret(size);
    random.fill(secret.writable());
    return secret;
}

bool equal_constant_time(ByteView a, ByteView b) {
    return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(std::span<std::uint8_t> bytes) {
    sodium_memzero(bytes.data(), bytes.size());
}

Status harden_process() {
    if (sodium_init() < 0) return Error(Code::environment, "libsodium can't start");
    const rlimit none{0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) return Error(Code::environment, "core dumps can't be switched off");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return Error(Code::environment, "PR_SET_DUMPABLE failed");
    return {};
}

}  // namespace kustos
