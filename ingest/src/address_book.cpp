#include "ingest/address_book.h"

#include "ingest/src/address_formats.h"

namespace kustos::ingest {

Result<BookFormat> parse_book_format(std::string_view name) {
    if (name == "auto") return BookFormat::automatic;
    if (name == "csv") return BookFormat::csv;
    if (name == "vcard") return BookFormat::vcard;
    return Error(Code::not_in_version, "this format of an address book is not in this version")
        .with_hint("csv, vcard or auto; a directory server: --ldap SETTINGS");
}

Status read_address_book(ByteView bytes, BookFormat format, BookSink& sink) {
    if (bytes.size() > kMaxBook)
        return Error(Code::limit, "an address book has at most 128 MiB").with_hint("split the file");
    BookText text(bytes);
    if (format == BookFormat::automatic) format = looks_like_vcard(text.utf8()) ? BookFormat::vcard : BookFormat::csv;
    return format == BookFormat::vcard ? read_vcards(text, sink) : read_address_csv(text, sink);
}

BookText::BookText(ByteView bytes) : bytes_(bytes) {
    const auto begins = [&](std::initializer_list<std::uint8_t> mark) {
        return bytes.size() >= mark.size() && std::equal(mark.begin(), mark.end(), bytes.begin());
    };
    if (begins({0xFF, 0xFE}) || begins({0xFE, 0xFF})) {
        wide_ = true;
        mark_ = 2;
        own_ = decode_charset(bytes.subspan(2), bytes[0] == 0xFF ? "utf-16le" : "utf-16be").utf8;
        utf8_ = own_;
        return;
    }
    if (begins({0xEF, 0xBB, 0xBF})) mark_ = 3;
    utf8_ = as_text(bytes.subspan(mark_));
}

Bytes BookText::raw(std::size_t begin, std::size_t end) {
    // Asked for in order: what was counted once is not counted again.
    std::size_t from = place(begin), to = place(end);
    if (begin == 0) from = 0;
    if (end == utf8_.size()) to = bytes_.size();
    return to_bytes(bytes_.subspan(from, to - from));
}

std::size_t BookText::place(std::size_t at) {
    if (!wide_) return std::min(mark_ + at, bytes_.size());
    if (at < counted_) counted_ = units_ = 0;
    for (; counted_ < at; ++counted_) {
        const auto c = static_cast<unsigned char>(utf8_[counted_]);
        if ((c & 0xC0) != 0x80) units_ += c >= 0xF0 ? 2 : 1;
    }
    return std::min(mark_ + 2 * units_, bytes_.size());
}

std::string BookText::value(std::string_view text, std::string_view charset) {
    if (is_valid_utf8(text)) return std::string(text);
    return decode_charset(as_bytes(text), charset.empty() ? "windows-1252" : charset).utf8;
}

}  // namespace kustos::ingest
