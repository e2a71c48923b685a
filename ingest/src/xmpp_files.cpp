#include "ingest/src/xmpp_files.h"

#include <algorithm>
#include <charconv>

#include "ingest/src/http_get.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/media_fetch.h"

namespace kustos::ingest {

std::optional<HttpsLink> HttpsLink::parse(std::string_view url) {
    constexpr std::string_view kScheme = "https://";
    if (lower_ascii(url.substr(0, kScheme.size())) != kScheme) return std::nullopt;
    url.remove_prefix(kScheme.size());
    url = url.substr(0, url.find('#'));
    const std::size_t end = std::min(url.find_first_of("/?"), url.size());
    std::string_view place = url.substr(0, end);
    HttpsLink out;
    out.target = (end < url.size() && url[end] == '/' ? "" : "/") + std::string(url.substr(end));
    if (const std::size_t colon = place.rfind(':'); colon != std::string_view::npos) {
        const std::string_view digits = place.substr(colon + 1);
        const auto [past, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
        if (digits.empty() || error != std::errc() || past != digits.data() + digits.size() || out.port == 0)
            return std::nullopt;
        place = place.substr(0, colon);
    }
    out.host = lower_ascii(place);
    const bool plain = !out.host.empty() && std::all_of(out.host.begin(), out.host.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    });
    return plain ? std::optional(out) : std::nullopt;
}

bool XmppFiles::allowed(const HttpsLink& link) const {
    const std::string place = link.port == 443 ? link.host : link.host + ":" + std::to_string(link.port);
    return std::any_of(hosts_.begin(), hosts_.end(), [&](const std::string& h) { return lower_ascii(h) == place; });
}

Result<bool> XmppFiles::fetch(const XmppFile& file, vault::Attachment& into, const Intake& intake) {
    const auto link = HttpsLink::parse(file.url);
    if (!link || !allowed(*link)) return false;
    HttpPlace place;
    place.host = link->host;
    place.port = link->port;
    place.target = link->target;
    place.ca_file = ca_file_;
    place.who = "the file server";
    auto got = fetch_media(into, media_context(intake), [&](const ByteSink& sink) -> Status {
        const int status = TRY(http_get(place, [&](ByteView piece) -> Status {
            if (intake.stopping()) return Error(Code::interrupted, "the server ends");
            return sink(piece);
        }));
        if (status == 200) return {};
        if (status == 429 || status >= 500) return Error(Code::environment, "the file server is busy");
        return Error(Code::not_found, "the file server does not give it");
    });
    if (got.ok() || got.error().code() == Code::interrupted) return got;
    // It holds its page up for a while, not for ever.
    if (tried_.size() >= kMostTried) tried_.clear();
    if (++tried_[file.url] < kTries) return got;
    return false;
}

}  // namespace kustos::ingest
