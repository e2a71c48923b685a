#include "audit/net/witness_client.h"

#include "audit/net/post_server.h"

namespace kustos::audit {

Result<WitnessAnswer> ask_witness(const std::string& url, const AddCheckpoint& request, const HttpOptions& options) {
    const std::string body = request.format();
    const std::string address = url + (url.empty() || url.back() != '/' ? "/" : "") + "add-checkpoint";
    const HttpAnswer answer =
        TRY(http_post("witness", address, "text/plain; charset=utf-8", "", as_bytes(body), options));
    return WitnessAnswer{answer.status, to_text(answer.body)};
}

Result<std::unique_ptr<PostServer>> serve_witness(const std::string& host, std::uint16_t port, Witness& witness) {
    return PostServer::start(host, port, kMaxAddCheckpoint, [&witness](const PostRequest& request) {
        if (request.path != "/add-checkpoint") return PostAnswer{404, "text/plain", to_bytes("POST /add-checkpoint\n")};
        const WitnessAnswer answer = witness.add_checkpoint(request.body);
        return PostAnswer{answer.status, answer.status == 409 ? kTlogSizeType : "text/plain; charset=utf-8",
                          to_bytes(answer.body)};
    });
}

}  // namespace kustos::audit
