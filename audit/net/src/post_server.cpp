#include "audit/net/post_server.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/String.h>
#include <Poco/ThreadPool.h>

#include <istream>

#include "base/log.h"

namespace kustos::audit {

namespace {

using Poco::Net::HTTPResponse;
using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

constexpr int kThreads = 4;
constexpr int kQueued = 64;
constexpr long kTimeout_s = 10;

void send(HTTPServerResponse& response, const PostAnswer& answer) {
    response.setStatus(static_cast<HTTPResponse::HTTPStatus>(answer.status));
    response.setReason(HTTPResponse::getReasonForStatus(static_cast<HTTPResponse::HTTPStatus>(answer.status)));
    response.setContentType(answer.content_type);
    response.setKeepAlive(false);
    response.sendBuffer(answer.body.data(), answer.body.size());
}
void refuse(HTTPServerResponse& response, int status, const char* text) {
    send(response, {status, "text/plain", to_bytes(std::string(text) + "\n")});
}

class Handler final : public Poco::Net::HTTPRequestHandler {
public:
    Handler(const PostServer::Answer& answer, std::size_t max_body) : answer_(answer), max_body_(max_body) {}

    void handleRequest(HTTPServerRequest& request, HTTPServerResponse& response) override {
        try {
            handle(request, response);
        } catch (const std::exception&) {  // the peer went away
            log(LogLevel::debug, "request broken off");
        }
    }

private:
    void handle(HTTPServerRequest& request, HTTPServerResponse& response) {
        if (request.getMethod() != "POST") {
            response.set("Allow", "POST");
            return refuse(response, 405, "POST a request");
        }
        if (!request.hasContentLength()) return refuse(response, 411, "a content length is needed");
        const auto length = request.getContentLength64();
        if (length < 0 || length > static_cast<Poco::Int64>(max_body_)) return refuse(response, 413, "too large");
        PostRequest asked;
        const std::string type = request.getContentType();
        asked.path = request.getURI();
        asked.content_type = Poco::toLower(Poco::trim(type.substr(0, type.find(';'))));
        asked.body.resize(static_cast<std::size_t>(length));
        request.stream().read(reinterpret_cast<char*>(asked.body.data()),
                              static_cast<std::streamsize>(asked.body.size()));
        if (request.stream().gcount() != static_cast<std::streamsize>(asked.body.size())) return;  // gone
        send(response, answer_(asked));
    }

    const PostServer::Answer& answer_;
    std::size_t max_body_;
};

class Factory final : public Poco::Net::HTTPRequestHandlerFactory {
public:
    Factory(PostServer::Answer answer, std::size_t max_body) : answer_(std::move(answer)), max_body_(max_body) {}
    Poco::Net::HTTPRequestHandler* createRequestHandler(const HTTPServerRequest&) override {
        return new Handler(answer_, max_body_);
    }

private:
    PostServer::Answer answer_;
    std::size_t max_body_;
};

}  // namespace

struct PostServer::State {
    Poco::ThreadPool pool{1, kThreads};
    Poco::Net::ServerSocket socket;
    std::unique_ptr<Poco::Net::HTTPServer> server;
    std::string url;
};

PostServer::PostServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<PostServer>> PostServer::start(const std::string& host, std::uint16_t port, std::size_t max_body,
                                                      Answer answer) {
    try {
        auto state = std::make_unique<State>();
        state->socket.bind(Poco::Net::SocketAddress(host, port), true, false);
        state->socket.listen(kQueued);
        Poco::Net::HTTPServerParams::Ptr parameters = new Poco::Net::HTTPServerParams;
        parameters->setKeepAlive(false);
        parameters->setMaxThreads(kThreads);
        parameters->setMaxQueued(kQueued);
        parameters->setTimeout(Poco::Timespan(kTimeout_s, 0));
        state->server = std::make_unique<Poco::Net::HTTPServer>(new Factory(std::move(answer), max_body), state->pool,
                                                                state->socket, parameters);
        state->url = "http://" + state->socket.address().toString() + "/";
        state->server->start();
        return std::unique_ptr<PostServer>(new PostServer(std::move(state)));
    } catch (const Poco::Exception&) {
        return Error(Code::environment, "the server can't listen on port " + std::to_string(port))
            .with_hint("choose a free port above 1023 and an address of this machine");
    }
}

PostServer::~PostServer() {
    try {
        state_->server->stopAll(false);
        state_->pool.joinAll();
    } catch (const std::exception&) {
        log(LogLevel::warning, "server did not stop cleanly");
    }
}

std::uint16_t PostServer::port() const {
    return state_->socket.address().port();
}

std::string PostServer::url() const {
    return state_->url;
}

}  // namespace kustos::audit
