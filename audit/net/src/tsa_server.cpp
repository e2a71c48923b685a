#include "audit/net/tsa_server.h"

#include "audit/timestamp.h"
#include "base/log.h"

namespace kustos::audit {

namespace {
PostAnswer refuse(int status, const char* text) {
    return {status, "text/plain", to_bytes(std::string(text) + "\n")};
}
}  // namespace

Result<std::unique_ptr<PostServer>> serve_time_stamps(const std::string& host, std::uint16_t port, TsaAnswer answer) {
    return PostServer::start(host, port, kMaxToken, [answer = std::move(answer)](const PostRequest& request) {
        if (request.content_type != "application/timestamp-query")
            return refuse(415, "content type must be application/timestamp-query");
        Result<Bytes> tsr = answer(request.body);
        if (!tsr.ok()) {
            log(LogLevel::warning, "time-stamp request failed", {{"code", tsr.error().code()}});
            return refuse(500, "the authority failed");
        }
        return PostAnswer{200, "application/timestamp-reply", std::move(*tsr)};
    });
}

}  // namespace kustos::audit
