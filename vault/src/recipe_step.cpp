#include "vault/recipe_step.h"

#include <algorithm>

namespace kustos::vault {

namespace {
constexpr std::size_t kPiece = 48 * 1024;  // of three
}  // namespace

Base64LineEncoder::Base64LineEncoder(const RecipeStep& shape, const ByteSink& out) : shape_(shape), out_(out) {}

// text: whole groups of four; lines hold whole groups.
Status Base64LineEncoder::give(std::string_view text) {
    if (text.empty()) return {};
    started_ = true;
    if (shape_.line == 0) return out_(as_bytes(text));
    const std::string_view ending = shape_.ending == 2 ? "\r\n" : "\n";
    Bytes lines;
    lines.reserve(text.size() + (text.size() / shape_.line + 1) * ending.size());
    while (!text.empty()) {
        if (in_line_ == shape_.line) {
            put(lines, ending);
            in_line_ = 0;
        }
        const std::size_t n = std::min(text.size(), shape_.line - in_line_);
        put(lines, text.substr(0, n));
        in_line_ += n;
        text.remove_prefix(n);
    }
    return out_(lines);
}

Status Base64LineEncoder::write(ByteView bytes) {
    if (!rest_.empty()) {
        const std::size_t n = std::min(bytes.size(), 3 - rest_.size());
        put(rest_, bytes.first(n));
        bytes = bytes.subspan(n);
        if (rest_.size() < 3) return {};
        TRY(give(base64(rest_)));
        rest_.clear();
    }
    for (std::size_t whole = bytes.size() / 3 * 3; whole != 0;) {
        const std::size_t n = std::min(whole, kPiece);
        TRY(give(base64(bytes.first(n))));
        bytes = bytes.subspan(n);
        whole -= n;
    }
    put(rest_, bytes);
    return {};
}

Status Base64LineEncoder::finish() {
    TRY(give(base64(rest_)));
    rest_.clear();
    if (!started_ || !shape_.terminated) return {};
    return out_(as_bytes(shape_.ending == 2 ? "\r\n" : "\n"));
}

Bytes encode_base64_lines(ByteView bytes, const RecipeStep& shape) {
    Bytes out;
    out.reserve(bytes.size() / 3 * 4 + bytes.size() / 40 + 8);
    const ByteSink sink = [&out](ByteView piece) {
        put(out, piece);
        return ok_status();
    };
    Base64LineEncoder encoder(shape, sink);
    CHECK(encoder.write(bytes).ok() && encoder.finish().ok());
    return out;
}

}  // namespace kustos::vault
