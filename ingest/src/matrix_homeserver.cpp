#include "ingest/src/matrix_homeserver.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/URI.h>

#include <array>
#include <chrono>
#include <istream>

#include "ingest/src/json_scan.h"
#include "ingest/src/json_value.h"

namespace kustos::ingest {

namespace {

using Poco::Net::HTTPClientSession;
using Poco::Net::HTTPRequest;
using Poco::Net::HTTPResponse;

constexpr int kMaxHeaderFields = 64;
constexpr std::size_t kMaxRooms = 100'000;

Poco::Timespan milliseconds(std::int64_t ms) {
    return Poco::Timespan(ms / 1000, static_cast<long>(ms % 1000) * 1000);
}

Error later(const char* what) {
    return Error(Code::environment, std::string("the homeserver ") + what);
}

Status check_status(int status) {
    if (status == 200) return {};
    // 401: it does not know our token, which somebody will put right. 429 and 5xx: it says so itself.
    if (status == 401) return later("does not know the as_token");
    if (status == 429 || status >= 500) return later("is busy");
    return Error(Code::not_found, "the homeserver does not give it");
}

class PocoHomeserver final : public MatrixHomeserver {
public:
    PocoHomeserver(MatrixHomeserverOptions options, Poco::URI uri)
        : options_(std::move(options)), uri_(std::move(uri)) {}

    Status media(std::string_view mxc, const ByteSink& out) override {
        const std::string_view rest = mxc.substr(std::string_view("mxc://").size());
        const std::size_t slash = rest.find('/');
        return get("/_matrix/client/v1/media/download/" + matrix_percent_encode(rest.substr(0, slash)) + "/" +
                       matrix_percent_encode(rest.substr(slash + 1)),
                   out);
    }

    Result<MatrixPage> messages(std::string_view room, std::string_view as_user, std::string_view from) override {
        std::string target = "/_matrix/client/v3/rooms/" + matrix_percent_encode(room) + "/messages?dir=b&limit=100";
        if (!from.empty()) target += "&from=" + matrix_percent_encode(from);
        if (!as_user.empty()) target += "&user_id=" + matrix_percent_encode(as_user);
        return parse_matrix_page(TRY(get_text(target)));
    }

    Result<std::vector<std::string>> joined_rooms() override {
        const std::string text = TRY(get_text("/_matrix/client/v3/joined_rooms"));
        JsonParser parser;
        if (!parser.parse(as_bytes(text)).empty() || !parser.root()["joined_rooms"].is_array())
            return Error(Code::bad_input, "the homeserver's list of rooms can't be read");
        std::vector<std::string> out;
        for (const JsonValue& room : parser.root()["joined_rooms"].items())
            if (room.is_text() && out.size() < kMaxRooms) out.emplace_back(room.text());
        return out;
    }

private:
    Result<std::string> get_text(const std::string& target) {
        std::string out;
        TRY(get(target, [&](ByteView piece) -> Status {
            if (out.size() + piece.size() > options_.max_page)
                return Error(Code::limit, "the homeserver's answer is too large");
            out += as_text(piece);
            return {};
        }));
        return out;
    }

    std::unique_ptr<HTTPClientSession> session() const {
        std::unique_ptr<HTTPClientSession> out;
        if (uri_.getScheme() == "https") {
            Poco::Net::Context::Ptr context =
                new Poco::Net::Context(Poco::Net::Context::TLS_CLIENT_USE, "", "", options_.ca_file,
                                       Poco::Net::Context::VERIFY_STRICT, 9, options_.ca_file.empty());
            context->requireMinimumProtocol(Poco::Net::Context::PROTO_TLSV1_2);
            context->enableExtendedCertificateVerification(true);  // the host name too
            out = std::make_unique<Poco::Net::HTTPSClientSession>(uri_.getHost(), uri_.getPort(), context);
        } else {
            out = std::make_unique<HTTPClientSession>(uri_.getHost(), uri_.getPort());
        }
        out->setProxyConfig(HTTPClientSession::ProxyConfig());  // none, whatever the process's default is
        out->setKeepAlive(false);
        const auto wait = milliseconds(options_.answer_ms);
        out->setTimeout(wait, wait, wait);
        return out;
    }

    // Poco's texts name hosts and paths: ours do not.
    Status get(const std::string& target, const ByteSink& out) {
        try {
            const auto connection = session();
            std::string path = uri_.getPath();
            while (!path.empty() && path.back() == '/') path.pop_back();
            HTTPRequest request(HTTPRequest::HTTP_GET, path + target, HTTPRequest::HTTP_1_1);
            request.set("Authorization", "Bearer " + to_text(options_.as_token.view()));
            request.set("Accept-Encoding", "identity");
            connection->sendRequest(request);
            HTTPResponse response;
            response.setFieldLimit(kMaxHeaderFields);
            std::istream& in = connection->receiveResponse(response);
            TRY(check_status(response.getStatus()));
            return copy(in, response, out);
        } catch (const Poco::TimeoutException&) {
            return later("did not answer in time");
        } catch (const Poco::Exception&) {
            return later("can't be reached");
        } catch (const std::exception&) {
            return later("ended the connection");
        }
    }

    // What has arrived is handed on at once, so that bytes which drip do not outlast the deadline.
    Status copy(std::istream& in, const HTTPResponse& response, const ByteSink& out) const {
        const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.whole_ms);
        std::array<char, 16 * 1024> piece{};
        std::uint64_t got = 0;
        while (in.peek() != std::istream::traits_type::eof()) {
            const std::streamsize there = in.rdbuf()->in_avail();
            const auto most = static_cast<std::streamsize>(piece.size());
            in.read(piece.data(), std::min(std::max<std::streamsize>(there, 1), most));
            const auto size = static_cast<std::size_t>(in.gcount());
            got += size;
            TRY(out(as_bytes(std::string_view(piece.data(), size))));
            if (std::chrono::steady_clock::now() > end) return later("did not answer in time");
        }
        if (response.hasContentLength() && got != static_cast<std::uint64_t>(response.getContentLength64()))
            return later("ended the connection");
        return {};
    }

    MatrixHomeserverOptions options_;
    Poco::URI uri_;
};

}  // namespace

std::string matrix_percent_encode(std::string_view text) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '.' || c == '_' || c == '~';
        if (plain) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
        }
    }
    return out;
}

Result<MatrixPage> parse_matrix_page(std::string_view json) {
    const std::string_view chunk = json_member(json, "chunk");
    if (chunk.empty() || chunk.front() != '[')
        return Error(Code::bad_input, "the homeserver's page of a room can't be read");
    MatrixPage out;
    for (const std::string_view event : json_elements(chunk)) out.events.push_back(to_bytes(event));
    if (const std::string_view end = json_member(json, "end"); !end.empty()) {
        JsonParser parser;
        if (parser.parse(as_bytes(end)).empty()) out.end = std::string(parser.root().text());
    }
    return out;
}

Result<std::unique_ptr<MatrixHomeserver>> connect_homeserver(MatrixHomeserverOptions options) {
    try {
        Poco::URI uri(options.url);
        const bool known = uri.getScheme() == "http" || uri.getScheme() == "https";
        if (!known || uri.getHost().empty() || !uri.getUserInfo().empty() || !uri.getQuery().empty())
            return Error(Code::usage, "homeserver is not an address as https://host[:port]");
        return std::unique_ptr<MatrixHomeserver>(std::make_unique<PocoHomeserver>(std::move(options), std::move(uri)));
    } catch (const Poco::Exception&) {
        return Error(Code::usage, "homeserver is not an address as https://host[:port]");
    }
}

}  // namespace kustos::ingest
