// TNEF from a stranger: never a crash, and no more attachments than the limits allow.
#include <cstdlib>

#include "ingest/src/tnef.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto tnef = kustos::ingest::parse_tnef({data, size});
    if (!tnef) return 0;
    kustos::vault::Message message;
    kustos::ingest::Limits limits;
    limits.attachments = 64;
    kustos::ingest::mapi::describe(*tnef, limits, message);
    kustos::ingest::mapi::add_attachments(*tnef, limits, true, message);
    if (message.attachments.size() > limits.attachments) std::abort();
    return 0;
}
