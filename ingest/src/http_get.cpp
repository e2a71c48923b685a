#include "ingest/src/http_get.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <istream>
#include <memory>

namespace kustos::ingest {

namespace {

using Poco::Net::HTTPClientSession;
using Poco::Net::HTTPRequest;
using Poco::Net::HTTPResponse;

constexpr int kMaxHeaderFields = 64;

Poco::Timespan milliseconds(std::int64_t ms) {
    return Poco::Timespan(ms / 1000, static_cast<long>(ms % 1000) * 1000);
}

Error later(const HttpPlace& place, const char* what) {
    return Error(Code::environment, place.who + " " + what);
}

std::unique_ptr<HTTPClientSession> session(const HttpPlace& place) {
    std::unique_ptr<HTTPClientSession> out;
    if (place.tls) {
        Poco::Net::Context::Ptr context =
            new Poco::Net::Context(Poco::Net::Context::TLS_CLIENT_USE, "", "", place.ca_file,
                                   Poco::Net::Context::VERIFY_STRICT, 9, place.ca_file.empty());
        context->requireMinimumProtocol(Poco::Net::Context::PROTO_TLSV1_2);
        context->enableExtendedCertificateVerification(true);  // the host name too
        out = std::make_unique<Poco::Net::HTTPSClientSession>(place.host, place.port, context);
    } else {
        out = std::make_unique<HTTPClientSession>(place.host, place.port);
    }
    out->setProxyConfig(HTTPClientSession::ProxyConfig());  // none, whatever the process's default is
    out->setKeepAlive(false);
    const auto wait = milliseconds(place.answer_ms);
    out->setTimeout(wait, wait, wait);
    return out;
}

// What has arrived is handed on at once, so that bytes which drip do not outlast the deadline.
Status copy(const HttpPlace& place, std::istream& in, const HTTPResponse& response, const ByteSink& out) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(place.whole_ms);
    std::array<char, 16 * 1024> piece{};
    std::uint64_t got = 0;
    while (in.peek() != std::istream::traits_type::eof()) {
        const std::streamsize there = in.rdbuf()->in_avail();
        const auto most = static_cast<std::streamsize>(piece.size());
        in.read(piece.data(), std::min(std::max<std::streamsize>(there, 1), most));
        const auto size = static_cast<std::size_t>(in.gcount());
        got += size;
        TRY(out(as_bytes(std::string_view(piece.data(), size))));
        if (std::chrono::steady_clock::now() > end) return later(place, "did not answer in time");
    }
    if (response.hasContentLength() && got != static_cast<std::uint64_t>(response.getContentLength64()))
        return later(place, "ended the connection");
    return {};
}

}  // namespace

// Poco's texts name hosts and paths: ours do not.
Result<int> http_get(const HttpPlace& place, const ByteSink& out) {
    try {
        const auto connection = session(place);
        HTTPRequest request(HTTPRequest::HTTP_GET, place.target, HTTPRequest::HTTP_1_1);
        if (!place.authorization.empty()) request.set("Authorization", place.authorization);
        request.set("Accept-Encoding", "identity");
        connection->sendRequest(request);
        HTTPResponse response;
        response.setFieldLimit(kMaxHeaderFields);
        std::istream& in = connection->receiveResponse(response);
        if (response.getStatus() == 200) TRY(copy(place, in, response, out));
        return static_cast<int>(response.getStatus());
    } catch (const Poco::TimeoutException&) {
        return later(place, "did not answer in time");
    } catch (const Poco::Exception&) {
        return later(place, "can't be reached");
    } catch (const std::exception&) {
        return later(place, "ended the connection");
    }
}

}  // namespace kustos::ingest
