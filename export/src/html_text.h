// What a reader would see of a mail that came as HTML only: tags left out, line breaks kept, entities resolved. Not a
// browser: styles are ignored, so text that a style would hide is shown. The original in the container decides.
#pragma once

#include <string>
#include <string_view>

namespace kustos::exporting {

// At most max_bytes of text. Linear time; any input.
std::string html_text(std::string_view html, std::size_t max_bytes);

}  // namespace kustos::exporting
