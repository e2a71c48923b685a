// Sidecars and manifests from anywhere: never a crash, and every byte of a manifest is sealed once.
#include "ingest/src/sidecar.h"
#include "tests/fuzz/chat_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const kustos::ByteView input(data, size);
    if (size == 0) return 0;
    for (kustos::ingest::ReadContext context : {kustos::ingest::ReadContext(), kustos::fuzz::small_limits()}) {
        context.time_zone = "Europe/Berlin";
        kustos::fuzz::ChatCheck sidecar, manifest;
        if (!kustos::ingest::read_one_sidecar(kustos::to_bytes(input), "a.json", {}, context, sidecar)) std::abort();
        if (sidecar.raw != size) std::abort();
        if (!kustos::ingest::read_call_manifest(kustos::to_bytes(input), {}, context, manifest)) std::abort();
        if (manifest.raw > size) std::abort();
    }
    return 0;
}
