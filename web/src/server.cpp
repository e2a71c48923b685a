#include "web/server.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTMLForm.h>
#include <Poco/Net/HTTPBufferAllocator.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/NameValueCollection.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SecureServerSocket.h>
#include <Poco/ThreadPool.h>
#include <Poco/URI.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <istream>
#include <utility>

#include "base/log.h"
#include "base/stack.h"
#include "web/push_json.h"
#include "web/src/answers.h"
#include "web/src/html.h"
#include "web/src/push_api.h"
#include "web/src/sessions.h"
#include "web/src/tls.h"

namespace kustos::web {

namespace {

using Poco::Net::HTTPRequestHandler;
using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

constexpr const char* kCookie = "__Host-kustos";
constexpr std::size_t kMaxForm = 64 * 1024;

struct House {
    Environment environment;
    Service& service;
    ServerOptions options;
    Sessions sessions;
    PushApi push;
};

std::string percent_decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            out += ' ';
        } else if (text[i] == '%' && i + 2 < text.size()) {
            auto byte = parse_hex(text.substr(i + 1, 2));
            if (byte.ok()) {
                out += static_cast<char>((*byte)[0]);
                i += 2;
            } else {
                out += '%';
            }
        } else {
            out += text[i];
        }
    }
    return out;
}

using Form = std::map<std::string, std::string>;
Form parse_form(std::string_view text) {
    Form form;
    std::size_t begin = 0;
    while (begin < text.size() && form.size() < 50) {
        const std::size_t end = std::min(text.find('&', begin), text.size());
        const std::string_view pair = text.substr(begin, end - begin);
        const std::size_t eq = std::min(pair.find('='), pair.size());
        form[percent_decode(pair.substr(0, eq))] = eq < pair.size() ? percent_decode(pair.substr(eq + 1)) : "";
        begin = end + 1;
    }
    return form;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return n;
}

class Handler final : public HTTPRequestHandler {
public:
    explicit Handler(House& house) : house_(house) {}

