// What handlers read and answer in the same way. Threads: safe. Poco reports a broken connection by an exception.
#pragma once

#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace kustos::web {

void send(Poco::Net::HTTPServerResponse& response, int status, std::string_view type, std::string_view body);

// At most `limit` bytes of a body. Code::limit above; Code::bad_input when the sender stops early.
Result<Bytes> read_body(Poco::Net::HTTPServerRequest& request, std::uint64_t limit);
// A sender that is refused in the middle of its body sees the answer only if the rest is taken off the line: at most
// `most` bytes of it are.
void discard(Poco::Net::HTTPServerRequest& request, std::uint64_t most);

}  // namespace kustos::web
