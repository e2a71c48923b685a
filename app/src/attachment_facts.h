// What the extractor found out about one attachment, kept beside its text (docs/format/attachment-facts.md).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "web/service.h"

namespace kustos::app {

// Purpose of the derived object.
inline std::string attachment_facts_of(std::size_t number) {
    return "attachment-facts/" + std::to_string(number);
}
inline constexpr std::size_t kMostFacts = 8'192;  // bytes

std::string encode_facts(const web::AttachmentFacts& facts);
// Lines that are not known are left out, so that a newer program's are read. Code::corrupt.
Result<web::AttachmentFacts> parse_facts(std::string_view text);

// For people: "read by machine (OCR)", "is xlsx, but is called pdf", "ClamAV found ..."; one a line, empty: nothing to
// say.
std::vector<std::string> facts_words(const web::AttachmentFacts& facts, bool german);

}  // namespace kustos::app