    void handleRequest(HTTPServerRequest& request, HTTPServerResponse& response) override {
        const StackWiper wiper;
        // Poco reports a broken connection by an exception; there is nobody left to answer then.
        try {
            security_headers(response);
            route(request, response);
        } catch (const Poco::Exception&) {
            log(LogLevel::info, "connection ended early");
        } catch (const std::exception&) {
            log(LogLevel::error, "request failed");
        }
    }

private:
    static void security_headers(HTTPServerResponse& r) {
        r.set("Content-Security-Policy",
              "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
        r.set("X-Content-Type-Options", "nosniff");
        r.set("Referrer-Policy", "no-referrer");
        r.set("Cross-Origin-Opener-Policy", "same-origin");
        r.set("Cross-Origin-Resource-Policy", "same-origin");
        r.set("Strict-Transport-Security", "max-age=31536000");
        r.set("Cache-Control", "no-store");
    }

    static void html(HTTPServerResponse& r, const std::string& body, int status = 200) {
        send(r, status, "text/html; charset=utf-8", body);
    }
    static void redirect(HTTPServerResponse& r, const std::string& to) {
        r.set("Location", to);
        send(r, 303, "text/plain", "");
    }
    PageContext context(HTTPServerRequest& request) {
        PageContext c;
        c.language = house_.options.language;
        const std::string accepted = request.get("Accept-Language", "");
        const std::size_t de = accepted.find("de"), en = accepted.find("en");
        if (de != std::string::npos || en != std::string::npos)
            c.language = de <= en ? Language::german : Language::english;
        Poco::Net::NameValueCollection cookies;
        request.getCookies(cookies);
        session_id_ = cookies.get(kCookie, "");
        if (auto session = house_.sessions.find(session_id_)) {
            c.actor = session->actor;
            c.form_token = session->form_token;
        }
        return c;
    }

    void route(HTTPServerRequest& request, HTTPServerResponse& response) {
        const Poco::URI uri(request.getURI());
        const std::string path = uri.getPath();
        const bool post = request.getMethod() == "POST";
        if (!post && request.getMethod() != "GET" && request.getMethod() != "HEAD")
            return send(response, 405, "text/plain", "");
        if (path.rfind("/api/", 0) == 0) return house_.push.answer(request, response, path, post);
        if (path == "/style.css") {
            response.set("Cache-Control", "max-age=600");
            return send(response, 200, "text/css", style_sheet());
        }
        const PageContext c = context(request);
        Form form;
        if (post) {
            auto body = read_body(request, kMaxForm);
            if (!body.ok()) return html(response, error_page(c, body.error()), 400);
            form = parse_form(as_text(*body));
        }
        if (path == "/login") return login(c, response, post, form);
        if (c.actor.empty()) return redirect(response, "/login");
        if (post && !equal_constant_time(as_bytes(form["form_token"]), as_bytes(c.form_token))) {
            return html(response,
                        error_page(c, Error(Code::denied, std::string(say(c.language, "Das Formular ist abgelaufen.",
                                                                          "The form has expired.")))),
                        403);
        }
        if (path == "/logout" && post) {
            house_.sessions.close(session_id_);
            return redirect(response, "/login");
        }
        if (path == "/" || path == "/status") return status(c, response);
        if (path == "/search") return search(c, response, post, form);
        if (path == "/verify") return verify(c, response, post);
        if (path.rfind("/record/", 0) == 0) return record(c, response, path, parse_form(uri.getRawQuery()));
        html(response,
             error_page(c, Error(Code::not_found,
                                 std::string(say(c.language, "Diese Seite gibt es nicht.", "There is no such page.")))),
             404);
    }

    void login(const PageContext& c, HTTPServerResponse& response, bool post, Form& form) {
        if (!post) return html(response, login_page(c, false));
        if (!house_.sessions.may_try()) {
            response.set("Retry-After", "60");
            return html(
                response,
                error_page(c, Error(Code::overloaded,
                                    std::string(say(c.language, "Zu viele Versuche. Bitte in einer Minute wieder.",
                                                    "Too many attempts. Please try again in a minute.")))),
                429);
        }
        auto good = house_.service.log_in(form["name"], form["password"]);
        if (!good.ok() || !*good) return html(response, login_page(c, true), 401);
        house_.sessions.succeeded();
        const std::string id = house_.sessions.open(form["name"]);
        response.add("Set-Cookie", std::string(kCookie) + "=" + id + "; Path=/; Secure; HttpOnly; SameSite=Strict");
        redirect(response, "/");
    }

    void status(const PageContext& c, HTTPServerResponse& response) {
        auto report = house_.service.status(c.language);
        if (!report.ok()) return html(response, error_page(c, report.error()), http_status(report.error().code()));
        html(response, status_page(c, *report));
    }

    void search(const PageContext& c, HTTPServerResponse& response, bool post, Form& f) {
        SearchForm form;
        auto matters = house_.service.matters();
        if (!matters.ok()) return html(response, error_page(c, matters.error()), http_status(matters.error().code()));
        if (!post) return html(response, search_page(c, *matters, form, nullptr, nullptr));
        form.matter = f["matter"];
        form.query = f["query"];
        form.sort = f["sort"] == "relevance" ? "relevance" : "date";
        form.offset = parse_number(f["offset"]).value_or(0);
        form.figures = f["figures"] == "yes";
        auto result = house_.service.search(c.actor, form.matter, form.query, form.sort, form.offset, 20, form.figures);
        if (!result.ok())
            return html(response, search_page(c, *matters, form, nullptr, &result.error()),
                        http_status(result.error().code()));
        html(response, search_page(c, *matters, form, &*result, nullptr));
    }

    void record(const PageContext& c, HTTPServerResponse& response, const std::string& path, Form asked) {
        const std::string matter = asked["matter"];
        std::string rest = path.substr(8);
        const std::string original = "/original";
        const bool bytes = rest.size() > original.size() &&
                           rest.compare(rest.size() - original.size(), original.size(), original) == 0;
        if (bytes) rest.resize(rest.size() - original.size());
        const auto entry = parse_number(rest);
        if (!entry) return html(response, error_page(c, Error(Code::not_found, "no such record")), 404);
        if (bytes) {
            auto original_bytes = house_.service.original(c.actor, matter, EntryIndex(*entry));
            if (!original_bytes.ok())
                return html(response, error_page(c, original_bytes.error()),
                            http_status(original_bytes.error().code()));
            response.set("Content-Disposition", "attachment; filename=\"" + std::to_string(*entry) + ".bin\"");
            return send(response, 200, "application/octet-stream", as_text(*original_bytes));
        }
        auto report = house_.service.record(c.actor, matter, EntryIndex(*entry), c.language);
        if (!report.ok()) return html(response, error_page(c, report.error()), http_status(report.error().code()));
        const auto around = parse_number(asked["context"]);
        if (!around) return html(response, record_page(c, *report, matter, nullptr));
        const ContextAsk ask{std::min(*around, ContextAsk::kMost), std::min(*around, ContextAsk::kMost)};
        const Result<ContextReport> context = house_.service.context(c.actor, matter, EntryIndex(*entry), ask);
        html(response, record_page(c, *report, matter, &context));
    }

    void verify(const PageContext& c, HTTPServerResponse& response, bool post) {
        if (!post) return html(response, verify_page(c, nullptr));
        auto report = house_.service.verify();
        if (!report.ok()) return html(response, error_page(c, report.error()), http_status(report.error().code()));
        html(response, verify_page(c, &*report));
    }

    House& house_;
    std::string session_id_;
};

class Factory final : public Poco::Net::HTTPRequestHandlerFactory {
public:
    explicit Factory(House& house) : house_(house) {}
    HTTPRequestHandler* createRequestHandler(const HTTPServerRequest&) override { return new Handler(house_); }

private:
    House& house_;
};

}  // namespace

