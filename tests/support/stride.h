// Tables of every change, byte or call that can go wrong: every one; under a sanitizer, which slows them down ten times
// and looks for something else, each seventh.
#pragma once

#include "base/sanitized.h"

namespace kustos::test {

#ifdef KUSTOS_SANITIZED
inline constexpr int kStride = 7;
#else
inline constexpr int kStride = 1;
#endif

}  // namespace kustos::test
