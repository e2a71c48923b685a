#include "base/secret.h"

#include <sodium.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstring>
#include <fstream>
#include <string>
#include <utility>

#include "base/src/locked_arena.h"

namespace kustos {

SecretBytes::SecretBytes(std::size_t size)
    : data_(size == 0 ? nullptr : LockedArena::instance().take(size)), size_(size) {}

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
    LockedArena::instance().give_back(data_, size_);
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

KeyMemory key_memory() {
    KeyMemory memory;
    const LockedArena::Use use = LockedArena::instance().use();
    memory.bytes = use.mapped;
    memory.unlocked = use.unlocked;
    std::string line;
    std::ifstream swaps("/proc/swaps");
    std::getline(swaps, line);  // the heading
    memory.swap_on = static_cast<bool>(std::getline(swaps, line));
    std::ifstream power("/sys/power/state");
    while (power >> line) memory.hibernation = memory.hibernation || line == "disk";
    return memory;
}

}  // namespace kustos
