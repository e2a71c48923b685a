// A CSV of a legal hold from anywhere: never a crash.
#include "ingest/src/legal_hold.h"
#include "tests/fuzz/chat_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const kustos::ByteView input(data, size);
    for (const kustos::ingest::ReadContext& context : {kustos::ingest::ReadContext(), kustos::fuzz::small_limits()}) {
        kustos::fuzz::ChatCheck out;
        if (!kustos::ingest::read_legal_hold_csv(kustos::to_bytes(input), {}, context, out)) std::abort();
        if (out.raw > 2 * size) std::abort();  // a deleted post is two events of one row
    }
    return 0;
}
