// The builtin authority over HTTP: `kustos tsa serve` (RFC 3161 section 3.4).
//
// POST with content type application/timestamp-query, to any path; another type is refused with 415.
#pragma once

#include "audit/net/post_server.h"

namespace kustos::audit {

using TsaAnswer = std::function<Result<Bytes>(ByteView tsq)>;
Result<std::unique_ptr<PostServer>> serve_time_stamps(const std::string& host, std::uint16_t port, TsaAnswer answer);

}  // namespace kustos::audit
