// A file that a message only links, fetched into its attachment by a stream.
#pragma once

#include <functional>

#include "ingest/intake.h"

namespace kustos::ingest {

// A linked file may have so many bytes, where the intake's limits allow it.
inline constexpr std::uint64_t kMaxMedia = 1u << 30;
// Limits and spool folder of an intake, for fetch_media().
ReadContext media_context(const Intake& intake);
// Fills content or spool, and size: what is said to be small is held; when it is not, or nobody said so, it is spooled.
// get: gives the bytes to the sink, perhaps twice. True: the file is not missing any more. False: it can't be had, ever
// (Code::not_found and Code::limit of get). Other errors of get are handed through.
Result<bool> fetch_media(vault::Attachment& file, const ReadContext& context,
                         const std::function<Status(const ByteSink&)>& get);

}  // namespace kustos::ingest
