// A large file that gets its name when all of it is there: written under a temporary one beside it, then synced and
// renamed. Whoever sees the name sees the whole. Errors: environment; Code::conflict where the name must be new and is
// not. Threads: one.
#pragma once

#include "base/fs.h"

namespace kustos {

class StagedFile {
public:
    enum class Existing { refuse, replace };
    static Result<StagedFile> create(Fs& fs, const Path& path, Existing existing);
    StagedFile(StagedFile&&) noexcept = default;
    ~StagedFile();  // not committed: nothing is left
    Status write(ByteView piece);
    std::uint64_t size() const { return size_; }
    Status commit();  // durable when it returns

private:
    StagedFile(Fs& fs, Path path, Path temporary, std::unique_ptr<File> file)
        : fs_(&fs), path_(std::move(path)), temporary_(std::move(temporary)), file_(std::move(file)) {}
    Fs* fs_;
    Path path_, temporary_;
    std::unique_ptr<File> file_;
    std::uint64_t size_ = 0;
};

}  // namespace kustos
