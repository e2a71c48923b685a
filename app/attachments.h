// Texts of attachments that could not be had when their records were indexed, and can be had now: without a sandbox
// nothing is read, without tesseract no picture, and while much is waiting no picture either. The records stay as they
// were sealed; only their place in the index is made anew. Threads: values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kustos::app {

struct RetryRequest {
    std::string actor, matter;         // of an opener apart only
    std::vector<std::string> reasons;  // machine words of the index; empty: all that can have ended by themselves
};
struct RetryReport {
    std::vector<std::string> reasons;
    std::uint64_t records = 0;  // that had one of them, and are indexed again
};

}  // namespace kustos::app
