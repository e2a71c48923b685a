// A session with an XMPP server: libstrophe logs in (SASL SCRAM, binding); the wire to the server is ours, and stands
// between the two (docs/decisions/0007-xmpp-by-libstrophe-behind-a-wire.md):
//
//   server ── TLS ── SmtpWire ─ XmppCutter ─┬─ stanzas of login, iq ── loopback ── libstrophe
//                                           └─ <message>: archived stanzas, their exact bytes
//
// All in one thread: libstrophe is run for a moment at a time.
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <strophe.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>

#include "base/text.h"
#include "ingest/src/loopback.h"
#include "ingest/src/smtp_wire.h"
#include "ingest/src/xmpp_cutter.h"
#include "ingest/src/xmpp_message.h"
#include "ingest/src/xmpp_query.h"

namespace kustos::ingest {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxStanza = 4u << 20;  // bytes; servers allow clients a tenth of it
constexpr int kStep_ms = 50;
constexpr int kWrite_ms = 20'000;

Error later(const char* what) {
    return Error(Code::environment, std::string("the XMPP server ") + what);
}

class Deadline {
public:
    explicit Deadline(std::int64_t ms) : end_(Clock::now() + std::chrono::milliseconds(ms)) {}
    int left() const {
        const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Clock::now()).count();
        return static_cast<int>(std::clamp<std::int64_t>(ms, 0, 600'000));
    }
    bool over() const { return left() == 0; }

private:
    Clock::time_point end_;
};

bool connect_to(int fd, const sockaddr* address, socklen_t size, const Deadline& deadline) {
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (::connect(fd, address, size) == 0) return true;
    if (errno != EINPROGRESS) return false;
    pollfd poll{fd, POLLOUT, 0};
    int error = 0;
    socklen_t length = sizeof error;
    return ::poll(&poll, 1, deadline.left()) > 0 && ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 &&
           error == 0;
}

Result<int> connect_server(const XmppAccount& account, const Deadline& deadline) {
    addrinfo hints{}, *found = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    if (::getaddrinfo(account.host.c_str(), std::to_string(account.port).c_str(), &hints, &found) != 0)
        return later("can't be reached");
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, ::freeaddrinfo);
    for (const addrinfo* one = found; one; one = one->ai_next) {
        Fd fd(::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (fd.get() >= 0 && connect_to(fd.get(), one->ai_addr, one->ai_addrlen, deadline)) return fd.release();
    }
    return later("can't be reached");
}

// libstrophe's handles: freed in order.
struct Strophe {
    xmpp_ctx_t* context = nullptr;
    xmpp_conn_t* connection = nullptr;
    ~Strophe() {
        if (connection) xmpp_conn_release(connection);
        if (context) xmpp_ctx_free(context);
    }
};

// Of libstrophe's callback for sockets, which has no argument of ours: one connects at a time in this thread.
thread_local Loopback* connecting = nullptr;

int prepare_socket(xmpp_conn_t*, void* socket) {
    return connecting && connecting->prepare(*static_cast<int*>(socket)) ? 0 : -1;
}

class Session final : public XmppServer {
public:
    Session(const XmppAccount& account, std::function<bool()> stopping)
        : account_(account), stopping_(std::move(stopping)) {}
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() override {
        if (wire_ && in_) (void)wire_->write("</stream:stream>", kStep_ms);
    }

    Status open(const SecretBytes& password) {
        const Deadline deadline(account_.login_ms);
        const auto tls = TRY(ClientTls::load(account_.ca_file));
        wire_ = std::make_unique<SmtpWire>(TRY(connect_server(account_, deadline)));
        if (account_.tls == XmppTls::starttls) TRY(start_tls(deadline));
        const std::string domain(jid_domain(account_.jid));
        if (!wire_->begin_tls(*tls, domain, deadline.left()))
            return later("shows no certificate of its domain that is trusted");
        TRY(log_in(password, deadline));
        XmppCutter::Most most;
        most.stanza = kMaxStanza;
        cutter_.limit(most);
        return {};
    }

    Result<XmppPage> page(const XmppQuery& query) override {
        const Deadline deadline(account_.answer_ms);
        const std::string id = "k" + std::to_string(++asked_);
        XmppAnswer answer(query, id, account_.jid);
        xmpp_send_raw_string(strophe_.connection, "%s", write_xmpp_query(query, id).c_str());
        answer_ = &answer;
        const auto done = [&]() -> Status {
            while (!whole_) TRY(step(deadline));
            return {};
        }();
        answer_ = nullptr;
        whole_ = false;
        TRY(Status(done));
        return std::move(answer.page());
    }

private:
    // RFC 6120 section 5.4; what comes before TLS is nobody's word, and nothing of it is kept.
    Status start_tls(const Deadline& deadline) {
        const std::string domain = escape_html(jid_domain(account_.jid));
        const std::string header =
            "<?xml version='1.0'?><stream:stream to='" + domain +
            "' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
        if (!wire_->write(header, deadline.left())) return later("ended the connection");
        XmppCutter cutter;
        bool asked = false;
        while (!deadline.over()) {
            while (auto piece = TRY(cutter.next())) {
                if (piece->is == XmppPiece::Is::end) return later("ended the connection");
                if (piece->name == "features") {
                    if (piece->bytes.find("urn:ietf:params:xml:ns:xmpp-tls") == std::string::npos)
                        return later("offers no STARTTLS");
                    asked = wire_->write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", deadline.left());
                    if (!asked) return later("ended the connection");
                }
                if (piece->name == "failure") return later("does not begin TLS");
                // What a stranger puts behind it in one go would be read as if it came under TLS: it is thrown away
                // with the cutter.
                if (piece->name == "proceed" && asked) return {};
            }
            TRY(receive(cutter, deadline));
        }
        return later("did not answer in time");
    }

