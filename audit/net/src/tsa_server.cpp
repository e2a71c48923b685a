#include "audit/net/tsa_server.h"

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

#include "audit/timestamp.h"
#include "base/log.h"

namespace kustos::audit {

namespace {

using Poco::Net::HTTPResponse;
using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

constexpr int kThreads = 4;
constexpr int kQueued = 64;
constexpr long kTimeout_s = 10;

void refuse(HTTPServerResponse& response, HTTPResponse::HTTPStatus status, const char* text) {
    response.setStatusAndReason(status);
    response.setContentType("text/plain");
    response.setKeepAlive(false);
    const std::string body = std::string(text) + "\n";
    response.sendBuffer(body.data(), body.size());
}

class Handler final : public Poco::Net::HTTPRequestHandler {
public:
    explicit Handler(const TsaServer::Answer& answer) : answer_(answer) {}

    void handleRequest(HTTPServerRequest& request, HTTPServerResponse& response) override {
        try {
            handle(request, response);
        } catch (const std::exception&) {  // the peer went away
            log(LogLevel::debug, "time-stamp request broken off");
        }
    }

private:
    void handle(HTTPServerRequest& request, HTTPServerResponse& response) {
        if (request.getMethod() != "POST") {
            response.set("Allow", "POST");
            return refuse(response, HTTPResponse::HTTP_METHOD_NOT_ALLOWED,
                          "this is a time-stamp authority (RFC 3161): POST a request");
        }
        const std::string type = request.getContentType();
        if (Poco::icompare(Poco::trim(type.substr(0, type.find(';'))), "application/timestamp-query") != 0) {
            return refuse(response, HTTPResponse::HTTP_UNSUPPORTED_MEDIA_TYPE,
                          "content type must be application/timestamp-query");
        }
        if (!request.hasContentLength())
            return refuse(response, HTTPResponse::HTTP_LENGTH_REQUIRED, "a content length is needed");
        const auto length = request.getContentLength64();
        if (length > static_cast<Poco::Int64>(kMaxToken)) {
            return refuse(response, HTTPResponse::HTTP_REQUEST_ENTITY_TOO_LARGE, "at most 64 KiB");
        }
        Bytes tsq(static_cast<std::size_t>(length));
        request.stream().read(reinterpret_cast<char*>(tsq.data()), static_cast<std::streamsize>(tsq.size()));
        if (request.stream().gcount() != static_cast<std::streamsize>(tsq.size())) return;  // the peer went away
        const Result<Bytes> tsr = answer_(tsq);
        if (!tsr.ok()) {
            log(LogLevel::warning, "time-stamp request failed", {{"code", tsr.error().code()}});
            return refuse(response, HTTPResponse::HTTP_INTERNAL_SERVER_ERROR, "the authority failed");
        }
        response.setContentType("application/timestamp-reply");
        response.setKeepAlive(false);
        response.sendBuffer(tsr->data(), tsr->size());
    }

    const TsaServer::Answer& answer_;
};

class Factory final : public Poco::Net::HTTPRequestHandlerFactory {
public:
    explicit Factory(TsaServer::Answer answer) : answer_(std::move(answer)) {}
    Poco::Net::HTTPRequestHandler* createRequestHandler(const HTTPServerRequest&) override {
        return new Handler(answer_);
    }

private:
    TsaServer::Answer answer_;
};

}  // namespace

struct TsaServer::State {
    Poco::ThreadPool pool{1, kThreads};
    Poco::Net::ServerSocket socket;
    std::unique_ptr<Poco::Net::HTTPServer> server;
    std::string url;
};

TsaServer::TsaServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<TsaServer>> TsaServer::start(const std::string& host, std::uint16_t port, Answer answer) {
    try {
        auto state = std::make_unique<State>();
        state->socket.bind(Poco::Net::SocketAddress(host, port), true, false);
        state->socket.listen(kQueued);
        Poco::Net::HTTPServerParams::Ptr parameters = new Poco::Net::HTTPServerParams;
        parameters->setKeepAlive(false);
        parameters->setMaxThreads(kThreads);
        parameters->setMaxQueued(kQueued);
        parameters->setTimeout(Poco::Timespan(kTimeout_s, 0));
        state->server = std::make_unique<Poco::Net::HTTPServer>(new Factory(std::move(answer)), state->pool,
                                                                state->socket, parameters);
        state->url = "http://" + state->socket.address().toString() + "/";
        state->server->start();
        return std::unique_ptr<TsaServer>(new TsaServer(std::move(state)));
    } catch (const Poco::Exception&) {
        return Error(Code::environment, "the time-stamp server can't listen on port " + std::to_string(port))
            .with_hint("choose a free port above 1023 and an address of this machine");
    }
}

TsaServer::~TsaServer() {
    try {
        state_->server->stopAll(false);
        state_->pool.joinAll();
    } catch (const std::exception&) {
        log(LogLevel::warning, "time-stamp server did not stop cleanly");
    }
}

std::uint16_t TsaServer::port() const {
    return state_->socket.address().port();
}

std::string TsaServer::url() const {
    return state_->url;
}

}  // namespace kustos::audit
