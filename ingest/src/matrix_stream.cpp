// A Matrix application service: the homeserver sends every event of its rooms (docs/architecture/streams.md). The
// requests' meaning is matrix_service.h's, the comparison with the rooms matrix_reconcile.h's; here are sockets,
// threads and settings.
#include <Poco/Exception.h>
#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/SecureServerSocket.h>
#include <Poco/ThreadPool.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <istream>
#include <thread>

#include "base/log.h"
#include "ingest/src/all_streams.h"
#include "ingest/src/intake_sink.h"
#include "ingest/src/matrix_reconcile.h"
#include "ingest/src/matrix_registration.h"
#include "ingest/src/matrix_service.h"

namespace kustos::ingest {

namespace {

using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

constexpr std::string_view kSettings =
    "# A Matrix application service: the homeserver sends it every event of its rooms.\n"
    "# For the homeserver: matrix-registration.yaml, which is written beside this file when the server starts.\n"
    "listen: 127.0.0.1:9009       # address:port; port 0: any\n"
    "hs_token_file: \"\"            # the homeserver shows it to us; a file that only we can read (chmod 600)\n"
    "as_token_file: \"\"            # we show it to the homeserver\n"
    "homeserver: \"\"               # https://matrix.amt.example; empty: no files, no comparison\n"
    "# homeserver_ca: ca.pem      # trusted certificates of it; without: the system's\n"
    "own_server: \"\"               # amt.example: the part of our people's ids behind the colon\n"
    "# bot: kustos                # sender_localpart of the registration\n"
    "media: yes                   # fetch files\n"
    "reconcile_minutes: 60        # how often rooms are compared with the homeserver; 0: never\n"
    "# settle_seconds: 120        # younger events are left to the homeserver's transactions\n"
    "# history: no                # yes: what was in the rooms before this source was there is sealed, too\n"
    "# tls_cert: server.crt       # PEM; without: plain http, for a homeserver on this machine or behind a proxy\n"
    "# tls_key: server.key\n";

constexpr int kThreads = 8, kQueued = 64;
constexpr long kTimeout_s = 15;
constexpr std::int64_t kBody_ms = 60'000;  // for all of a body

void send(HTTPServerResponse& response, const MatrixAnswer& answer) {
    response.setStatusAndReason(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(answer.status));
    response.setContentType("application/json");
    if (answer.retry_after_s > 0) response.set("Retry-After", std::to_string(answer.retry_after_s));
    if (answer.status != 200) response.setKeepAlive(false);  // its body may not have been read
    response.sendBuffer(answer.body.data(), answer.body.size());
}

// What has arrived is taken at once, so that bytes which drip do not outlast the deadline. Absent: cut off or too slow.
std::optional<Bytes> read_body(std::istream& in, std::size_t most, std::optional<std::size_t> declared) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(kBody_ms);
    Bytes out;
    while (out.size() <= most && in.peek() != std::istream::traits_type::eof()) {
        const auto there = std::clamp<std::streamsize>(in.rdbuf()->in_avail(), 1, 64 << 10);
        const std::size_t at = out.size();
        out.resize(at + static_cast<std::size_t>(there));
        in.read(reinterpret_cast<char*>(out.data() + at), there);
        out.resize(at + static_cast<std::size_t>(in.gcount()));
        if (std::chrono::steady_clock::now() > end) return std::nullopt;
    }
    if (declared && out.size() != *declared) return std::nullopt;
    return out;
}

// So that the counterpart comes to read the answer: it writes its body first.
void discard(std::istream& in, std::size_t most, std::int64_t ms) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
    std::array<char, 16 * 1024> piece{};
    for (std::size_t got = 0; got < most && std::chrono::steady_clock::now() < end;) {
        if (in.peek() == std::istream::traits_type::eof()) return;
        const auto most_now = static_cast<std::streamsize>(piece.size());
        in.read(piece.data(), std::clamp<std::streamsize>(in.rdbuf()->in_avail(), 1, most_now));
        got += static_cast<std::size_t>(in.gcount());
    }
}

