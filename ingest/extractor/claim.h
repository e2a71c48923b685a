// What an item says it is, by its name's ending and by the media type that came with it, against what its bytes are.
// Pure.
#pragma once

#include <string_view>

namespace kustos::extractor {

// What is claimed and not so: a kind ("docx"); empty where claim and kind agree, where nothing is claimed, and where
// the claimed kind has no signature that could contradict it (sound, film). kind: empty is a text or not known.
std::string_view contradicted_claim(std::string_view kind, std::string_view name, std::string_view media_type);

}  // namespace kustos::extractor
