// Kinds of files by name and media type, and the groups that people ask for. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kustos::search {

inline constexpr std::size_t kMaxExtension = 12;  // letters and digits

// The extension, and what the media type says where it is another: "scan.dat", "application/pdf" -> dat, pdf.
std::vector<std::string> types_of_file(std::string_view name, std::string_view media_type);
// "word" -> doc, docx, odt, ...; what is no group stands for itself.
std::vector<std::string> types_of_group(std::string_view asked);
// All groups, in English: what a query's parser knows.
std::vector<std::string_view> filetype_groups();

}  // namespace kustos::search
