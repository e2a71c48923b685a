// The worked examples of docs/format are parsed by tests, so that a page can't drift from the code.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace kustos::test {

// A whole page of docs/format.
std::string doc_page(std::string_view page);
// The text of the fenced block that starts with ```text example NAME (or ```json example NAME, ...) in
// docs/format/PAGE. CHECKs that it is there.
std::string doc_text(std::string_view page, std::string_view name);
// The same for ```hex example NAME: white space and everything after '#' on a line is left out, the rest is hex.
Bytes doc_example(std::string_view page, std::string_view name);

}  // namespace kustos::test