    Status receive(XmppCutter& cutter, const Deadline& deadline) {
        if (stopping_()) return Error(Code::interrupted, "the server ends");
        std::array<std::uint8_t, 16 * 1024> piece{};
        std::size_t size = 0;
        const auto got = wire_->read(piece, size, std::min(kStep_ms, deadline.left()));
        if (got == SmtpWire::Got::over) return later("ended the connection");
        cutter.feed(as_text(ByteView(piece).first(size)));
        return {};
    }

    Status log_in(const SecretBytes& password, const Deadline& deadline) {
        static std::once_flag once;
        std::call_once(once, [] { xmpp_initialize(); });
        TRY(local_.listen());
        strophe_.context = xmpp_ctx_new(nullptr, nullptr);  // it logs nothing
        strophe_.connection = strophe_.context ? xmpp_conn_new(strophe_.context) : nullptr;
        if (!strophe_.connection) return Error(Code::internal, "libstrophe makes no connection");
        xmpp_conn_t* const connection = strophe_.connection;
        // TLS is there already; stanzas of the archive pass it by, so it can't count them.
        xmpp_conn_set_flags(connection, XMPP_CONN_FLAG_DISABLE_TLS | XMPP_CONN_FLAG_DISABLE_SM);
        xmpp_conn_set_jid(connection, (account_.jid + "/kustos-archive").c_str());
        SecretBytes ended(password.size() + 1);  // with a zero behind it, as C wants it
        std::copy(password.view().begin(), password.view().end(), ended.writable().begin());
        xmpp_conn_set_pass(connection, reinterpret_cast<const char*>(ended.view().data()));
        xmpp_conn_set_sockopt_callback(connection, prepare_socket);
        connecting = &local_;
        const int begun = xmpp_connect_client(connection, "127.0.0.1", local_.port(), told, this);
        connecting = nullptr;
        if (begun != XMPP_EOK) return Error(Code::environment, "no connection on this machine");
        TRY(local_.accept(deadline.left()));
        while (!in_) TRY(step(deadline));
        return {};
    }

    static void told(xmpp_conn_t*, xmpp_conn_event_t event, int, xmpp_stream_error_t*, void* self) {
        auto& session = *static_cast<Session*>(self);
        if (event == XMPP_CONN_CONNECT) session.in_ = true;
        if (event == XMPP_CONN_DISCONNECT || event == XMPP_CONN_FAIL) session.gone_ = true;
    }

    // A moment of all three: what libstrophe has to say, what the server says, what libstrophe makes of it.
    Status step(const Deadline& deadline) {
        if (deadline.over()) return later("did not answer in time");
        xmpp_run_once(strophe_.context, 1);
        if (gone_) return ended();
        if (const std::string out = local_.read(); !out.empty() && !wire_->write(out, kWrite_ms))
            return later("ended the connection");
        while (auto piece = TRY(cutter_.next())) TRY(take(*piece));
        if (whole_) return {};
        return receive(cutter_, deadline);
    }

    Error ended() const { return refused_ ? later("refuses the login") : later("ended the session"); }

    Status take(const XmppPiece& piece) {
        if (piece.is == XmppPiece::Is::end) return ended();
        if (piece.name == "failure") refused_ = true;
        if (in_ && (piece.name == "message" || piece.name == "iq")) {
            if (answer_ && !whole_) whole_ = TRY(answer_->take(piece.bytes));
            return {};
        }
        if (!local_.write(piece.bytes)) return later("says more than a login needs");
        return {};
    }

    const XmppAccount account_;
    std::function<bool()> stopping_;
    std::unique_ptr<SmtpWire> wire_;
    Loopback local_;
    Strophe strophe_;
    XmppCutter cutter_;
    XmppAnswer* answer_ = nullptr;
    std::uint64_t asked_ = 0;
    bool in_ = false, gone_ = false, refused_ = false, whole_ = false;
};

}  // namespace

Result<std::unique_ptr<XmppServer>> connect_xmpp(const XmppAccount& account, const SecretBytes& password,
                                                 const std::function<bool()>& stopping) {
    auto session = std::make_unique<Session>(account, stopping);
    TRY(session->open(password));
    return std::unique_ptr<XmppServer>(std::move(session));
}

}  // namespace kustos::ingest