class Handler final : public Poco::Net::HTTPRequestHandler {
public:
    Handler(MatrixService& service, std::timed_mutex& turn) : service_(service), turn_(turn) {}
    void handleRequest(HTTPServerRequest& request, HTTPServerResponse& response) override {
        try {
            handle(request, response);
        } catch (const std::exception&) {  // the peer went away: it sends again
            log(LogLevel::debug, "request broken off");
        }
    }

private:
    void handle(HTTPServerRequest& http, HTTPServerResponse& response) {
        const std::string method = http.getMethod(), target = http.getURI();
        const std::string authorization = http.get("Authorization", "");
        MatrixRequest request{method, target, authorization, {}};
        if (const auto refused = service_.refuse(request)) {
            discard(http.stream(), 1u << 20, 5'000);  // who shows no token gets no more of our time
            return send(response, *refused);
        }
        std::optional<std::size_t> declared;
        if (http.hasContentLength()) {
            const auto length = http.getContentLength64();
            if (length < 0 || length > static_cast<Poco::Int64>(MatrixService::kMaxBody)) {
                discard(http.stream(), 2 * MatrixService::kMaxBody, kBody_ms);
                return send(response, service_.too_large(request));
            }
            declared = static_cast<std::size_t>(length);
        }
        // One body in memory: a homeserver sends one transaction after the other.
        const std::unique_lock turn(turn_, std::chrono::seconds(10));
        if (!turn.owns_lock()) {
            MatrixAnswer busy = matrix_error(503, "M_LIMIT_EXCEEDED", "another transaction is being taken");
            busy.retry_after_s = 5;
            return send(response, busy);
        }
        const auto body = read_body(http.stream(), MatrixService::kMaxBody, declared);
        if (!body) return send(response, matrix_error(400, "M_NOT_JSON", "the body ended early, or was too slow"));
        if (body->size() > MatrixService::kMaxBody) return send(response, service_.too_large(request));
        request.body = *body;
        send(response, service_.answer(request));
    }
    MatrixService& service_;
    std::timed_mutex& turn_;
};

class Factory final : public Poco::Net::HTTPRequestHandlerFactory {
public:
    Factory(MatrixService& service, std::timed_mutex& turn) : service_(service), turn_(turn) {}
    Poco::Net::HTTPRequestHandler* createRequestHandler(const HTTPServerRequest&) override {
        return new Handler(service_, turn_);
    }

private:
    MatrixService& service_;
    std::timed_mutex& turn_;
};

struct Listen {
    std::string address, cert, key;  // key and cert: both or neither
};

class Door {
public:
    Status open(const Listen& listen, MatrixService& service) {
        try {
            Poco::Net::ServerSocket socket = make_socket(listen);
            socket.bind(Poco::Net::SocketAddress(listen.address), true, false);
            socket.listen(kQueued);
            port_ = socket.address().port();
            Poco::Net::HTTPServerParams::Ptr params(new Poco::Net::HTTPServerParams);
            params->setMaxThreads(kThreads);
            params->setMaxQueued(kQueued);
            params->setKeepAlive(true);
            params->setKeepAliveTimeout(Poco::Timespan(kTimeout_s, 0));
            params->setTimeout(Poco::Timespan(kTimeout_s, 0));
            pool_ = std::make_unique<Poco::ThreadPool>(2, kThreads + 1);
            server_ = std::make_unique<Poco::Net::HTTPServer>(new Factory(service, turn_), *pool_, socket, params);
            server_->start();
            return {};
        } catch (const Poco::Exception&) {
            return Error(Code::environment,
                         "the address of `listen` can't be listened on, or its certificate not read");
        }
    }
    void close() {
        if (!server_) return;
        server_->stopAll(false);
        pool_->joinAll();
        server_.reset();
    }
    std::uint16_t port() const { return port_; }

private:
    static Poco::Net::ServerSocket make_socket(const Listen& listen) {
        if (listen.cert.empty()) return {};
        Poco::Net::initializeSSL();
        Poco::Net::Context::Params tls;
        tls.privateKeyFile = listen.key;
        tls.certificateFile = listen.cert;
        tls.verificationMode = Poco::Net::Context::VERIFY_NONE;  // of clients: they show a token
        tls.loadDefaultCAs = false;
        Poco::Net::Context::Ptr context(new Poco::Net::Context(Poco::Net::Context::TLS_SERVER_USE, tls));
        context->requireMinimumProtocol(Poco::Net::Context::PROTO_TLSV1_2);
        return Poco::Net::SecureServerSocket(context);
    }
    std::timed_mutex turn_;
    std::unique_ptr<Poco::ThreadPool> pool_;
    std::unique_ptr<Poco::Net::HTTPServer> server_;
    std::uint16_t port_ = 0;
};

struct MatrixOptions {
    Listen listen;
    MatrixServiceSettings service;
    MatrixReconcileSettings reconcile;
    bool media = true;
    std::int64_t every_ms = 0;
    Path registration;  // written at start
    std::string registration_text;
};

class MatrixStream final : public Stream {
public:
    MatrixStream(MatrixOptions options, std::unique_ptr<MatrixHomeserver> homeserver, Intake& intake)
        : options_(std::move(options)),
          intake_(intake),
          homeserver_(std::move(homeserver)),
          taker_(intake, options_.media ? homeserver_.get() : nullptr, options_.service.own_server),
          rooms_(intake) {
        options_.service.pinged = [this] { wake(); };
        service_ = std::make_unique<MatrixService>(std::move(options_.service), intake, taker_, rooms_);
    }
    ~MatrixStream() override { stop(); }

