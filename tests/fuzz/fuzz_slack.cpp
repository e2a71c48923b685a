// Messages of Slack from anywhere, as slackdump has them: never a crash.
#include "tests/fuzz/chat_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const kustos::ByteView input(data, size);
    for (const kustos::ingest::ReadContext& context : {kustos::ingest::ReadContext(), kustos::fuzz::small_limits()}) {
        kustos::fuzz::ChatCheck out;
        if (!kustos::ingest::read_slackdump(kustos::to_bytes(input), {}, context, out)) std::abort();
    }
    return 0;
}
