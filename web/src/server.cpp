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

#include <array>
#include <atomic>
#include <charconv>
#include <istream>
#include <utility>

#include "base/log.h"
#include "base/stack.h"
#include "web/push_json.h"
#include "web/src/html.h"
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
    std::atomic<std::uint64_t> push_bytes = 0;  // of bodies that are in memory now, as declared
};

// Room for one body; given back at the end.
class Room {
public:
    static Result<Room> take(std::atomic<std::uint64_t>& used, std::uint64_t bytes, std::uint64_t most) {
        Room room(&used, bytes);
        if (used.fetch_add(bytes) + bytes > most && bytes != 0) {
            return Error(Code::overloaded, "too many pushes at once").with_hint("send again later; nothing was taken");
        }
        return room;
    }
    Room(Room&& other) noexcept : used_(std::exchange(other.used_, nullptr)), bytes_(other.bytes_) {}
    ~Room() {
        if (used_ != nullptr) used_->fetch_sub(bytes_);
    }

private:
    Room(std::atomic<std::uint64_t>* used, std::uint64_t bytes) : used_(used), bytes_(bytes) {}
    std::atomic<std::uint64_t>* used_;
    std::uint64_t bytes_;
};

// A sender that is refused in the middle of its body sees the answer only if the rest is taken off the line: so much
// is.
void discard(std::istream& in, std::uint64_t most) {
    std::vector<char> buffer(64 * 1024);
    for (std::uint64_t done = 0; done < most && in.good(); done += static_cast<std::uint64_t>(in.gcount()))
        in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
}

// Reads at most `limit` bytes of a body. Code::limit above; Code::bad_input when the sender stops early.
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

    static void send(HTTPServerResponse& r, int status, std::string_view type, std::string_view body) {
        r.setStatusAndReason(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(status));
        r.setContentType(std::string(type));
        r.sendBuffer(body.data(), body.size());
    }
    static void html(HTTPServerResponse& r, const std::string& body, int status = 200) {
        send(r, status, "text/html; charset=utf-8", body);
    }
    static void redirect(HTTPServerResponse& r, const std::string& to) {
        r.set("Location", to);
        send(r, 303, "text/plain", "");
    }
    static void json_error(HTTPServerResponse& r, const Error& error) {
        const int status = http_status(error.code());
        if (status == 503) r.set("Retry-After", error.code() == Code::overloaded ? "5" : "60");
        send(r, status, "application/json", error_json(error));
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
        if (path.rfind("/api/", 0) == 0) return api(request, response, path, post);
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
        if (path.rfind("/record/", 0) == 0) return record(c, response, path, parse_form(uri.getRawQuery())["matter"]);
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
        auto result = house_.service.search(c.actor, form.matter, form.query, form.sort, form.offset, 20);
        if (!result.ok())
            return html(response, search_page(c, *matters, form, nullptr, &result.error()),
                        http_status(result.error().code()));
        html(response, search_page(c, *matters, form, &*result, nullptr));
    }

    void record(const PageContext& c, HTTPServerResponse& response, const std::string& path,
                const std::string& matter) {
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
        html(response, record_page(c, *report, matter));
    }

    void verify(const PageContext& c, HTTPServerResponse& response, bool post) {
        if (!post) return html(response, verify_page(c, nullptr));
        auto report = house_.service.verify();
        if (!report.ok()) return html(response, error_page(c, report.error()), http_status(report.error().code()));
        html(response, verify_page(c, &*report));
    }

    void api(HTTPServerRequest& request, HTTPServerResponse& response, const std::string& path, bool post) {
        const std::string ingest = "/api/v1/ingest/", heartbeat = "/api/v1/heartbeat/";
        const bool beats = path.rfind(heartbeat, 0) == 0;
        const std::string& prefix = beats ? heartbeat : ingest;
        if (path.rfind(prefix, 0) != 0 || path.size() == prefix.size())
            return json_error(response, Error(Code::not_found, "no such address"));
        if (!post) return send(response, 405, "application/json", error_json(Error(Code::usage, "use POST")));
        PushRequest push;
        push.source = path.substr(prefix.size());
        const auto refuse = [&](const Error& error) {
            discard(request.stream(), 2 * house_.options.max_push_bytes);
            json_error(response, error);
        };
        const std::string authorization = request.get("Authorization", "");
        if (authorization.rfind("Bearer ", 0) != 0) {
            response.set("WWW-Authenticate", "Bearer");
            return send(
                response, 401, "application/json",
                error_json(
                    Error(Code::denied, "a bearer token is needed").with_hint("kustos source add prints it once")));
        }
        push.token = authorization.substr(7);
        if (beats) {
            if (const Status may = house_.service.may_push(push.source, push.token); !may.ok())
                return refuse(may.error());
            const auto body = read_body(request, 4096);
            if (!body.ok()) return refuse(body.error());
            const auto sent = parse_heartbeat(*body);
            if (!sent.ok()) return json_error(response, sent.error());
            const auto answer = house_.service.heartbeat(push.source, *sent);
            if (!answer.ok()) return json_error(response, answer.error());
            return send(response, 200, "application/json", heartbeat_answer_json(*answer));
        }
        push.idempotency_key = request.get("Idempotency-Key", "");
        push.feed_position = request.get("Feed-Position", "");
        if (push.idempotency_key.size() > 200 || push.feed_position.size() > 1000) {
            return json_error(
                response, Error(Code::bad_input, "Idempotency-Key has at most 200 bytes, Feed-Position at most 1000"));
        }
        const std::string type = request.getContentType();
        if (type.rfind("application/x-ndjson", 0) != 0 && type.rfind("application/json", 0) != 0 &&
            type.rfind("application/jsonl", 0) != 0) {
            return send(response, 415, "application/json",
                        error_json(Error(Code::bad_input, "Content-Type must be application/x-ndjson")
                                       .with_hint("one message a line")));
        }
        if (const Status may = house_.service.may_push(push.source, push.token); !may.ok()) return refuse(may.error());
        const std::uint64_t most = house_.options.max_push_bytes;
        const auto declared = request.getContentLength64();
        const bool known = declared >= 0 && static_cast<std::uint64_t>(declared) <= most;
        const auto room = Room::take(house_.push_bytes, known ? static_cast<std::uint64_t>(declared) : most,
                                     house_.options.max_bodies);
        if (!room.ok()) return refuse(room.error());
        auto body = read_body(request, most);
        if (!body.ok()) return refuse(body.error());
        push.body = std::move(*body);
        auto answer = house_.service.push(push);
        if (!answer.ok()) return json_error(response, answer.error());
        send(response, 200, "application/json", push_answer_json(*answer));
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
            new State{House{environment, service, options, Sessions(environment.clock, environment.random)},
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
