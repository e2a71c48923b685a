// A file in memory for the forward state (docs/format/forward-state.md): it survives a crash of this process as long as
// another process holds its descriptor (app/forward_keeper.h, or systemd), and ends with the machine's power.
//
// Its pages never reach a disk: memfd_secret(2) where the kernel offers it (nobody else's mapping, no swap, no
// hibernation), else memfd_create(2) with locked pages. Two copies, written one after the other in place: what was
// punctured is gone from both when write() returns, and a crash in the middle leaves one whole. Threads: the owner
// locks.
#pragma once

#include <memory>
#include <optional>

#include "vault/forward_state.h"

namespace kustos::vault {

class ForwardMemory {
public:
    static constexpr std::size_t kCopy = 256 * 1024;  // bytes; about 6,900 nodes

    // Code::environment: no such memory here, or its pages can't be locked and swap is on.
    static Result<std::unique_ptr<ForwardMemory>> make(bool secret = true);  // false: not by memfd_secret
    // Takes over a descriptor that somebody has kept. Code::bad_input: not such a file.
    static Result<std::unique_ptr<ForwardMemory>> adopt(int descriptor);
    ~ForwardMemory();
    ForwardMemory(const ForwardMemory&) = delete;
    ForwardMemory& operator=(const ForwardMemory&) = delete;

    int descriptor() const { return descriptor_; }
    bool is_secret() const { return secret_; }  // memfd_secret

    // The newest whole copy. Code::not_found: none.
    Result<ForwardState> read(const VaultId& vault, ByteView mac_key);
    // False: it has more than kCopy bytes; both copies are wiped then, and a crash counts as a power loss.
    bool write(const ForwardState& state, const VaultId& vault, ByteView mac_key);
    void wipe_all();

private:
    ForwardMemory(int descriptor, std::uint8_t* memory, bool secret)
        : descriptor_(descriptor), memory_(memory), secret_(secret) {}
    static Result<std::unique_ptr<ForwardMemory>> map(int descriptor, bool secret);
    std::span<std::uint8_t> copy(std::size_t number) { return {memory_ + number * kCopy, kCopy}; }

    int descriptor_;
    std::uint8_t* memory_;
    bool secret_;
    std::uint64_t sequence_ = 0;
    std::size_t used_[2] = {kCopy, kCopy};  // bytes that may not be zero
};

}  // namespace kustos::vault
