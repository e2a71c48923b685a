#include "audit/net/tsa_client.h"

#include "audit/timestamp.h"

namespace kustos::audit {

namespace {

constexpr const char* kPeer = "time-stamp authority";
constexpr const char* kHintContent = "check that the address is the authority's RFC 3161 service, not a web page";

Error network(const std::string& what, const char* hint) {
    return Error(Code::environment, std::string(kPeer) + ": " + what).with_hint(hint);
}
Error foreign(const std::string& what, const char* hint) {
    return Error(Code::bad_input, std::string(kPeer) + ": " + what).with_hint(hint);
}

Status check_answer(const HttpAnswer& answer) {
    const int status = answer.status;
    if (status >= 300 && status < 400) {
        return foreign("it answered with a redirect (HTTP " + std::to_string(status) + "), which is not followed",
                       "configure the address that it redirects to, after checking whose it is");
    }
    if (status == 401 || status == 403 || status == 407) {
        return foreign("it refused access (HTTP " + std::to_string(status) + ")",
                       "ask the authority to admit this address, or enter its user name or client certificate");
    }
    if (status == 429 || status == 503) {
        return network("it is overloaded (HTTP " + std::to_string(status) + ")", "try again later");
    }
    if (status >= 500)
        return network("it failed (HTTP " + std::to_string(status) + ")", "try again later; then ask the authority");
    if (status != 200) return foreign("it answered with HTTP " + std::to_string(status), kHintContent);
    if (answer.content_type != "application/timestamp-reply")
        return foreign("its answer is not of type application/timestamp-reply", kHintContent);
    return {};
}

}  // namespace

Result<Bytes> post_query(const std::string& url, ByteView tsq, const HttpOptions& options) {
    HttpAnswer answer =
        TRY(http_post(kPeer, url, "application/timestamp-query", "application/timestamp-reply", tsq, options));
    TRY(check_answer(answer));
    return std::move(answer.body);
}

Fetcher validation_fetcher(const HttpOptions& options) {
    HttpOptions plain;
    plain.proxy = options.proxy;
    plain.connect_timeout_ms = plain.read_timeout_ms = 5'000;
    plain.total_timeout_ms = 10'000;
    return [plain](const Fetch& fetch) -> Result<Bytes> {
        const std::string peer = "source of certificates";
        HttpAnswer answer =
            TRY(fetch.content_type.empty() ? http_get(peer, fetch.url, "", plain)
                                           : http_post(peer, fetch.url, fetch.content_type, "", fetch.body, plain));
        if (answer.status != 200) return Error(Code::environment, peer + ": its answer is not 200");
        return std::move(answer.body);
    };
}

Result<std::unique_ptr<HttpAuthority>> HttpAuthority::make(std::string name, std::string url, HttpOptions options) {
    if (!is_authority_name(name) || name == BuiltinAuthority::kName) {
        return Error(
            Code::usage,
            "an authority's name has lower-case letters, digits, dots and hyphens, at most 64, and is not \"builtin\"");
    }
    TRY(check_http_address(kPeer, url));
    if (options.client_certificate.empty() != options.client_key.empty())
        return Error(Code::usage, "a client certificate needs its key, and a key its certificate");
    return std::unique_ptr<HttpAuthority>(new HttpAuthority(std::move(name), std::move(url), std::move(options)));
}

}  // namespace kustos::audit
