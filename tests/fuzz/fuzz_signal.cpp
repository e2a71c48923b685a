// Lines of signal-cli and chats of signal-export from anywhere: never a crash.
#include "tests/fuzz/chat_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const kustos::ByteView input(data, size);
    for (kustos::ingest::ReadContext context : {kustos::ingest::ReadContext(), kustos::fuzz::small_limits()}) {
        context.time_zone = "Europe/Berlin";
        kustos::fuzz::ChatCheck out;
        const auto source = kustos::ingest::memory_source(input);
        if (!kustos::ingest::read_signal_cli(*source, context, out)) std::abort();
        if (!kustos::ingest::read_sigexport(kustos::as_text(input), "Vertrieb", {}, context, out)) std::abort();
    }
    return 0;
}
