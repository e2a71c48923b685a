// Secrets can't be printed, compared, copied or converted by accident: that they can't is compiled here. And where they
// live: locked, wiped, small.
#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "base/crypto.h"
#include "base/log.h"
#include "base/secret.h"
#include "tests/support/secret_type.h"

using namespace kustos;

static_assert(test::keeps_itself<SecretBytes>());
static_assert(test::keeps_itself<Ed25519Key>());
static_assert(test::keeps_itself<X25519Key>());
// The questions do tell: what is public is printed, compared, copied and converted.
static_assert(test::Printable<std::string> && test::Comparable<std::string> && test::TextLike<std::string>);
static_assert(test::BytesLike<Bytes> && test::Loggable<Hash> && test::Loggable<Code> && test::Copyable<Ed25519Public>);
static_assert(!test::keeps_itself<std::string>() && !test::keeps_itself<Bytes>() && !test::keeps_itself<Hash>());

TEST_CASE("a secret's memory is zero when it is new, even where another has been") {
    std::vector<SecretBytes> held;
    for (int round = 0; round < 3; ++round) {
        for (const std::size_t size : {1u, 16u, 31u, 32u, 33u, 700u, 4096u, 5000u, 32768u, 100'000u}) {
            SecretBytes s(size);
            CHECK(s.size() == size);
            CHECK(std::all_of(s.view().begin(), s.view().end(), [](std::uint8_t b) { return b == 0; }));
            std::fill(s.writable().begin(), s.writable().end(), std::uint8_t{0xaa});
            if (round != 1) held.push_back(std::move(s));
        }
    }
    CHECK(SecretBytes(0).empty());
    CHECK(SecretBytes(ByteView{}).empty());
}

TEST_CASE("secrets of 32 bytes take 32 bytes each, and their memory is locked where this process may lock") {
    const KeyMemory before = key_memory();
    std::vector<SecretBytes> keys;
    for (int i = 0; i < 40'000; ++i) keys.emplace_back(std::size_t{32});
    const KeyMemory full = key_memory();
    CHECK(full.bytes - before.bytes <= 40'000 * 32 + 256 * 1024);
    MESSAGE("bytes of 40,000 keys: " << full.bytes - before.bytes << ", not locked: " << full.unlocked);
    keys.clear();
    for (int i = 0; i < 40'000; ++i) keys.emplace_back(std::size_t{32});
    CHECK(key_memory().bytes == full.bytes);  // what was released is used again
    if (geteuid() == 0) CHECK(full.unlocked == 0);
}

TEST_CASE("a forked child finds no secret of its parent, and can make its own") {
    SecretBytes secret(ByteView(std::vector<std::uint8_t>(32, 0x77)));
    const SecretBytes released_before = SecretBytes(std::size_t{32});
    const pid_t child = fork();
    if (child == 0) {
        bool zero = true;
        for (const std::uint8_t b : secret.view()) zero = zero && b == 0;
        const SecretBytes own(ByteView(std::vector<std::uint8_t>(32, 0x11)));
        _exit(zero && own.view()[31] == 0x11 ? 0 : 1);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK(secret.view()[0] == 0x77);
}

TEST_CASE("many threads take and give back secrets, and no two hold the same memory") {
    std::vector<std::thread> threads;
    std::atomic<int> mixed_up = 0;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([t, &mixed_up] {
            std::vector<SecretBytes> held(64);
            std::uint32_t random = static_cast<std::uint32_t>(t) + 1;
            for (int i = 0; i < 50'000; ++i) {
                random = random * 1'664'525 + 1'013'904'223;
                SecretBytes& s = held[(random >> 8) % held.size()];
                for (const std::uint8_t b : s.view()) mixed_up += b != t + 1;
                s = SecretBytes((random >> 16) % 200 + 1);
                std::fill(s.writable().begin(), s.writable().end(), static_cast<std::uint8_t>(t + 1));
            }
        });
    }
    for (std::thread& t : threads) t.join();
    CHECK(mixed_up == 0);
}

TEST_CASE("what was released is gone from this process's memory") {
    // The pattern is made at run time and looked for through the kernel, as a debugger would.
    std::vector<std::uint8_t> pattern(32);
    for (std::size_t i = 0; i < pattern.size(); ++i) pattern[i] = static_cast<std::uint8_t>(i * 37 + 11);
    SecretBytes secret{ByteView(pattern)};
    const std::uint8_t* const at = secret.view().data();
    const auto there = [&] {
        std::ifstream memory("/proc/self/mem", std::ios::binary);
        memory.seekg(static_cast<std::streamoff>(reinterpret_cast<std::uintptr_t>(at)) + 8);
        char bytes[24] = {};
        REQUIRE(memory.read(bytes, sizeof bytes));
        return std::equal(bytes, bytes + sizeof bytes, pattern.begin() + 8,
                          [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
    };
    CHECK(there());
    secret.wipe();
    CHECK(!there());
}
