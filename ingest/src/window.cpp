#include "ingest/src/window.h"

#include <algorithm>
#include <cstring>

namespace kustos::ingest {

namespace {
constexpr std::size_t kChunk = 256u << 10;
}

Status Window::more() {
    if (ended_) return ok_status();
    if (begin_ > 0 && (end_ + kChunk > buffer_.size())) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    if (end_ + kChunk > buffer_.size()) buffer_.resize(std::max(buffer_.size() * 2, end_ + kChunk));
    const std::size_t got = TRY(source_.read(std::span(buffer_).subspan(end_, buffer_.size() - end_)));
    if (got == 0) ended_ = true;
    end_ += got;
    return ok_status();
}

Status Window::want(std::size_t size) {
    while (!ended_ && this->size() < size) TRY(more());
    return ok_status();
}

void Window::consume(std::size_t size) {
    CHECK(size <= this->size());
    begin_ += size;
    offset_ += size;
    // One huge event must not keep its memory for the rest of the import.
    if (begin_ == end_ && buffer_.size() > 8 * kChunk) {
        buffer_ = Bytes(kChunk);
        begin_ = end_ = 0;
    }
}

Bytes Window::take(std::size_t size) {
    Bytes out = to_bytes(text().substr(0, size));
    consume(size);
    return out;
}

Result<FoundLine> find_line(Window& window, std::size_t from, std::size_t limit) {
    std::size_t searched = from;
    for (;;) {
        const std::string_view text = window.text();
        const std::size_t lf = text.find('\n', searched);
        if (lf != std::string_view::npos) {
            const bool cr = lf > from && text[lf - 1] == '\r';
            return FoundLine{lf - from - (cr ? 1 : 0), lf + 1 - from, true, lf - from > limit};
        }
        searched = text.size();
        if (text.size() - std::min(from, text.size()) > limit) return FoundLine{0, 0, false, true};
        if (window.ended()) {
            if (text.size() <= from) return FoundLine{};
            return FoundLine{text.size() - from, text.size() - from, true, false};
        }
        TRY(window.more());
    }
}

}  // namespace kustos::ingest
