// What holds of every address book, whatever is in it.
#pragma once

#include <cstdlib>

#include "base/text.h"
#include "ingest/address_book.h"

namespace kustos::fuzz {

class BookCheck final : public ingest::BookSink {
public:
    Status item(ingest::BookItem item) override {
        put(raw, item.raw);
        if (!item.quarantine.empty() || item.nobody) return ok_status();
        item.card.key = "k1";
        const std::string text = access::encode_card(item.card);
        if (!is_valid_utf8(text)) std::abort();
        const auto back = access::parse_card(text);
        if (!back.ok() || access::encode_card(*back) != text) std::abort();
        return ok_status();
    }
    void finding(std::string_view, std::uint64_t) override {}
    Bytes raw;
};

inline void check_book(ByteView input, ingest::BookFormat format) {
    BookCheck check;
    if (!ingest::read_address_book(input, format, check).ok()) std::abort();
    if (check.raw != to_bytes(input)) std::abort();
}

}  // namespace kustos::fuzz
