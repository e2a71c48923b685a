#include "web/src/answers.h"

#include <istream>
#include <string>
#include <vector>

namespace kustos::web {

using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

void send(HTTPServerResponse& response, int status, std::string_view type, std::string_view body) {
    response.setStatusAndReason(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(status));
    response.setContentType(std::string(type));
    response.sendBuffer(body.data(), body.size());
}

Result<Bytes> read_body(HTTPServerRequest& request, std::uint64_t limit) {
    const auto declared = request.getContentLength64();
    if (declared != Poco::Net::HTTPMessage::UNKNOWN_CONTENT_LENGTH && static_cast<std::uint64_t>(declared) > limit) {
        return Error(Code::limit, "the body has more than " + std::to_string(limit) + " bytes")
            .with_hint("send smaller batches");
    }
    std::istream& in = request.stream();
    Bytes body;
    std::vector<char> buffer(64 * 1024);
    while (in.good()) {
        in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
        put(body, std::string_view(buffer.data(), static_cast<std::size_t>(in.gcount())));
        if (body.size() > limit) {
            return Error(Code::limit, "the body has more than " + std::to_string(limit) + " bytes")
                .with_hint("send smaller batches");
        }
    }
    if (declared > 0 && body.size() != static_cast<std::uint64_t>(declared)) {
        return Error(Code::bad_input, "the body ended early").with_hint("send it again with the same Idempotency-Key");
    }
    return body;
}

void discard(HTTPServerRequest& request, std::uint64_t most) {
    std::istream& in = request.stream();
    std::vector<char> buffer(64 * 1024);
    for (std::uint64_t done = 0; done < most && in.good(); done += static_cast<std::uint64_t>(in.gcount()))
        in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
}

}  // namespace kustos::web
