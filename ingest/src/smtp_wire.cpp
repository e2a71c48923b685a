#include "ingest/src/smtp_wire.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

namespace kustos::ingest {

namespace {

int accept_any(int, X509_STORE_CTX*) {
    return 1;  // who it is says the fingerprint
}

std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

bool use_key(SSL_CTX* context, const SecretBytes& pem) {
    BIO* bio = BIO_new_mem_buf(pem.view().data(), static_cast<int>(pem.size()));
    EVP_PKEY* key = bio ? PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr) : nullptr;
    const bool used = key && SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return used;
}

}  // namespace

Result<std::unique_ptr<SmtpTls>> SmtpTls::load(const Path& certificate_chain, const SecretBytes& key_pem) {
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    if (!context) return Error(Code::internal, "OpenSSL makes no context");
    auto out = std::unique_ptr<SmtpTls>(new SmtpTls(context));
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, accept_any);
    const bool loaded = SSL_CTX_use_certificate_chain_file(context, certificate_chain.c_str()) == 1;
    const bool fits = loaded && use_key(context, key_pem);
    ERR_clear_error();
    if (!loaded) return Error(Code::usage, "the file that tls_certificate names can't be read as PEM");
    if (!fits) return Error(Code::usage, "the file that tls_key names is not the certificate's key");
    return out;
}

SmtpTls::~SmtpTls() {
    SSL_CTX_free(context_);
}

Result<std::unique_ptr<ClientTls>> ClientTls::load(const Path& ca_file) {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    if (!context) return Error(Code::internal, "OpenSSL makes no context");
    auto out = std::unique_ptr<ClientTls>(new ClientTls(context));
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    const bool loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context) == 1
                                        : SSL_CTX_load_verify_file(context, ca_file.c_str()) == 1;
    ERR_clear_error();
    if (!loaded) return Error(Code::usage, "the file that ca_file names can't be read as PEM");
    return out;
}

ClientTls::~ClientTls() {
    SSL_CTX_free(context_);
}

SmtpWire::SmtpWire(int fd) : fd_(fd) {
    ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
}

SmtpWire::~SmtpWire() {
    if (ssl_) SSL_shutdown(ssl_);  // says that it is over; its answer is not waited for
    SSL_free(ssl_);
    ERR_clear_error();
    ::close(fd_);
}

bool SmtpWire::wait(short events, int wait_ms) const {
    pollfd poll{fd_, events, 0};
    return ::poll(&poll, 1, std::max(wait_ms, 0)) > 0;
}

bool SmtpWire::wait_tls(int result, int wait_ms) {
    const int why = SSL_get_error(ssl_, result);
    ERR_clear_error();
    if (why == SSL_ERROR_WANT_READ) return wait(POLLIN, wait_ms);
    if (why == SSL_ERROR_WANT_WRITE) return wait(POLLOUT, wait_ms);
    return false;
}

SmtpWire::Got SmtpWire::read(std::span<std::uint8_t> out, std::size_t& size, int wait_ms) {
    size = 0;
    if (!ssl_) {
        if (!wait(POLLIN, wait_ms)) return Got::nothing_yet;
        const ssize_t got = ::recv(fd_, out.data(), out.size(), 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return Got::nothing_yet;
        if (got <= 0) return Got::over;
        size = static_cast<std::size_t>(got);
        return Got::bytes;
    }
    for (int round = 0; round < 2; ++round) {
        const int got = SSL_read(ssl_, out.data(), static_cast<int>(out.size()));
        if (got > 0) {
            size = static_cast<std::size_t>(got);
            return Got::bytes;
        }
        const int why = SSL_get_error(ssl_, got);
        ERR_clear_error();
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return Got::over;
        if (round == 0 && !wait(why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, wait_ms)) break;
    }
    return Got::nothing_yet;
}

bool SmtpWire::write(std::string_view text, int wait_ms) {
    const std::int64_t until = now_ms() + wait_ms;
    while (!text.empty()) {
        const int left = static_cast<int>(until - now_ms());
        if (left <= 0) return false;
        if (ssl_) {
            const int sent = SSL_write(ssl_, text.data(), static_cast<int>(text.size()));
            if (sent <= 0 && !wait_tls(sent, left)) return false;
            if (sent > 0) text.remove_prefix(static_cast<std::size_t>(sent));
            continue;
        }
        const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
        if (sent < 0 && !wait(POLLOUT, left)) return false;
        if (sent > 0) text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool SmtpWire::handshake(int (*step)(ssl_st*), int wait_ms) {
    const std::int64_t until = now_ms() + wait_ms;
    while (true) {
        const int done = step(ssl_);
        if (done == 1) return true;
        const int left = static_cast<int>(until - now_ms());
        if (left <= 0 || !wait_tls(done, left)) return false;
    }
}

bool SmtpWire::begin_tls(const SmtpTls& tls, int wait_ms) {
    ssl_ = SSL_new(tls.context());
    return ssl_ && SSL_set_fd(ssl_, fd_) == 1 && handshake(SSL_accept, wait_ms);
}

bool SmtpWire::begin_tls(const ClientTls& tls, const std::string& name, int wait_ms) {
    ssl_ = SSL_new(tls.context());
    if (!ssl_ || SSL_set_fd(ssl_, fd_) != 1) return false;
    SSL_set_hostflags(ssl_, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const bool named =
        SSL_set1_host(ssl_, name.c_str()) == 1 &&
        SSL_ctrl(ssl_, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(name.c_str())) == 1;
    return named && handshake(SSL_connect, wait_ms) && SSL_get_verify_result(ssl_) == X509_V_OK;
}

std::optional<Hash> SmtpWire::certificate() const {
    X509* certificate = ssl_ ? SSL_get1_peer_certificate(ssl_) : nullptr;
    if (!certificate) return std::nullopt;
    Hash out;
    unsigned size = 0;
    const bool done = X509_digest(certificate, EVP_sha256(), out.bytes.data(), &size) == 1 && size == out.bytes.size();
    X509_free(certificate);
    return done ? std::optional<Hash>(out) : std::nullopt;
}

}  // namespace kustos::ingest
