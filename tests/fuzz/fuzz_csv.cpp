// Mattermost's posts.csv and an mbox from anywhere: never a crash.
#include <cstdlib>

#include "base/text.h"
#include "ingest/format.h"

namespace {

class Check final : public kustos::ingest::ItemSink {
public:
    kustos::Status item(kustos::ingest::ParsedItem item) override {
        if (!kustos::is_valid_utf8(item.message.body) || !kustos::is_valid_utf8(item.message.previous_body))
            std::abort();
        raw += item.message.raw.size();
        return kustos::ok_status();
    }
    void finding(std::string_view, std::uint64_t) override {}
    std::uint64_t raw = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const kustos::ByteView input(data, size);
    Check rows;
    if (!kustos::ingest::read_mattermost_posts(kustos::to_bytes(input), {}, rows)) std::abort();
    if (rows.raw > size) std::abort();
    Check mails;
    kustos::ingest::ReadContext small;
    small.limits.mail = 4096;
    small.limits.quarantine_piece = 1024;
    const auto source = kustos::ingest::memory_source(input);
    if (!kustos::ingest::read_mbox(*source, small, mails)) std::abort();
    if (mails.raw > size) std::abort();
    return 0;
}
