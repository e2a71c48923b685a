// A mail or a journal report: what comes out of it is, put together again, what went in.
#include <cstdlib>

#include "ingest/format.h"
#include "vault/envelope.h"

namespace {

struct Sink final : kustos::ingest::ItemSink {
    kustos::Status item(kustos::ingest::ParsedItem item) override {
        const auto layout = kustos::vault::report_layout(item.message);
        if (item.message.kind == kustos::vault::MessageKind::envelope) {
            if (!layout) std::abort();
            auto joined = kustos::vault::join_report(*layout, item.message.raw, whole);
            if (!joined.ok()) std::abort();
            whole = std::move(*joined);
        } else {
            whole = std::move(item.message.raw);
        }
        return kustos::ok_status();
    }
    void finding(std::string_view, std::uint64_t) override {}
    kustos::Bytes whole;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const kustos::ByteView input(data, size);
    Sink sink;
    if (!kustos::ingest::parse_mail_items(kustos::to_bytes(input), {}, sink).ok()) std::abort();
    if (!kustos::equal(sink.whole, input)) std::abort();
    return 0;
}
