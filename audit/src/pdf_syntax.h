// PDF syntax as far as a verifier needs it (ISO 32000-1 section 7.2 and 7.3): stepping over values, and the entries of
// a dictionary. Errors: bad_input. Threads: pure functions; views into the text given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace kustos::audit::pdf {

inline constexpr int kMaxDepth = 100;

bool is_space(char c);
bool is_digit(char c);

// Where reading stands. Every function moves it behind what it has read.
class Cursor {
public:
    explicit Cursor(std::string_view text) : text_(text) {}
    std::size_t at() const { return at_; }
    bool at_end() const { return at_ >= text_.size(); }
    char peek() const { return text_[at_]; }
    bool starts(std::string_view word) const { return text_.substr(at_, word.size()) == word; }
    void step(std::size_t count) { at_ += count; }
    void skip_space();  // comments too
    Result<std::uint64_t> number();
    // One value of any kind; a reference ("12 0 R") is one value. Returns its text.
    Result<std::string_view> value(int depth = 0);
    Error bad(const char* what) const;

private:
    Status skip_string();
    bool skip_reference();
    std::string_view text_;
    std::size_t at_ = 0;
};

// The entries of a dictionary, names decoded (#xx). A name that stands there twice is an error.
using Dictionary = std::vector<std::pair<std::string, std::string_view>>;
Result<Dictionary> parse_dictionary(std::string_view text);
std::string encode_name(std::string_view name);  // with the slash
std::optional<std::string_view> find(const Dictionary& dictionary, std::string_view name);
// The values in "[ ... ]".
Result<std::vector<std::string_view>> parse_array(std::string_view text);

std::optional<std::uint64_t> as_number(std::string_view value);
std::optional<std::uint32_t> as_reference(std::string_view value);  // the object's number

}  // namespace kustos::audit::pdf
