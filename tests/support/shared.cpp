#include "tests/support/shared.h"

#include <cstdlib>

namespace kustos::test {

Path source_dir() {
    return KUSTOS_SOURCE_DIR;
}

std::optional<Path> shared_dir() {
    const char* set = std::getenv("KUSTOS_SHARED");
    const Path dir = set ? Path(set) : source_dir() / ".." / "shared";
    std::error_code ignored;
    if (std::filesystem::exists(dir / "corpora", ignored)) return dir;
    return std::nullopt;
}

}  // namespace kustos::test
