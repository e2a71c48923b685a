// What the formats of address books share: the text of a file in whatever charset, and its exact bytes.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "base/text.h"
#include "ingest/address_book.h"

namespace kustos::ingest {

// UTF-8 with or without a mark, UTF-16 with one, else bytes whose values are decoded one by one.
class BookText {
public:
    explicit BookText(ByteView bytes);
    BookText(const BookText&) = delete;
    BookText& operator=(const BookText&) = delete;
    std::string_view utf8() const { return utf8_; }  // may be ill-formed where the file is; see value()
    // The bytes of utf8()[begin, end); a mark belongs to the first, an odd last byte to the last. Best in order.
    Bytes raw(std::size_t begin, std::size_t end);
    // Well-formed: ill-formed text is read as windows-1252, or as the charset that is named.
    static std::string value(std::string_view text, std::string_view charset = {});

private:
    std::size_t place(std::size_t at);
    ByteView bytes_;
    std::size_t mark_ = 0;
    bool wide_ = false;
    std::string own_;
    std::string_view utf8_;
    std::size_t counted_ = 0, units_ = 0;
};

bool looks_like_vcard(std::string_view text);
Status read_vcards(BookText& text, BookSink& sink);
Status read_address_csv(BookText& text, BookSink& sink);

}  // namespace kustos::ingest
