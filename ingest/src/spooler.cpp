#include "ingest/src/spooler.h"

#include <utility>

namespace kustos::ingest {

std::uint64_t Spooler::most() const {
    return context_.spool_folder.empty() ? context_.limits.attachment : context_.limits.spooled;
}

Status Spooler::take(vault::Attachment& attachment, std::uint64_t expected,
                     const std::function<Status(const ByteSink&)>& give) {
    const bool spooled = !context_.spool_folder.empty() && expected > context_.limits.in_memory;
    if (spooled && !spool_) {
        auto made = Spool::create(context_.spool_folder, random_);
        if (!made.ok()) disk_ = made.error();
        spool_ = TRY(std::move(made));
    }
    std::uint64_t size = 0;
    Bytes content;
    Status disk;
    const Status given = give([&](ByteView piece) -> Status {
        size += piece.size();
        if (size > (spooled ? most() : context_.limits.attachment))
            return Error(Code::limit, "an attachment is too large");
        if (!spooled) {
            put(content, piece);
            return ok_status();
        }
        disk = spool_->write(piece);
        return disk;
    });
    if (!disk.ok()) disk_ = disk;
    if (spooled) {
        const SpoolPart part = end_part(spool_);  // after a failure too: the next one begins behind it
        if (given.ok()) attachment.spool = part;
    } else if (given.ok()) {
        attachment.content = std::move(content);
    }
    attachment.size = size;
    return given;
}

Status Spooler::finish() {
    TRY(Status(disk_));
    if (!spool_) return ok_status();
    const auto spool = std::exchange(spool_, nullptr);
    return spool->finish();
}

}  // namespace kustos::ingest
