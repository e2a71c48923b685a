// Address books as files: CSV as Outlook, Exchange, Google and personnel systems export it, and vCard 2.1, 3.0 and 4.0
// (RFC 2426, RFC 6350). Bytes in, cards out (docs/format/persons.md); who is who is decided later (access/directory.h).
//
// Nothing is lost: each byte is in the raw of one item. What is no card comes out as an item with `quarantine` set,
// what belongs to the book but to nobody in it (a header row, a group) with `nobody`. Errors: the sink's, never the
// content's. Pure: no disk, no clock; bounded (kMaxBook, kMaxVcard). Threads: free functions; one sink belongs to one
// call.
#pragma once

#include <string>
#include <string_view>

#include "access/person_card.h"
#include "base/bytes.h"

namespace kustos::ingest {

inline constexpr std::uint64_t kMaxBook = 128ull << 20;  // bytes of one file
inline constexpr std::size_t kMaxVcard = 16u << 20;      // bytes of one card; a larger one is quarantined

struct BookItem {
    access::PersonCard card;  // without key
    Bytes raw;                // the book's exact bytes of it
    std::string_view format;  // "address-csv", "vcard"
    std::string quarantine;   // a machine word; then there is no card
    bool nobody = false;      // likewise
};

class BookSink {
public:
    virtual ~BookSink() = default;
    virtual Status item(BookItem item) = 0;  // an error ends the reading and is handed through
    virtual void finding(std::string_view code, std::uint64_t count = 1) = 0;
};

enum class BookFormat : std::uint8_t { automatic, csv, vcard };
Result<BookFormat> parse_book_format(std::string_view name);  // "auto", "csv", "vcard"; else Code::not_in_version

// Code::limit: more than kMaxBook bytes; nothing was read then.
Status read_address_book(ByteView bytes, BookFormat format, BookSink& sink);

}  // namespace kustos::ingest
