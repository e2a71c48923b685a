#include "audit/net/tsa_client.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SSLException.h>
#include <Poco/String.h>
#include <Poco/URI.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <istream>
#include <mutex>
#include <thread>

namespace kustos::audit {

namespace {

using Poco::Net::HTTPClientSession;
using Poco::Net::HTTPRequest;
using Poco::Net::HTTPResponse;

constexpr int kMaxHeaderFields = 64;

Poco::Timespan milliseconds(std::int64_t ms) {
    return Poco::Timespan(ms / 1000, static_cast<long>(ms % 1000) * 1000);
}

Error usage(const char* what, const char* hint) {
    return Error(Code::usage, std::string("time-stamp authority: ") + what).with_hint(hint);
}
Error network(const std::string& what, const char* hint) {
    return Error(Code::environment, "time-stamp authority: " + what).with_hint(hint);
}
Error foreign(const std::string& what, const char* hint) {
    return Error(Code::bad_input, "time-stamp authority: " + what).with_hint(hint);
}

constexpr const char* kHintReach =
    "check the address, the network and the firewall; sealing goes on, the anchor is made later";
constexpr const char* kHintAddress =
    "give the authority's address as http://host[:port]/path or https://host[:port]/path";
constexpr const char* kHintContent = "check that the address is the authority's RFC 3161 service, not a web page";

Result<Poco::URI> parse_address(const std::string& url) {
    Poco::URI uri;
    try {
        uri = Poco::URI(url);
    } catch (const Poco::Exception&) {
        return usage("the address can't be read", kHintAddress);
    }
    if (uri.getScheme() != "http" && uri.getScheme() != "https")
        return usage("the address is neither http nor https", kHintAddress);
    if (uri.getHost().empty()) return usage("the address has no host", kHintAddress);
    if (!uri.getUserInfo().empty()) {
        return usage("the address holds a user name", "this version asks authorities without a password only");
    }
    if (!uri.getFragment().empty()) return usage("the address has a fragment (#...)", kHintAddress);
    return uri;
}

// Ends a connection at the deadline, however slowly its bytes drip. It works on a duplicate of the descriptor, so that
// Poco may close its own at any time.
class Deadline {
public:
    Deadline(int socket, std::int64_t after_ms) : fd_(::dup(socket)) {
        thread_ = std::thread([this, after_ms] {
            std::unique_lock lock(mutex_);
            if (!ended_.wait_for(lock, std::chrono::milliseconds(after_ms), [this] { return done_; })) {
                ::shutdown(fd_, SHUT_RDWR);
                passed_ = true;
            }
        });
    }
    ~Deadline() {
        {
            const std::lock_guard lock(mutex_);
            done_ = true;
        }
        ended_.notify_one();
        thread_.join();
        if (fd_ >= 0) ::close(fd_);
    }
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;
    bool passed() {
        const std::lock_guard lock(mutex_);
        return passed_;
    }

private:
    int fd_;
    std::mutex mutex_;  // for done_ and passed_
    std::condition_variable ended_;
    bool done_ = false, passed_ = false;
    std::thread thread_;
};

std::unique_ptr<HTTPClientSession> make_session(const Poco::URI& uri, const TsaHttpOptions& options) {
    std::unique_ptr<HTTPClientSession> session;
    if (uri.getScheme() == "https") {
        Poco::Net::Context::Ptr context =
            new Poco::Net::Context(Poco::Net::Context::TLS_CLIENT_USE, options.ca_file,
                                   Poco::Net::Context::VERIFY_STRICT, 9, options.ca_file.empty());
        context->requireMinimumProtocol(Poco::Net::Context::PROTO_TLSV1_2);
        context->enableExtendedCertificateVerification(true);  // the host name too
        session = std::make_unique<Poco::Net::HTTPSClientSession>(uri.getHost(), uri.getPort(), context);
    } else {
        session = std::make_unique<HTTPClientSession>(uri.getHost(), uri.getPort());
    }
    session->setProxyConfig(HTTPClientSession::ProxyConfig());  // none, whatever the process's default is
    session->setKeepAlive(false);
    session->setTimeout(milliseconds(options.connect_timeout_ms), milliseconds(options.read_timeout_ms),
                        milliseconds(options.read_timeout_ms));
    return session;
}

Status check_answer(const HTTPResponse& response) {
    const int status = response.getStatus();
    if (status >= 300 && status < 400) {
        return foreign("it answered with a redirect (HTTP " + std::to_string(status) + "), which is not followed",
                       "configure the address that it redirects to, after checking whose it is");
    }
    if (status == 401 || status == 403 || status == 407) {
        return foreign(
            "it refused access (HTTP " + std::to_string(status) + ")",
            "ask the authority to admit this address; this version sends no password and no client certificate");
    }
    if (status == 429 || status == 503) {
        return network("it is overloaded (HTTP " + std::to_string(status) + ")", "try again later");
    }
    if (status >= 500)
        return network("it failed (HTTP " + std::to_string(status) + ")", "try again later; then ask the authority");
    if (status != 200) return foreign("it answered with HTTP " + std::to_string(status), kHintContent);
    std::string type = response.getContentType();
    type = Poco::trim(type.substr(0, type.find(';')));
    if (Poco::icompare(type, "application/timestamp-reply") != 0) {
        return foreign("its answer is not of type application/timestamp-reply", kHintContent);
    }
    if (response.getContentLength64() > static_cast<Poco::Int64>(kMaxToken)) {
        return Error(Code::limit, "time-stamp authority: its answer is larger than 64 KiB").with_hint(kHintContent);
    }
    return {};
}

Result<Bytes> read_body(std::istream& stream, const HTTPResponse& response) {
    Bytes body(kMaxToken + 1);
    stream.read(reinterpret_cast<char*>(body.data()), static_cast<std::streamsize>(body.size()));
    body.resize(static_cast<std::size_t>(stream.gcount()));
    if (body.size() > kMaxToken) {
        return Error(Code::limit, "time-stamp authority: its answer is larger than 64 KiB").with_hint(kHintContent);
    }
    if (response.hasContentLength() && static_cast<std::size_t>(response.getContentLength64()) != body.size()) {
        return network("the connection ended before the whole answer was there", "try again later");
    }
    return body;
}

Result<Bytes> exchange(HTTPClientSession& session, const Poco::URI& uri, ByteView tsq, const TsaHttpOptions& options) {
    std::string target = uri.getPathAndQuery();
    if (target.empty() || target[0] != '/') target.insert(0, "/");
    HTTPRequest request(HTTPRequest::HTTP_POST, target, HTTPRequest::HTTP_1_1);
    request.setContentType("application/timestamp-query");
    request.setContentLength64(static_cast<Poco::Int64>(tsq.size()));
    request.set("Accept", "application/timestamp-reply");
    std::ostream& out = session.sendRequest(request);  // connects
    Deadline deadline(session.socket().impl()->sockfd(), options.total_timeout_ms);
    try {
        out.write(reinterpret_cast<const char*>(tsq.data()), static_cast<std::streamsize>(tsq.size()));
        HTTPResponse response;
        response.setFieldLimit(kMaxHeaderFields);
        std::istream& in = session.receiveResponse(response);
        TRY(check_answer(response));
        Result<Bytes> body = read_body(in, response);
        if (deadline.passed()) return network("it did not answer in time", kHintReach);
        return body;
    } catch (const Poco::Exception&) {
        if (deadline.passed()) return network("it did not answer in time", kHintReach);
        throw;
    }
}

}  // namespace

Result<Bytes> post_query(const std::string& url, ByteView tsq, const TsaHttpOptions& options) {
    const Poco::URI uri = TRY(parse_address(url));
    // Poco's texts name hosts and paths, so each class of failure gets our words.
    try {
        const auto session = make_session(uri, options);
        return exchange(*session, uri, tsq, options);
    } catch (const Poco::Net::CertificateValidationException&) {
        return network("its TLS certificate is not for this host", "check the address; never switch the check off");
    } catch (const Poco::Net::SSLException&) {
        return network("no TLS connection: its certificate is not trusted, or it offers nothing from TLS 1.2 on",
                       "give the file of certificates that the authority's server is signed with");
    } catch (const Poco::TimeoutException&) {
        return network("it did not answer in time", kHintReach);
    } catch (const Poco::Net::HostNotFoundException&) {
        return network("its host name is not known", kHintReach);
    } catch (const Poco::Net::ConnectionRefusedException&) {
        return network("the connection was refused", kHintReach);
    } catch (const Poco::Net::MessageException&) {
        return foreign("its answer is not HTTP", kHintContent);
    } catch (const Poco::Net::HTTPException&) {
        return foreign("its answer is not HTTP", kHintContent);
    } catch (const Poco::SyntaxException&) {  // a status that is no number
        return foreign("its answer is not HTTP", kHintContent);
    } catch (const Poco::Exception&) {
        return network("the connection failed", kHintReach);
    } catch (const std::exception&) {
        return network("the exchange failed", kHintReach);
    }
}

Result<std::unique_ptr<HttpAuthority>> HttpAuthority::make(std::string name, std::string url, TsaHttpOptions options) {
    if (!is_authority_name(name) || name == BuiltinAuthority::kName) {
        return Error(
            Code::usage,
            "an authority's name has lower-case letters, digits, dots and hyphens, at most 64, and is not \"builtin\"");
    }
    TRY(parse_address(url));
    return std::unique_ptr<HttpAuthority>(new HttpAuthority(std::move(name), std::move(url), std::move(options)));
}

}  // namespace kustos::audit
