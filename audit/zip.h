// Zip files as Kustos writes them, and no others: members stored, no extra fields, no descriptors, no comments, one
// fixed date, in the order of the central directory, nothing between them (PKWARE APPNOTE 6.3, a subset). So there is
// one way to write the same members, and a byte changed anywhere is found. Limits: 4 GiB altogether, 65,534 members,
// names of safe relative paths. Errors: bad_input. Threads: values.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace kustos::audit {

class ZipWriter {
public:
    Status add(const std::string& name, ByteView content);  // usage: unsafe or repeated name; limit
    Result<Bytes> finish();

private:
    struct Member {
        std::string name;
        std::uint32_t crc, size, offset;
    };
    std::vector<Member> members_;
    std::set<std::string> names_;
    Bytes out_;
};

struct ZipMember {
    std::string name;
    ByteView content;  // into the bytes given to read_zip
};
Result<std::vector<ZipMember>> read_zip(ByteView bytes);
std::uint32_t crc32(ByteView bytes);

}  // namespace kustos::audit
