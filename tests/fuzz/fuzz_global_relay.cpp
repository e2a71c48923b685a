// A Global Relay mail from anywhere: never a crash, and the mail is kept whole.
#include "tests/fuzz/chat_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const kustos::ByteView input(data, size);
    for (const kustos::ingest::ReadContext& context : {kustos::ingest::ReadContext(), kustos::fuzz::small_limits()}) {
        kustos::fuzz::ChatCheck out;
        if (!kustos::ingest::read_global_relay(kustos::to_bytes(input), context, out)) std::abort();
        if (out.raw < size) std::abort();
    }
    return 0;
}
