#pragma once

namespace kustos::extractor {

// words: memory in bytes, seconds of processor time, program, its arguments, nullptr. Does not return. Exit code
// wire::kNoWalls: a wall is missing, and nothing was run.
[[noreturn]] void run_program(char** words, int count);

}  // namespace kustos::extractor
