#include "audit/zip.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "base/fs.h"
#include "base/random.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;

namespace {

Bytes sample() {
    ZipWriter writer;
    CHECK(writer.add("a.txt", as_bytes("first")).ok());
    CHECK(writer.add("b/c.bin", as_bytes(std::string_view("\0\xFF middle", 9))).ok());
    CHECK(writer.add("b/empty", {}).ok());
    CHECK(writer.add("b/\xC3\xBC.txt", as_bytes("umlaut")).ok());
    return *writer.finish();
}

}  // namespace

TEST_CASE("a zip reads back, and other programs read it too") {
    const Bytes zip = sample();
    const auto members = read_zip(zip);
    REQUIRE(members.ok());
    REQUIRE(members->size() == 4);
    CHECK(members->at(0).name == "a.txt");
    CHECK(as_text(members->at(0).content) == "first");
    CHECK(members->at(2).content.empty());
    CHECK(crc32(as_bytes("123456789")) == 0xCBF43926u);

    test::TempDir dir;
    RealFs fs;
    REQUIRE(replace_file(fs, dir / "a.zip", zip).ok());
    const std::string command =
        "python3 -c 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; "
        "assert z.read(\"a.txt\") == b\"first\" and len(z.namelist()) == 4' '" +
        (dir / "a.zip").string() + "'";
    CHECK(std::system(command.c_str()) == 0);
    CHECK(read_zip(*ZipWriter().finish()).ok());
}

TEST_CASE("unsafe or repeated names are not written") {
    ZipWriter writer;
    for (const char* name : {"", "/a", "../a", "a/../b"}) CHECK(!writer.add(name, {}).ok());
    CHECK(writer.add("a", {}).ok());
    CHECK(!writer.add("a", {}).ok());
}

TEST_CASE("every changed bit, every cut and every byte more is refused") {
    const Bytes zip = sample();
    for (std::size_t at = 0; at < zip.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            Bytes changed = zip;
            changed[at] = static_cast<std::uint8_t>(changed[at] ^ (1u << bit));
            if (read_zip(changed).ok()) FAIL_CHECK("bit " << bit << " of byte " << at);
        }
        if (read_zip(ByteView(zip).first(at)).ok()) FAIL_CHECK("cut at " << at);
    }
    Bytes longer = zip;
    longer.push_back(0);
    CHECK(!read_zip(longer).ok());
    Bytes before{0};
    put(before, zip);
    CHECK(!read_zip(before).ok());
}

TEST_CASE("names that leave the folder, and names that stand twice, are refused when read") {
    for (const char* name : {"../x.txt", "/abs.txt"}) {
        ZipWriter writer;
        const std::string harmless(std::string_view(name).size(), 'n');
        REQUIRE(writer.add(harmless, as_bytes("x")).ok());
        std::string zip = to_text(*writer.finish());
        for (std::size_t at = zip.find(harmless); at != zip.npos; at = zip.find(harmless, at))
            zip.replace(at, harmless.size(), name);
        CHECK(!read_zip(as_bytes(zip)).ok());
    }
    ZipWriter writer;
    REQUIRE(writer.add("one", as_bytes("x")).ok());
    REQUIRE(writer.add("two", as_bytes("y")).ok());
    std::string zip = to_text(*writer.finish());
    for (std::size_t at = zip.find("two"); at != zip.npos; at = zip.find("two", at)) zip.replace(at, 3, "one");
    CHECK(!read_zip(as_bytes(zip)).ok());
}
