#include "audit/net/http_post.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPBasicCredentials.h>
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

Error usage(const std::string& peer, const char* what, const char* hint) {
    return Error(Code::usage, peer + ": " + what).with_hint(hint);
}
Error network(const std::string& peer, const char* what, const char* hint) {
    return Error(Code::environment, peer + ": " + what).with_hint(hint);
}
Error foreign(const std::string& peer, const char* what, const char* hint) {
    return Error(Code::bad_input, peer + ": " + what).with_hint(hint);
}

constexpr const char* kHintReach = "check the address, the network and the firewall; sealing goes on";
constexpr const char* kHintAddress = "give the address as http://host[:port]/path or https://host[:port]/path";
constexpr const char* kHintContent = "check that the address is the service itself, not a web page";

Result<Poco::URI> parse_address(const std::string& peer, const std::string& url) {
    Poco::URI uri;
    try {
        uri = Poco::URI(url);
    } catch (const Poco::Exception&) {
        return usage(peer, "the address can't be read", kHintAddress);
    }
    if (uri.getScheme() != "http" && uri.getScheme() != "https")
        return usage(peer, "the address is neither http nor https", kHintAddress);
    if (uri.getHost().empty()) return usage(peer, "the address has no host", kHintAddress);
    if (!uri.getUserInfo().empty()) {
        return usage(peer, "the address holds a user name",
                     "user name and password go into the settings (user, password_file), not into the address");
    }
    if (!uri.getFragment().empty()) return usage(peer, "the address has a fragment (#...)", kHintAddress);
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

std::unique_ptr<HTTPClientSession> make_session(const Poco::URI& uri, const HttpOptions& options) {
    std::unique_ptr<HTTPClientSession> session;
    if (uri.getScheme() == "https") {
        Poco::Net::Context::Ptr context =
            new Poco::Net::Context(Poco::Net::Context::TLS_CLIENT_USE, options.client_key, options.client_certificate,
                                   options.ca_file, Poco::Net::Context::VERIFY_STRICT, 9, options.ca_file.empty());
        context->requireMinimumProtocol(Poco::Net::Context::PROTO_TLSV1_2);
        context->enableExtendedCertificateVerification(true);  // the host name too
        session = std::make_unique<Poco::Net::HTTPSClientSession>(uri.getHost(), uri.getPort(), context);
    } else {
        session = std::make_unique<HTTPClientSession>(uri.getHost(), uri.getPort());
    }
    HTTPClientSession::ProxyConfig proxy;  // none, whatever the process's default is
    if (!options.proxy.empty()) {
        const Poco::URI at(options.proxy);
        proxy.host = at.getHost();
        proxy.port = at.getPort();
        // The fields are the session's: an address on this machine goes through the proxy too if one is named.
        proxy.nonProxyHosts.clear();
    }
    session->setProxyConfig(proxy);
    session->setKeepAlive(false);
    session->setTimeout(milliseconds(options.connect_timeout_ms), milliseconds(options.read_timeout_ms),
                        milliseconds(options.read_timeout_ms));
    return session;
}

struct Sent {
    bool post = true;
    std::string content_type, accept;
    ByteView content;
};

Result<HttpAnswer> exchange(HTTPClientSession& session, const Poco::URI& uri, const std::string& peer, const Sent& sent,
                            const HttpOptions& options) {
    std::string target = uri.getPathAndQuery();
    if (target.empty() || target[0] != '/') target.insert(0, "/");
    HTTPRequest request(sent.post ? HTTPRequest::HTTP_POST : HTTPRequest::HTTP_GET, target, HTTPRequest::HTTP_1_1);
    if (sent.post) {
        request.setContentType(sent.content_type);
        request.setContentLength64(static_cast<Poco::Int64>(sent.content.size()));
    }
    if (!sent.accept.empty()) request.set("Accept", sent.accept);
    if (!options.user.empty()) Poco::Net::HTTPBasicCredentials(options.user, options.password).authenticate(request);
    std::ostream& out = session.sendRequest(request);  // connects
    Deadline deadline(session.socket().impl()->sockfd(), options.total_timeout_ms);
    try {
        out.write(reinterpret_cast<const char*>(sent.content.data()),
                  static_cast<std::streamsize>(sent.content.size()));
        HTTPResponse response;
        response.setFieldLimit(kMaxHeaderFields);
        std::istream& in = session.receiveResponse(response);
        HttpAnswer answer;
        answer.status = response.getStatus();
        const std::string type = response.getContentType();
        answer.content_type = Poco::toLower(Poco::trim(type.substr(0, type.find(';'))));
        answer.body.resize(options.max_answer + 1);
        in.read(reinterpret_cast<char*>(answer.body.data()), static_cast<std::streamsize>(answer.body.size()));
        answer.body.resize(static_cast<std::size_t>(in.gcount()));
        if (deadline.passed()) return network(peer, "it did not answer in time", kHintReach);
        if (answer.body.size() > options.max_answer ||
            (response.hasContentLength() &&
             response.getContentLength64() > static_cast<Poco::Int64>(options.max_answer))) {
            return Error(Code::limit,
                         peer + ": its answer is larger than " + std::to_string(options.max_answer / 1024) + " KiB")
                .with_hint(kHintContent);
        }
        if (response.hasContentLength() &&
            static_cast<std::size_t>(response.getContentLength64()) != answer.body.size())
            return network(peer, "the connection ended before the whole answer was there", "try again later");
        return answer;
    } catch (const Poco::Exception&) {
        if (deadline.passed()) return network(peer, "it did not answer in time", kHintReach);
        throw;
    }
}

Result<HttpAnswer> ask(const std::string& peer, const std::string& url, const Sent& sent, const HttpOptions& options) {
    const Poco::URI uri = TRY(parse_address(peer, url));
    if (options.client_certificate.empty() != options.client_key.empty())
        return usage(peer, "a client certificate needs its key", "give both files, or neither");
    if (!options.proxy.empty()) TRY(parse_address(peer + "'s proxy", options.proxy));
    // Poco's texts name hosts and paths, so each class of failure gets our words.
    try {
        const auto session = make_session(uri, options);
        return exchange(*session, uri, peer, sent, options);
    } catch (const Poco::Net::CertificateValidationException&) {
        return network(peer, "its TLS certificate is not for this host",
                       "check the address; never switch the check off");
    } catch (const Poco::Net::SSLException&) {
        return network(peer, "no TLS connection: its certificate is not trusted, or it offers nothing from TLS 1.2 on",
                       "give the file of certificates that the server is signed with; and look whether it asks for a "
                       "client certificate");
    } catch (const Poco::TimeoutException&) {
        return network(peer, "it did not answer in time", kHintReach);
    } catch (const Poco::Net::HostNotFoundException&) {
        return network(peer, "its host name is not known", kHintReach);
    } catch (const Poco::Net::ConnectionRefusedException&) {
        return network(peer, "the connection was refused", kHintReach);
    } catch (const Poco::Net::MessageException&) {
        return foreign(peer, "its answer is not HTTP", kHintContent);
    } catch (const Poco::Net::HTTPException&) {
        return foreign(peer, "its answer is not HTTP", kHintContent);
    } catch (const Poco::SyntaxException&) {  // a status that is no number
        return foreign(peer, "its answer is not HTTP", kHintContent);
    } catch (const Poco::Exception&) {
        return network(peer, "the connection failed", kHintReach);
    } catch (const std::exception&) {
        return network(peer, "the exchange failed", kHintReach);
    }
}

}  // namespace

Status check_http_address(const std::string& peer, const std::string& url) {
    TRY(parse_address(peer, url));
    return {};
}

Result<HttpAnswer> http_post(const std::string& peer, const std::string& url, const std::string& content_type,
                             const std::string& accept, ByteView body, const HttpOptions& options) {
    return ask(peer, url, {true, content_type, accept, body}, options);
}

Result<HttpAnswer> http_get(const std::string& peer, const std::string& url, const std::string& accept,
                            const HttpOptions& options) {
    return ask(peer, url, {false, {}, accept, {}}, options);
}

}  // namespace kustos::audit