// A connection of Poco has one for the session, and for each of a request's and an answer's head and body.
constexpr std::size_t kBuffersOfConnection = 6, kPooledBuffers = 192;

struct Server::State {
    House house;
    Hash certificate;
    std::unique_ptr<Poco::ThreadPool> pool;
    std::unique_ptr<Poco::Net::HTTPServer> server;
    std::uint16_t port = 0;
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() {
    stop();
}

Result<std::unique_ptr<Server>> Server::start(Environment environment, Service& service, ServerOptions options) {
    CHECK((options.threads + 1) * kBuffersOfConnection <= kPooledBuffers);
    const Hash certificate = TRY(ensure_certificate(environment, options.tls_dir));
    try {
        Poco::Net::initializeSSL();
        Poco::Net::Context::Params tls;
        tls.privateKeyFile = (options.tls_dir / "server.key").string();
        tls.certificateFile = (options.tls_dir / "server.crt").string();
        tls.verificationMode = Poco::Net::Context::VERIFY_NONE;  // of clients: they show a token or a password
        tls.loadDefaultCAs = false;
        Poco::Net::Context::Ptr context(new Poco::Net::Context(Poco::Net::Context::TLS_SERVER_USE, tls));
        context->requireMinimumProtocol(Poco::Net::Context::PROTO_TLSV1_2);
        context->enableSessionCache(false);
        SSL_CTX_set_options(context->sslContext(), SSL_OP_NO_RENEGOTIATION);

        Poco::Net::SecureServerSocket socket(context);
        socket.bind(Poco::Net::SocketAddress("127.0.0.1", options.port), true, false);  // the port is ours alone
        socket.listen(64);
        auto state = std::unique_ptr<State>(
            new State{House{environment, service, options, Sessions(environment.clock, environment.random),
                            PushApi(environment, service, options)},
                      certificate, nullptr, nullptr, 0});
        state->port = socket.address().port();
        Poco::Net::HTTPServerParams::Ptr params(new Poco::Net::HTTPServerParams);
        params->setMaxThreads(static_cast<int>(options.threads));
        params->setMaxQueued(256);
        params->setKeepAlive(true);
        params->setKeepAliveTimeout(Poco::Timespan(5, 0));
        params->setMaxKeepAliveRequests(100);
        params->setTimeout(Poco::Timespan(30, 0));
        state->pool = std::make_unique<Poco::ThreadPool>(2, static_cast<int>(options.threads) + 1);
        state->server =
            std::make_unique<Poco::Net::HTTPServer>(new Factory(state->house), *state->pool, socket, params);
        state->server->start();
        return std::unique_ptr<Server>(new Server(std::move(state)));
    } catch (const Poco::Exception&) {
        return Error(Code::environment, "https can't listen on 127.0.0.1:" + std::to_string(options.port))
            .with_hint("is another `kustos serve` running? choose another --port");
    }
}

std::uint16_t Server::port() const {
    return state_->port;
}
std::string Server::certificate_fingerprint() const {
    return state_->certificate.hex();
}

// Poco keeps the buffers of its connections for the next ones, as they are; the last released come first. So whatever
// lies there is taken out at once: as many as all threads can have had in use, and those of the time-stamp client.
void Server::wipe_buffers() {
    using Poco::Net::HTTPBufferAllocator;
    std::array<char*, kPooledBuffers> taken{};
    for (char*& buffer : taken) buffer = HTTPBufferAllocator::allocate(HTTPBufferAllocator::BUFFER_SIZE);
    for (char* const buffer : taken) {
        wipe({reinterpret_cast<std::uint8_t*>(buffer), HTTPBufferAllocator::BUFFER_SIZE});
        HTTPBufferAllocator::deallocate(buffer, HTTPBufferAllocator::BUFFER_SIZE);
    }
}

void Server::stop() {
    if (!state_ || !state_->server) return;
    state_->server->stopAll(false);
    state_->pool->joinAll();
    state_->server.reset();
}

}  // namespace kustos::web
