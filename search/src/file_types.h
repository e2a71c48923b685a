// Kinds of files by their extension, and groups of them, as filetype: asks for them and the index keeps them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kustos::search {

// One name for the extensions of one kind: "jpeg" -> "jpg", "htm" -> "html"; what is not known stays. Folded, no dot.
std::string file_type(std::string_view extension);
// Of an attachment: what its extension says, and what its media type says where that is another. "scan.dat",
// "application/pdf" -> dat, pdf.
std::vector<std::string> file_types_named(std::string_view name, std::string_view media_type);
// What filetype: means: a group's English name ("word", "image"), the one name of a known extension, or with a dot
// before it any extension. Folded. Absent: no file type of ours.
std::optional<std::string> parse_file_type(std::string_view folded);
bool is_known_file_type(std::string_view type);
// The kinds that belong to a group; of anything else itself.
std::vector<std::string> file_types_of(std::string_view type_or_group);
// The nearest name, for a hint; empty: none. Static.
std::string_view nearest_file_type(std::string_view folded);

}  // namespace kustos::search
