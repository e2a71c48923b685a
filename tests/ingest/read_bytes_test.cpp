// Bytes in memory are read as a file is, and nothing else of this process is reachable that way.
#include "ingest/read_bytes.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "tests/ingest/collect.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::ingest;

namespace {
std::string line(const std::string& more) {
    return "{\"id\":\"m1\",\"kind\":\"chat\",\"sent_at\":\"2026-03-02T10:00:00Z\",\"sender\":{\"id\":\"u1\"}" + more +
           "}\n";
}
}  // namespace

TEST_CASE("bytes are detected and read like a file with that content") {
    test::Collect sink;
    REQUIRE(read_bytes(as_bytes(line("")), nullptr, {}, sink).ok());
    REQUIRE(sink.items.size() == 1);
    CHECK(sink.items[0].message.kind == vault::MessageKind::chat);
    test::Collect mail;
    REQUIRE(read_bytes(as_bytes("From: a@example.org\r\nSubject: s\r\n\r\nb\r\n"), nullptr, {}, mail).ok());
    REQUIRE(mail.items.size() == 1);
    CHECK(mail.items[0].message.subject == "s");
    test::Collect nothing;
    REQUIRE(read_bytes(as_bytes(std::string("\0\1\2", 3)), nullptr, {}, nothing).ok());
    CHECK(nothing.quarantined() == nothing.items.size());
    REQUIRE(read_bytes({}, nullptr, {}, nothing).ok());
}

TEST_CASE("an attachment's path leads to no descriptor and no file of this process") {
    test::TempDir dir;
    RealFs fs;
    REQUIRE(replace_file(fs, dir / "secret", as_bytes("secret")).ok());
    const int fd = ::open((dir / "secret").c_str(), O_RDONLY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    std::size_t named = 0;
    for (const std::string& path : {std::to_string(fd), "./" + std::to_string(fd), std::string("../environ"),
                                    std::string("../../../etc/passwd"), std::string("/etc/passwd")}) {
        test::Collect sink;
        const std::string text = line(R"(,"attachments":[{"name":"a","path":")" + path + R"("}])");
        REQUIRE(read_bytes(as_bytes(text), find_format("stream"), {}, sink).ok());
        for (const ParsedItem& item : sink.items)
            for (const vault::Attachment& a : item.message.attachments) {
                ++named;
                CHECK(a.missing);
                CHECK(a.content.empty());
            }
    }
    CHECK(named > 0);  // a path was looked up at all
    ::close(fd);
}
