// Foreign text, made harmless for a page: nothing in it may reorder, hide or overprint what stands around it, and what
// can't be seen is shown. Well-formed UTF-8 comes out, whatever goes in.
//
// - control characters become their pictures (U+2400 block), C1 controls and non-characters U+FFFD
// - overriding bidi controls (U+202D, U+202E) and, in frames, every embedding and isolate (UAX 9) become visible marks
// such
//   as "⟨U+202E⟩": Arabic and Hebrew need none of them, and they are how file names lie
// - tag characters outside flags, U+FEFF and U+FFFC likewise
// - stacks of more than twelve combining marks are cut, with a mark that says how many were left out
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kustos::exporting {

// For one line of a frame (name, subject, file name): line ends and tabs become spaces; at most max_bytes, then "…".
std::string frame_text(std::string_view foreign, std::size_t max_bytes = 400);
// For a body: '\n' ends a paragraph; CRLF, CR, U+2028 and U+2029 become '\n', a tab four spaces.
std::string body_text(std::string_view foreign);
// Frame text between U+2068 and U+2069, so that it can stand inside a line of ours.
std::string isolated(std::string_view foreign, std::size_t max_bytes = 400);

// The length in bytes of the emoji sequence that begins at `at`, 0 if none does (UTS 51: presentation sequences,
// modifiers, ZWJ sequences of at most ten elements, flags, keycaps, tag sequences).
std::size_t emoji_length(std::string_view utf8, std::size_t at);

// One code point; `at` moves on. `utf8` is well formed.
char32_t next_code_point(std::string_view utf8, std::size_t& at);
void append_utf8(std::string& out, char32_t c);

}  // namespace kustos::exporting
