// Messages of Rocket.Chat from anywhere: never a crash.
#include "tests/fuzz/chat_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const kustos::ByteView input(data, size);
    for (const kustos::ingest::ReadContext& context : {kustos::ingest::ReadContext(), kustos::fuzz::small_limits()}) {
        kustos::fuzz::ChatCheck out;
        const auto source = kustos::ingest::memory_source(input);
        if (!kustos::ingest::read_rocketchat(*source, context, out)) std::abort();
    }
    return 0;
}
