#include "tests/support/temp_dir.h"

#include <stdlib.h>

namespace kustos::test {

TempDir::TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "kustos-test-XXXXXX").string();
    CHECK(mkdtemp(name.data()) != nullptr);
    path_ = name;
}

TempDir::~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace kustos::test
