// Matrix events and an Element export from anywhere: never a crash, and no byte is in two events.
#include "tests/fuzz/chat_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const kustos::ByteView input(data, size);
    for (const kustos::ingest::ReadContext& context : {kustos::ingest::ReadContext(), kustos::fuzz::small_limits()}) {
        kustos::fuzz::ChatCheck out;
        const auto source = kustos::ingest::memory_source(input);
        if (!kustos::ingest::read_matrix(*source, context, out)) std::abort();
        if (out.raw > size) std::abort();
        kustos::fuzz::ChatCheck room;
        const auto again = kustos::ingest::memory_source(input);
        if (!kustos::ingest::read_element(*again, {}, context, room)) std::abort();
        if (room.raw != out.raw) std::abort();
    }
    return 0;
}
