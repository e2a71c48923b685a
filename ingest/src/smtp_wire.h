// A connection of a stream: a socket, later under TLS. It never waits longer than it is told to. Made for the mail
// listener; streams that call others themselves use the client's side of it.
//
// Threads: one. Errors: none, the counterpart may do what it likes; a failed call means that the connection is over.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/secret.h"
#include "ingest/src/lmtp_settings.h"

struct ssl_ctx_st;
struct ssl_st;

namespace kustos::ingest {

// TLS 1.2 and newer, the server's side. A client's certificate is asked for and known by its fingerprint, not by who
// issued it. Threads: safe once made.
class SmtpTls {
public:
    static Result<std::unique_ptr<SmtpTls>> load(const Path& certificate_chain, const SecretBytes& key_pem);
    ~SmtpTls();
    ssl_ctx_st* context() const { return context_; }

private:
    explicit SmtpTls(ssl_ctx_st* context) : context_(context) {}
    ssl_ctx_st* context_;
};

// TLS 1.2 and newer, the client's side: the chain must end in a trusted certificate. Threads: safe once made.
class ClientTls {
public:
    // ca_file: PEM; empty: the system's. Code::usage: it can't be read.
    static Result<std::unique_ptr<ClientTls>> load(const Path& ca_file);
    ~ClientTls();
    ssl_ctx_st* context() const { return context_; }

private:
    explicit ClientTls(ssl_ctx_st* context) : context_(context) {}
    ssl_ctx_st* context_;
};

class SmtpWire {
public:
    explicit SmtpWire(int fd);  // takes it
    ~SmtpWire();
    SmtpWire(const SmtpWire&) = delete;
    SmtpWire& operator=(const SmtpWire&) = delete;

    enum class Got : std::uint8_t { bytes, nothing_yet, over };
    Got read(std::span<std::uint8_t> out, std::size_t& size, int wait_ms);
    bool write(std::string_view text, int wait_ms);  // all of it
    bool begin_tls(const SmtpTls& tls, int wait_ms);
    // As the client: name is what the certificate must be of.
    bool begin_tls(const ClientTls& tls, const std::string& name, int wait_ms);
    std::optional<Hash> certificate() const;  // the client's, SHA-256 of its DER

private:
    bool wait(short events, int wait_ms) const;
    bool wait_tls(int result, int wait_ms);  // false: over
    bool handshake(int (*step)(ssl_st*), int wait_ms);
    int fd_;
    ssl_st* ssl_ = nullptr;
};

}  // namespace kustos::ingest
