// Zips for tests, stored without compression, with whatever names and checksums one likes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/fs.h"

namespace kustos::test {

class ZipBuilder {
public:
    void add(std::string name, std::string content, std::optional<std::uint32_t> wrong_crc = {});
    Bytes bytes() const;
    void write(const Path& path) const;

private:
    struct Member {
        std::string name, content;
        std::uint32_t crc = 0;
    };
    std::vector<Member> members_;
};

}  // namespace kustos::test
