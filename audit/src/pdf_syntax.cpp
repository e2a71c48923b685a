#include "audit/src/pdf_syntax.h"

#include <algorithm>

#include "base/bytes.h"

namespace kustos::audit::pdf {

namespace {
constexpr std::string_view kDelimiters = "/<>[]()%{}";

bool ends_word(char c) {
    return is_space(c) || kDelimiters.find(c) != std::string_view::npos;
}

Result<std::string> decode_name(std::string_view raw) {  // ISO 32000-1 7.3.5, without the slash
    std::string name;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] != '#') {
            name += raw[i];
            continue;
        }
        const auto byte = parse_hex(raw.substr(i + 1, 2));
        if (!byte.ok() || byte->size() != 1) return Error(Code::bad_input, "a name with a broken escape");
        name += static_cast<char>((*byte)[0]);
        i += 2;
    }
    return name;
}
}  // namespace

bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == '\0';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

Error Cursor::bad(const char* what) const {
    return Error(Code::bad_input, std::string(what) + ", at byte " + std::to_string(at_));
}

void Cursor::skip_space() {
    while (!at_end()) {
        if (is_space(peek())) {
            ++at_;
        } else if (peek() == '%') {
            while (!at_end() && peek() != '\n' && peek() != '\r') ++at_;
        } else {
            return;
        }
    }
}

Result<std::uint64_t> Cursor::number() {
    std::uint64_t n = 0;
    const std::size_t begin = at_;
    while (!at_end() && is_digit(peek()) && at_ - begin < 12)
        n = n * 10 + static_cast<std::uint64_t>(text_[at_++] - '0');
    if (at_ == begin || (!at_end() && is_digit(peek()))) return bad("a number is missing or too large");
    return n;
}

Status Cursor::skip_string() {
    int open = 0;
    for (; !at_end(); ++at_) {
        if (peek() == '\\') {
            ++at_;
        } else if (peek() == '(') {
            ++open;
        } else if (peek() == ')' && --open == 0) {
            ++at_;
            return {};
        }
    }
    return bad("a string has no end");
}

// Standing behind a number: " 0 R" makes it a reference.
bool Cursor::skip_reference() {
    const std::size_t begin = at_;
    skip_space();
    const std::size_t generation = at_;
    while (!at_end() && is_digit(peek()) && at_ - generation < 6) ++at_;
    if (at_ > generation && !at_end() && is_space(peek())) {
        skip_space();
        if (starts("R") && (at_ + 1 >= text_.size() || ends_word(text_[at_ + 1]))) {
            ++at_;
            return true;
        }
    }
    at_ = begin;
    return false;
}

Result<std::string_view> Cursor::value(int depth) {
    if (depth > kMaxDepth) return bad("nested too deeply");
    skip_space();
    if (at_end()) return bad("a value is missing");
    const std::size_t begin = at_;
    const char first = peek();
    if (starts("<<") || first == '[') {
        const std::string_view close = first == '[' ? "]" : ">>";
        at_ += close.size();
        while (true) {
            skip_space();
            if (starts(close)) break;
            TRY(value(depth + 1));
        }
        at_ += close.size();
    } else if (first == '(') {
        TRY(skip_string());
    } else if (first == '<') {
        const std::size_t end = text_.find('>', at_);
        if (end == text_.npos) return bad("a string has no end");
        at_ = end + 1;
    } else {
        if (first != '/' && ends_word(first)) return bad("a value is missing");
        ++at_;
        while (!at_end() && !ends_word(peek())) ++at_;
        const std::string_view word = text_.substr(begin, at_ - begin);
        if (std::all_of(word.begin(), word.end(), is_digit)) skip_reference();
    }
    return text_.substr(begin, at_ - begin);
}

Result<Dictionary> parse_dictionary(std::string_view text) {
    Cursor in(text);
    in.skip_space();
    if (!in.starts("<<")) return in.bad("a dictionary is missing");
    in.step(2);
    Dictionary dictionary;
    while (true) {
        in.skip_space();
        if (in.starts(">>")) return dictionary;
        if (in.at_end() || in.peek() != '/') return in.bad("a name is missing");
        const std::string_view raw = TRY(in.value(1));
        std::string name = TRY(decode_name(raw.substr(1)));
        if (find(dictionary, name)) return in.bad("a name stands twice in a dictionary");
        if (dictionary.size() >= 256) return in.bad("a dictionary is too large");
        const std::string_view value = TRY(in.value(1));
        dictionary.emplace_back(std::move(name), value);
    }
}

std::string encode_name(std::string_view name) {
    std::string out = "/";
    for (const char c : name) {
        if (c > 0x20 && c < 0x7F && c != '#' && !ends_word(c)) {
            out += c;
        } else {
            const std::uint8_t byte[] = {static_cast<std::uint8_t>(c)};
            out += "#" + hex(byte);
        }
    }
    return out;
}

std::optional<std::string_view> find(const Dictionary& dictionary, std::string_view name) {
    for (const auto& [key, value] : dictionary) {
        if (key == name) return value;
    }
    return std::nullopt;
}

Result<std::vector<std::string_view>> parse_array(std::string_view text) {
    Cursor in(text);
    if (!in.starts("[")) return in.bad("an array is missing");
    in.step(1);
    std::vector<std::string_view> values;
    while (true) {
        in.skip_space();
        if (in.starts("]")) return values;
        const std::string_view value = TRY(in.value(1));
        values.push_back(value);
    }
}

std::optional<std::uint64_t> as_number(std::string_view value) {
    Cursor in(value);
    const auto n = in.number();
    if (!n.ok() || !in.at_end()) return std::nullopt;
    return *n;
}

std::optional<std::uint32_t> as_reference(std::string_view value) {
    Cursor in(value);
    const auto n = in.number();
    if (!n.ok() || *n > 0xFFFFFFFF || in.at_end() || value.back() != 'R') return std::nullopt;
    if (!is_space(in.peek()) && in.peek() != '%') return std::nullopt;  // a word such as 4R
    return static_cast<std::uint32_t>(*n);
}

}  // namespace kustos::audit::pdf