    Status start() override {
        TRY(replace_file(intake_.environment().fs, options_.registration, as_bytes(options_.registration_text)));
        TRY(door_.open(options_.listen, *service_));
        if (homeserver_ && options_.every_ms > 0) thread_ = std::thread([this] { run(); });
        return {};
    }

    void stop() override {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        woken_.notify_all();
        if (thread_.joinable()) thread_.join();
        door_.close();
    }

    StreamStatus status() const override {
        const std::lock_guard lock(mutex_);
        StreamStatus out;
        out.state = stop_              ? StreamStatus::State::stopped
                    : problem_.empty() ? StreamStatus::State::running
                                       : StreamStatus::State::waiting;
        out.problem = problem_;
        out.port = door_.port();
        out.taken = service_->sealed() + (reconcile_ ? reconcile_->sealed() : 0);
        out.refused = service_->refused();
        return out;
    }

    Status poke() override {
        wake();
        return {};
    }

private:
    void wake() {
        {
            const std::lock_guard lock(mutex_);
            woken_now_ = true;
        }
        woken_.notify_all();
    }

    // A round at once, then each reconcile_minutes; after a failure sooner (1 s to 5 minutes).
    void run() {
        constexpr std::int64_t kFirst = 1'000, kLast = 300'000;
        auto& reconcile = [this]() -> MatrixReconcile& {
            const std::lock_guard lock(mutex_);
            reconcile_ = std::make_unique<MatrixReconcile>(options_.reconcile, intake_, *homeserver_, taker_, rooms_);
            return *reconcile_;
        }();
        std::int64_t failed_wait = kFirst;
        while (!ends()) {
            const Status done = reconcile.round();
            if (!done.ok() && done.error().code() == Code::interrupted) return;
            if (!done.ok()) log(LogLevel::warning, "rooms could not be compared", {{"code", done.error().code()}});
            say(done.ok() ? "" : done.error().message());
            wait(done.ok() ? options_.every_ms : std::min(failed_wait, options_.every_ms));
            failed_wait = done.ok() ? kFirst : std::min(failed_wait * 2, kLast);
        }
    }

    bool ends() const {
        const std::lock_guard lock(mutex_);
        return stop_ || intake_.stopping();
    }

