#include "ingest/src/media_fetch.h"

#include <algorithm>

#include "ingest/src/spooler.h"

namespace kustos::ingest {

ReadContext media_context(const Intake& intake) {
    ReadContext out;
    out.limits = intake.limits();
    out.limits.spooled = std::min(out.limits.spooled, kMaxMedia);
    out.spool_folder = intake.spool_folder();
    return out;
}

Result<bool> fetch_media(vault::Attachment& file, const ReadContext& context,
                         const std::function<Status(const ByteSink&)>& get) {
    const std::uint64_t declared = file.declared_size.value_or(0), held = context.limits.in_memory;
    if (declared > context.limits.spooled) return false;
    const auto attempt = [&](std::uint64_t expected, std::uint64_t most) -> Status {
        ReadContext limited = context;
        limited.limits.attachment = most;
        Spooler spooler(limited);
        const Status got = spooler.take(file, expected, get);
        TRY(spooler.finish());
        return got;
    };
    Status got = declared > 0 && declared <= held ? attempt(declared, held) : Error(Code::limit, "not known");
    if (!got.ok() && got.error().code() == Code::limit)
        got = attempt(std::max(declared, held + 1), context.limits.attachment);
    if (got.ok()) {
        file.missing = false;
        return true;
    }
    file.content.clear();
    file.spool = {};
    const Code code = got.error().code();
    if (code == Code::not_found || code == Code::limit) return false;
    return got.error();
}

}  // namespace kustos::ingest
