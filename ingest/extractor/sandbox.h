// The inner walls of kustos-extract. Raised after warm-up, before the first foreign byte.
#pragma once

#include <cstdint>

namespace kustos::extractor {

// What bubblewrap did, looked at from inside: another program's processes, this machine's files and its network can't
// be seen. wire::kApart or 0; called first, before the limits.
std::uint8_t look_around();
// Before warm-up: memory, processor time, no new files, no processes, no core dumps. Returns wire::LayerBit bits.
std::uint8_t limit_resources(std::uint64_t memory_bytes, std::uint32_t cpu_seconds);
// After warm-up: no_new_privs, then a seccomp allow-list. What asks for a file gets EACCES (poppler asks for fonts and
// goes on without), everything else that is not needed ends the process.
std::uint8_t raise_walls();

}  // namespace kustos::extractor
