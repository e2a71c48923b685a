// The report's words in two languages. Private to the report's own files.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kustos::audit {

// One sentence for each count, singular or plural.
std::vector<std::string> counted(const std::map<std::string, std::uint64_t>& counts, std::string_view language);
std::vector<std::string_view> all_count_keys();

// "{}" in a sentence are its gaps, filled from left to right.
std::string fill(std::string_view sentence, const std::vector<std::string>& values);
// The other way: what stands in the gaps, if the text is this sentence.
bool reads_as(std::string_view text, std::string_view sentence, std::vector<std::string>& values);

}  // namespace kustos::audit
