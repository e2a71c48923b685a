// Members of an archive that is held in memory, by libarchive: zip, 7z and tar, and the one member of a compressed
// stream. Bounded by the Reading; touches no file and starts no program.
#pragma once

#include <string>

#include "base/bytes.h"
#include "ingest/extractor/reading.h"

struct archive;
struct archive_entry;

namespace kustos::extractor {

enum class ArchiveKind { zip, seven_zip, tar, stream };

class Members {
public:
    // counted: the members are items of their own and not parts of one document.
    Members(ByteView packed, ArchiveKind kind, Reading& reading, bool counted = true);
    Members(const Members&) = delete;
    Members& operator=(const Members&) = delete;
    ~Members();
    // false: no more, see trouble().
    bool next();
    const std::string& name() const { return name_; }  // UTF-8
    bool is_file() const { return file_; }
    bool encrypted() const { return encrypted_; }
    // The whole member. A refusal: "damaged", "encrypted", "part-limit", "ratio-limit", "unpack-limit".
    Refusal read(Bytes& out);
    Refusal trouble() const { return trouble_; }  // why next() ended before the end

private:
    ByteView packed_;
    Reading& reading_;
    archive* archive_;
    archive_entry* entry_ = nullptr;
    std::string name_;
    bool file_ = false, encrypted_ = false;
    bool counted_;
    std::uint32_t seen_ = 0;
    std::uint64_t unpacked_ = 0;
    Refusal trouble_;
};

}  // namespace kustos::extractor
