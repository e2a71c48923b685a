#include "tests/bench/https_pages.h"

#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>

#include "web/server.h"

namespace kustos::bench {

struct HttpsPages::State {
    std::string matter, cookie, form_token;
    std::unique_ptr<web::Server> server;
    std::unique_ptr<Poco::Net::HTTPSClientSession> session;

    std::string ask(const char* method, const std::string& path, const std::string& body, int expected) {
        Poco::Net::HTTPRequest request(method, path, Poco::Net::HTTPMessage::HTTP_1_1);
        request.setKeepAlive(true);
        if (!cookie.empty()) request.set("Cookie", cookie);
        if (!body.empty()) request.setContentType("application/x-www-form-urlencoded");
        request.setContentLength64(static_cast<Poco::Int64>(body.size()));
        session->sendRequest(request) << body;
        Poco::Net::HTTPResponse response;
        std::string answer;
        Poco::StreamCopier::copyToString(session->receiveResponse(response), answer);
        if (response.getStatus() != expected) {
            std::fprintf(stderr, "%s was answered %d\n", path.c_str(), static_cast<int>(response.getStatus()));
            std::exit(1);
        }
        if (response.has("Set-Cookie"))
            cookie = response.get("Set-Cookie").substr(0, response.get("Set-Cookie").find(';'));
        return answer;
    }
};

HttpsPages::HttpsPages(Place& place, std::string matter) : state_(std::make_unique<State>()) {
    State& s = *state_;
    s.matter = std::move(matter);
    need(place.house->accounts().set_password("bench", "bench-bench-bench"));
    Poco::Net::initializeSSL();
    web::ServerOptions options;
    options.port = 0;
    options.tls_dir = place.folder / "tls";
    s.server = need(web::Server::start({place.fs, place.clock, place.random}, *place.house, options));
    Poco::Net::Context::Params tls;
    tls.caLocation = (options.tls_dir / "server.crt").string();
    tls.verificationMode = Poco::Net::Context::VERIFY_RELAXED;
    tls.loadDefaultCAs = false;
    s.session = std::make_unique<Poco::Net::HTTPSClientSession>(
        "127.0.0.1", s.server->port(),
        Poco::Net::Context::Ptr(new Poco::Net::Context(Poco::Net::Context::TLS_CLIENT_USE, tls)));
    s.session->setKeepAlive(true);
    s.ask("POST", "/login", "name=bench&password=bench-bench-bench", 303);
    const std::string page = s.ask("GET", "/search", "", 200), mark = "name=\"form_token\" value=\"";
    const std::size_t at = page.find(mark);
    CHECK(at != std::string::npos);
    s.form_token = page.substr(at + mark.size(), page.find('"', at + mark.size()) - at - mark.size());
}

HttpsPages::~HttpsPages() {
    state_->session.reset();
    state_->server->stop();
}

void HttpsPages::search(const std::string& query) {
    std::string typed;
    Poco::URI::encode(query, "&=+#?;\"", typed);
    state_->ask("POST", "/search", "form_token=" + state_->form_token + "&matter=" + state_->matter + "&query=" + typed,
                200);
}

}  // namespace kustos::bench
