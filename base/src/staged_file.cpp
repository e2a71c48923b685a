#include "base/staged_file.h"

namespace kustos {

Result<StagedFile> StagedFile::create(Fs& fs, const Path& path, Existing existing) {
    if (existing == Existing::refuse && fs.exists(path)) return Error(Code::conflict, "the file exists already");
    Path temporary = path;
    temporary += ".part";
    auto file = TRY(fs.open(temporary, OpenMode::create_or_open));
    TRY(file->truncate(0));
    return StagedFile(fs, path, std::move(temporary), std::move(file));
}

StagedFile::~StagedFile() {
    if (file_ == nullptr) return;
    file_.reset();
    (void)fs_->remove(temporary_).ok();
}

Status StagedFile::write(ByteView piece) {
    TRY(file_->write_at(size_, piece));
    size_ += piece.size();
    return {};
}

Status StagedFile::commit() {
    TRY(file_->sync());
    TRY(fs_->rename(temporary_, path_));
    file_.reset();
    const Path folder = path_.parent_path();
    return fs_->sync_dir(folder.empty() ? Path(".") : folder);
}

}  // namespace kustos
