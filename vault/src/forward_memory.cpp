#include "vault/forward_memory.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fcntl.h>

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

namespace kustos::vault {

namespace {

constexpr std::size_t kBoth = 2 * ForwardMemory::kCopy;

bool has_size(int descriptor) {
    struct stat about {};
    return fstat(descriptor, &about) == 0 && about.st_size == static_cast<off_t>(kBoth);
}

// memfd_secret's files have no seals.
bool looks_secret(int descriptor) {
    return fcntl(descriptor, F_GET_SEALS) < 0;
}

}  // namespace

Result<std::unique_ptr<ForwardMemory>> ForwardMemory::map(int descriptor, bool secret) {
    void* const at = mmap(nullptr, kBoth, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (at == MAP_FAILED) {
        close(descriptor);
        return Error(Code::environment, "no memory for the forward state");
    }
    auto memory = std::unique_ptr<ForwardMemory>(new ForwardMemory(descriptor, static_cast<std::uint8_t*>(at), secret));
    static_cast<void>(madvise(at, kBoth, MADV_DONTDUMP));
    static_cast<void>(madvise(at, kBoth, MADV_DONTFORK));
    // memfd_secret's pages are locked by themselves.
    if (!secret && mlock(at, kBoth) != 0 && key_memory().swap_on)
        return Error(Code::environment, "the forward state's memory can't be locked, and swap is on");
    return memory;
}

Result<std::unique_ptr<ForwardMemory>> ForwardMemory::make(bool secret) {
    static_cast<void>(key_memory());  // raises the limit of locked memory
    int descriptor = secret ? static_cast<int>(syscall(SYS_memfd_secret, O_CLOEXEC)) : -1;
    if (descriptor >= 0) {
        if (ftruncate(descriptor, kBoth) == 0) {
            auto mapped = map(descriptor, true);
            if (mapped.ok()) return mapped;
        } else {
            close(descriptor);
        }
    }
    descriptor = memfd_create("kustos-forward", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor < 0) return Error(Code::environment, "this system has no files in memory");
    if (ftruncate(descriptor, kBoth) != 0 ||
        fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        close(descriptor);
        return Error(Code::environment, "no memory for the forward state");
    }
    return map(descriptor, false);
}

Result<std::unique_ptr<ForwardMemory>> ForwardMemory::adopt(int descriptor) {
    if (!has_size(descriptor)) {
        close(descriptor);
        return Error(Code::bad_input, "this is no forward state's memory");
    }
    static_cast<void>(fcntl(descriptor, F_SETFD, FD_CLOEXEC));
    return map(descriptor, looks_secret(descriptor));
}

ForwardMemory::~ForwardMemory() {
    munmap(memory_, kBoth);
    close(descriptor_);
}

Result<ForwardState> ForwardMemory::read(const VaultId& vault, ByteView mac_key) {
    std::optional<ForwardCopy> newest;
    for (std::size_t n = 0; n < 2; ++n) {
        auto found = decode_forward(copy(n), vault, mac_key);
        if (found.ok() && (!newest || found->sequence > newest->sequence)) newest = std::move(*found);
    }
    if (!newest) return Error(Code::not_found, "there is no whole copy of a forward state");
    sequence_ = newest->sequence;
    return std::move(newest->state);
}

bool ForwardMemory::write(const ForwardState& state, const VaultId& vault, ByteView mac_key) {
    const std::size_t size = encoded_size(state);
    if (size > kCopy) {
        wipe_all();
        return false;
    }
    ++sequence_;
    for (std::size_t n = 0; n < 2; ++n) {
        encode_into(state, vault, sequence_, mac_key, copy(n).first(size));
        if (used_[n] > size) wipe(copy(n).subspan(size, used_[n] - size));
        used_[n] = size;
        __atomic_thread_fence(__ATOMIC_SEQ_CST);  // the first copy is whole before the second is touched
    }
    return true;
}

void ForwardMemory::wipe_all() {
    wipe({memory_, kBoth});
    used_[0] = used_[1] = 0;
}

}  // namespace kustos::vault
