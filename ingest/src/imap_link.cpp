#include "ingest/src/imap_link.h"

#include <curl/curl.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <mutex>

namespace kustos::ingest {

namespace {

Error later(const char* what) {
    return Error(Code::environment, std::string("the mail server ") + what);
}

// libcurl's own texts may name hosts and users: ours do not.
Error error_of(CURLcode code) {
    switch (code) {
        case CURLE_LOGIN_DENIED:
        case CURLE_AUTH_ERROR:
            return later("refuses the login");
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_ISSUER_ERROR:
            return later("shows a certificate that is not trusted");
        case CURLE_SSL_CACERT_BADFILE:
            return Error(Code::environment, "the file that ca_file names can't be read as PEM");
        case CURLE_USE_SSL_FAILED:
            return later("offers no STARTTLS");
        case CURLE_SSL_CONNECT_ERROR:
            return later("does not come to terms about TLS");
        case CURLE_OPERATION_TIMEDOUT:
            return later("did not answer in time");
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT:
            return later("can't be reached");
        case CURLE_ABORTED_BY_CALLBACK:
            return Error(Code::interrupted, "the server ends");
        default:
            return later("ended the connection");
    }
}

std::size_t drop(char*, std::size_t size, std::size_t count, void*) {
    return size * count;
}

int watch(void* stopping, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return (*static_cast<const std::function<bool()>*>(stopping))() ? 1 : 0;
}

class CurlLink final : public ImapLink {
public:
    explicit CurlLink(CURL* curl) : curl_(curl) {}
    ~CurlLink() override { curl_easy_cleanup(curl_); }
    CurlLink(const CurlLink&) = delete;
    CurlLink& operator=(const CurlLink&) = delete;

    Status open(const ImapServer& server, const ImapLogin& login, const std::function<bool()>& stopping) {
        const std::string url = (server.tls == ImapTls::implicit ? "imaps://" : "imap://") +
                                (server.host.find(':') == std::string::npos ? server.host : "[" + server.host + "]") +
                                "/";
        set(CURLOPT_URL, url.c_str());
        set(CURLOPT_PORT, static_cast<long>(server.port));
        set(CURLOPT_PROTOCOLS_STR, "imap,imaps");
        set(CURLOPT_PROXY, "");
        set(CURLOPT_NOSIGNAL, 1L);
        set(CURLOPT_CONNECT_ONLY, 1L);
        set(CURLOPT_USE_SSL, static_cast<long>(server.tls == ImapTls::starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
        set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
        set(CURLOPT_SSL_VERIFYPEER, 1L);
        set(CURLOPT_SSL_VERIFYHOST, 2L);
        if (!server.ca_file.empty()) {
            set(CURLOPT_CAINFO, server.ca_file.c_str());
            set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // these and no others
        }
        set(CURLOPT_USERNAME, server.user.c_str());
        const std::string secret = to_text((login.token.empty() ? login.password : login.token).view());
        set(login.token.empty() ? CURLOPT_PASSWORD : CURLOPT_XOAUTH2_BEARER, secret.c_str());
        set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(server.timeout_ms));
        set(CURLOPT_TIMEOUT_MS, static_cast<long>(2 * server.timeout_ms));
        set(CURLOPT_WRITEFUNCTION, drop);
        set(CURLOPT_HEADERFUNCTION, drop);
        set(CURLOPT_NOPROGRESS, 0L);
        set(CURLOPT_XFERINFOFUNCTION, watch);
        set(CURLOPT_XFERINFODATA, &stopping);
        const CURLcode done = curl_easy_perform(curl_);
        set(CURLOPT_NOPROGRESS, 1L);
        if (done != CURLE_OK) return error_of(done);
        const CURLcode asked = curl_easy_getinfo(curl_, CURLINFO_ACTIVESOCKET, &socket_);
        if (asked != CURLE_OK || socket_ == CURL_SOCKET_BAD) return later("ended the connection");
        return {};
    }

    Status send(std::string_view text, std::int64_t wait_ms) override {
        const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
        while (!text.empty()) {
            std::size_t sent = 0;
            const CURLcode done = curl_easy_send(curl_, text.data(), text.size(), &sent);
            if (done != CURLE_OK && done != CURLE_AGAIN) return later("ended the connection");
            text.remove_prefix(sent);
            if (done != CURLE_AGAIN) continue;
            wait(POLLOUT, 100);
            if (std::chrono::steady_clock::now() > until) return later("did not answer in time");
        }
        return {};
    }

    Result<std::size_t> receive(std::span<std::uint8_t> out, std::int64_t wait_ms) override {
        for (int round = 0; round < 2; ++round) {
            std::size_t got = 0;
            const CURLcode done = curl_easy_recv(curl_, out.data(), out.size(), &got);
            if (done == CURLE_OK && got > 0) return got;
            if (done != CURLE_AGAIN) return later("ended the connection");
            if (round == 0 && !wait(POLLIN, wait_ms)) break;
        }
        return std::size_t{0};
    }

private:
    template <class Value>
    void set(CURLoption option, Value value) {
        CHECK(curl_easy_setopt(curl_, option, value) == CURLE_OK);
    }
    bool wait(short events, std::int64_t ms) const {
        pollfd poll{socket_, events, 0};
        return ::poll(&poll, 1, static_cast<int>(std::clamp<std::int64_t>(ms, 0, 60'000))) > 0;
    }
    CURL* curl_;
    curl_socket_t socket_ = CURL_SOCKET_BAD;
};

}  // namespace

Result<std::unique_ptr<ImapLink>> connect_imap(const ImapServer& server, const ImapLogin& login,
                                               const std::function<bool()>& stopping) {
    static std::once_flag once;
    std::call_once(once, [] { CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); });
    CURL* curl = curl_easy_init();
    if (curl == nullptr) return Error(Code::internal, "libcurl makes no handle");
    auto link = std::make_unique<CurlLink>(curl);
    TRY(link->open(server, login, stopping));
    return std::unique_ptr<ImapLink>(std::move(link));
}

}  // namespace kustos::ingest
