// vCards from anywhere: never a crash, each byte in one item, cards that are read again as written.
#include "tests/fuzz/book_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    kustos::fuzz::check_book({data, size}, kustos::ingest::BookFormat::vcard);
    return 0;
}
