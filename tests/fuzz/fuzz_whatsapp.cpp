// Chats of WhatsApp from anywhere: never a crash, and every byte is sealed once.
#include "tests/fuzz/chat_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const kustos::ByteView input(data, size);
    for (kustos::ingest::ReadContext context : {kustos::ingest::ReadContext(), kustos::fuzz::small_limits()}) {
        context.time_zone = "Europe/Berlin";
        kustos::fuzz::ChatCheck out;
        if (!kustos::ingest::read_whatsapp(kustos::as_text(input), "Vertrieb", {}, context, out)) std::abort();
        if (out.raw != size) std::abort();
    }
    return 0;
}
