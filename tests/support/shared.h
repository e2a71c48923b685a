// Where tests find files: the source tree, and the folder of foreign test data beside it.
#pragma once

#include <optional>

#include "base/fs.h"

namespace kustos::test {

Path source_dir();
// ../shared beside the source tree (or $KUSTOS_SHARED); absent on most machines. A test that needs it says so with
// MESSAGE("skipped: ../shared is absent") and returns.
std::optional<Path> shared_dir();

}  // namespace kustos::test
