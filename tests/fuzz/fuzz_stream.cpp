// A message stream from anywhere: never a crash, and no byte of a line is lost.
#include <cstdlib>

#include "base/text.h"
#include "ingest/format.h"

namespace {

class Check final : public kustos::ingest::ItemSink {
public:
    kustos::Status item(kustos::ingest::ParsedItem item) override {
        bytes += item.source_bytes;
        const auto& m = item.message;
        for (const std::string* text : {&m.native_id, &m.subject, &m.body, &m.body_html, &m.sender.name})
            if (!kustos::is_valid_utf8(*text)) std::abort();
        return kustos::ok_status();
    }
    void finding(std::string_view, std::uint64_t) override {}
    std::uint64_t bytes = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    kustos::ingest::ReadContext context;
    context.limits.line = 4096;
    context.limits.quarantine_piece = 1024;
    Check sink;
    const auto source = kustos::ingest::memory_source({data, size});
    if (!kustos::ingest::read_stream(*source, {}, context, sink)) std::abort();
    if (sink.bytes > size) std::abort();
    return 0;
}