    void wait(std::int64_t ms) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
        std::unique_lock lock(mutex_);
        while (!stop_ && !woken_now_ && !intake_.stopping() && std::chrono::steady_clock::now() < until)
            woken_.wait_for(lock, std::chrono::milliseconds(200));
        woken_now_ = false;
    }

    void say(std::string problem) {
        const std::lock_guard lock(mutex_);
        problem_ = std::move(problem);
    }

    MatrixOptions options_;
    Intake& intake_;
    std::unique_ptr<MatrixHomeserver> homeserver_;
    MatrixTaker taker_;
    MatrixRooms rooms_;
    std::unique_ptr<MatrixService> service_;
    std::unique_ptr<MatrixReconcile> reconcile_;  // made by thread_, under mutex_
    Door door_;
    std::thread thread_;
    mutable std::mutex mutex_;  // for reconcile_ (the pointer), problem_, stop_, woken_now_
    std::condition_variable woken_;
    std::string problem_;
    bool stop_ = false, woken_now_ = false;
};

Result<bool> yes_or_no(const Config& config, std::string_view key, bool otherwise) {
    const std::string word = config.text(key, otherwise ? "yes" : "no");
    if (word == "yes" || word == "true") return true;
    if (word == "no" || word == "false") return false;
    return Error(Code::usage, std::string(key) + " is neither yes nor no");
}

std::string beside(const StreamSettings& settings, std::string_view key) {
    const std::string name = settings.config.text(key, "");
    if (name.empty()) return {};
    return (Path(name).is_absolute() ? Path(name) : settings.folder / name).string();
}

Result<std::unique_ptr<Stream>> make_matrix(const StreamSettings& settings, Intake& intake) {
    const Config& config = settings.config;
    MatrixOptions options;
    options.listen = {config.text("listen", "127.0.0.1:9009"), beside(settings, "tls_cert"),
                      beside(settings, "tls_key")};
    if (options.listen.cert.empty() != options.listen.key.empty())
        return Error(Code::usage, "tls_cert needs tls_key, and the other way round");
    options.service.own_server = config.text("own_server", "");
    if (options.service.own_server.empty()) return Error(Code::usage, "the settings lack own_server");
    options.service.bot = config.text("bot", "kustos");
    options.service.hs_token = TRY(read_secret(settings, "hs_token_file", intake.environment().fs));
    if (options.service.hs_token.size() < 16)
        return Error(Code::usage, "the token that hs_token_file names is shorter than 16 characters");
    options.media = TRY(yes_or_no(config, "media", true));
    options.reconcile.history = TRY(yes_or_no(config, "history", false));
    options.reconcile.settle_ms = TRY(config.number("settle_seconds", 120, 0, 86'400)) * 1000;
    options.every_ms = TRY(config.number("reconcile_minutes", 60, 0, 10'080)) * 60'000;
    options.registration = settings.folder / "matrix-registration.yaml";
    options.registration_text =
        matrix_registration(config.text("listen", "127.0.0.1:9009"), !options.listen.cert.empty(),
                            options.service.own_server, options.service.bot);
    std::unique_ptr<MatrixHomeserver> homeserver;
    if (const std::string url = config.text("homeserver", ""); !url.empty()) {
        MatrixHomeserverOptions asked;
        asked.url = url;
        asked.ca_file = beside(settings, "homeserver_ca");
        asked.as_token = TRY(read_secret(settings, "as_token_file", intake.environment().fs));
        homeserver = TRY(connect_homeserver(std::move(asked)));
    }
    return std::unique_ptr<Stream>(std::make_unique<MatrixStream>(std::move(options), std::move(homeserver), intake));
}

}  // namespace

const StreamKind kMatrixStream = {
    "matrix",
    {"listen", "hs_token_file", "as_token_file", "homeserver", "homeserver_ca", "own_server", "bot", "media",
     "reconcile_minutes", "settle_seconds", "history", "tls_cert", "tls_key"},
    kSettings,
    make_matrix};

}  // namespace kustos::ingest
