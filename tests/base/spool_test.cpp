#include "base/spool.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "base/crypto.h"
#include "tests/support/temp_dir.h"

using namespace kustos;

namespace {

Bytes random_bytes(std::size_t n) {
    SeededRandom random(5);
    Bytes out(n);
    random.fill(out);
    return out;
}

// The one descriptor of this process that leads to a file without a name.
std::string nameless_descriptor(const Path& folder) {
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
        if (target.rfind(folder.string() + "/", 0) == 0 && target.find("(deleted)") != std::string::npos)
            return entry.path().string();
    }
    return {};
}

}  // namespace

TEST_CASE("what was spooled comes back, in whole and from anywhere, with its sum") {
    const test::TempDir dir;
    SystemRandom random;
    for (const std::size_t size : {0u, 1u, 65'535u, 65'536u, 65'537u, 300'001u}) {
        const Bytes content = random_bytes(size);
        const auto spool = Spool::create(dir.path(), random).value();
        for (std::size_t at = 0; at < size; at += 7'001)
            REQUIRE(spool->write(ByteView(content).subspan(at, std::min<std::size_t>(7'001, size - at))).ok());
        const SpoolPart part = end_part(spool);
        REQUIRE(spool->write(as_bytes("another")).ok());
        const SpoolPart another = end_part(spool);
        REQUIRE(spool->finish().ok());
        CHECK(spool->size() == size + 7);
        CHECK(part.size == size);
        CHECK(part.sha256 == sha256(content));
        Bytes seven(7);
        CHECK(another.read(0, seven).ok());
        CHECK(as_text(seven) == "another");
        CHECK(another.sha256 == sha256(seven));
        Bytes all;
        const Status read = part.read_all([&all](ByteView piece) {
            CHECK(piece.size() <= 64 * 1024);
            put(all, piece);
            return ok_status();
        });
        CHECK(read.ok());
        CHECK(all == content);
        for (const std::size_t at : {std::size_t{0}, size / 2, size}) {
            Bytes some(std::min<std::size_t>(size - at, 70'000));
            CHECK(part.read(at, some).ok());
            CHECK(equal(some, ByteView(content).subspan(at, some.size())));
        }
    }
}

TEST_CASE("a spool has no name, and nothing of the content stands in its file") {
    const test::TempDir dir;
    SystemRandom random;
    std::string canary = "kanarienvogel-";
    while (canary.size() < 200'000) canary += canary;
    const auto spool = Spool::create(dir.path(), random).value();
    REQUIRE(spool->write(as_bytes(canary)).ok());
    REQUIRE(spool->finish().ok());
    CHECK(std::filesystem::is_empty(dir.path()));
    const std::string descriptor = nameless_descriptor(dir.path());
    REQUIRE_FALSE(descriptor.empty());
    RealFs fs;
    const Bytes file = read_file(fs, descriptor, 1 << 20).value();
    CHECK(file.size() > canary.size());
    CHECK(as_text(file).find("kanarienvogel") == std::string_view::npos);
}

TEST_CASE("a spool's file that was changed or cut behind its back is noticed") {
    const test::TempDir dir;
    SystemRandom random;
    const auto spool = Spool::create(dir.path(), random).value();
    REQUIRE(spool->write(random_bytes(200'000)).ok());
    REQUIRE(spool->finish().ok());
    const int fd = ::open(nameless_descriptor(dir.path()).c_str(), O_RDWR);
    REQUIRE(fd >= 0);
    std::uint8_t byte = 0;
    REQUIRE(::pread(fd, &byte, 1, 70'000) == 1);
    byte ^= 1;
    REQUIRE(::pwrite(fd, &byte, 1, 70'000) == 1);
    Bytes out(10);
    CHECK(spool->read(0, out).ok());
    CHECK(spool->read(66'000, out).error().code() == Code::corrupt);
    REQUIRE(::ftruncate(fd, 150'000) == 0);
    CHECK(spool->read(190'000, out).error().code() == Code::corrupt);
    ::close(fd);
}
