// A folder of the test's own, removed at the end.
#pragma once

#include "base/fs.h"

namespace kustos::test {

class TempDir {
public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    const Path& path() const { return path_; }
    Path operator/(const Path& name) const { return path_ / name; }

private:
    Path path_;
};

}  // namespace kustos::test
