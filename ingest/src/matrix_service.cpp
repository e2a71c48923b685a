#include "ingest/src/matrix_service.h"

#include <algorithm>

#include "base/crypto.h"
#include "base/text.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/json_feed.h"
#include "ingest/src/json_scan.h"

namespace kustos::ingest {

namespace {

constexpr std::size_t kMaxId = 255;
constexpr std::string_view kBearer = "Bearer ";

// "%21a%3Ab": well-formed UTF-8, at most kMaxId bytes; else empty.
std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const auto byte = parse_hex(text.substr(i + 1, 2));
        if (!byte.ok() || byte->size() != 1) return {};
        out += static_cast<char>((*byte)[0]);
        i += 2;
    }
    return out.size() <= kMaxId && is_valid_utf8(out) ? out : std::string();
}

struct Place {
    std::string_view prefix, method;
    MatrixRoute::Is is;
};
constexpr Place kPlaces[] = {
    {"/_matrix/app/v1/transactions/", "PUT", MatrixRoute::Is::transaction},
    {"/transactions/", "PUT", MatrixRoute::Is::transaction},
    {"/_matrix/app/v1/users/", "GET", MatrixRoute::Is::user},
    {"/users/", "GET", MatrixRoute::Is::user},
    {"/_matrix/app/v1/rooms/", "GET", MatrixRoute::Is::room},
    {"/rooms/", "GET", MatrixRoute::Is::room},
};

bool starts_with(std::string_view text, std::string_view start) {
    return text.substr(0, start.size()) == start;
}

// "access_token" of a query: how homeservers before 1.4 said who they are.
std::string query_token(std::string_view target) {
    constexpr std::string_view kKey = "access_token=";
    std::size_t at = target.find('?');
    while (at != std::string_view::npos) {
        ++at;
        const std::size_t end = target.find('&', at);
        const std::string_view pair = target.substr(at, end == std::string_view::npos ? end : end - at);
        if (starts_with(pair, kKey)) return percent_decoded(pair.substr(kKey.size()));
        at = end;
    }
    return {};
}

Hash digest(std::vector<std::string> lines) {
    std::sort(lines.begin(), lines.end());
    std::string all;
    for (const std::string& line : lines) all += line + "\n";
    return sha256(as_bytes(all));
}

// What is no transaction is not sealed: the homeserver sends again what it meant.
bool has_events(std::string_view body) {
    const std::string_view events = json_member(body, "events");
    return !events.empty() && events.front() == '[';
}

}  // namespace

MatrixRoute matrix_route(std::string_view method, std::string_view target) {
    const std::string_view path = target.substr(0, target.find('?'));
    MatrixRoute out;
    if (path == "/_matrix/app/v1/ping" || path == "/_matrix/app/unstable/fi.mau.msc2659/ping") {
        out.is = MatrixRoute::Is::ping;
        out.method_fits = method == "POST";
        return out;
    }
    for (const Place& place : kPlaces) {
        if (!starts_with(path, place.prefix)) continue;
        const std::string_view rest = path.substr(place.prefix.size());
        if (rest.find('/') != std::string_view::npos) return out;
        out.id = percent_decoded(rest);
        if (out.id.empty()) return out;
        out.is = place.is;
        out.method_fits = method == place.method;
        return out;
    }
    return out;
}

MatrixAnswer matrix_error(int status, std::string_view errcode, std::string_view text) {
    MatrixAnswer out;
    out.status = status;
    out.body = "{\"errcode\":\"" + std::string(errcode) + "\",\"error\":\"" + std::string(text) + "\"}";
    return out;
}

bool MatrixService::known_token(const MatrixRequest& request) const {
    const std::string_view header = request.authorization;
    const std::string queried = header.empty() ? query_token(request.target) : std::string();
    const std::string_view shown = starts_with(header, kBearer) ? header.substr(kBearer.size()) : queried;
    // Digests have one length, so that the time tells nothing of the token's.
    const Hash given = sha256(as_bytes(shown)), known = sha256(settings_.hs_token.view());
    return !settings_.hs_token.empty() && equal_constant_time(given.view(), known.view());
}

std::optional<MatrixAnswer> MatrixService::refuse(const MatrixRequest& request) const {
    if (request.authorization.empty() && request.target.find("access_token=") == std::string_view::npos)
        return matrix_error(401, "M_UNAUTHORIZED", "a token is needed");
    if (!known_token(request)) return matrix_error(403, "M_FORBIDDEN", "the token is not known");
    const MatrixRoute route = matrix_route(request.method, request.target);
    if (route.is == MatrixRoute::Is::unknown) return matrix_error(404, "M_UNRECOGNIZED", "no such path");
    if (!route.method_fits) return matrix_error(405, "M_UNRECOGNIZED", "the path has another method");
    return std::nullopt;
}

MatrixAnswer MatrixService::answer(const MatrixRequest& request) {
    if (auto refused = refuse(request)) return std::move(*refused);
    const MatrixRoute route = matrix_route(request.method, request.target);
    switch (route.is) {
        case MatrixRoute::Is::transaction:
            return transaction(route.id, request.body);
        case MatrixRoute::Is::ping:
            if (const Status heard = intake_.heard(); !heard.ok())
                return matrix_error(503, "M_UNKNOWN", "the archive can't answer now");
            if (settings_.pinged) settings_.pinged();
            return {};
        case MatrixRoute::Is::user:
            if (route.id == "@" + settings_.bot + ":" + settings_.own_server) return {};
            break;
        case MatrixRoute::Is::room:
        case MatrixRoute::Is::unknown:
            break;
    }
    return matrix_error(404, "M_NOT_FOUND", "the archive has no such user or room");
}

MatrixAnswer MatrixService::too_large(const MatrixRequest& request) {
    const MatrixRoute route = matrix_route(request.method, request.target);
    ++refused_;
    if (const Status said = intake_.finding("matrix:txn-too-large", 1, route.id); !said.ok())
        return matrix_error(503, "M_UNKNOWN", "the archive can't answer now");
    return matrix_error(413, "M_TOO_LARGE", "the transaction is too large");
}

MatrixAnswer MatrixService::transaction(const std::string& id, ByteView body) {
    const Status taken = body.size() > kMaxBody ? Status(Error(Code::limit, "too large")) : take(id, body);
    if (taken.ok()) return {};
    ++refused_;
    MatrixAnswer out;
    switch (taken.error().code()) {
        case Code::bad_input:
            return matrix_error(400, "M_BAD_JSON", "this is no transaction");
        case Code::limit:
            return matrix_error(413, "M_TOO_LARGE", "the transaction is too large");
        case Code::overloaded:
        case Code::interrupted:
            out.retry_after_s = 5;
            break;
        case Code::environment:
            out.retry_after_s = 20;
            break;
        default:
            out.retry_after_s = 60;
    }
    out.status = 503;
    out.body = "{\"errcode\":\"M_LIMIT_EXCEEDED\",\"error\":\"send it again later\",\"retry_after_ms\":" +
               std::to_string(out.retry_after_s * 1000) + "}";
    return out;
}

struct MatrixService::Transaction {
    std::vector<MatrixItem> events, others;  // with an id of their own; without
    Hash ids, content;
};

Result<MatrixService::Transaction> MatrixService::read(const std::string& id, ByteView body) {
    class Sink final : public ItemSink {
    public:
        explicit Sink(std::vector<MatrixItem>& items) : items_(items) {}
        Status item(ParsedItem item) override {
            items_.push_back({std::move(item), {}});
            return {};
        }
        void finding(std::string_view, std::uint64_t) override {}

    private:
        std::vector<MatrixItem>& items_;
    };
    Transaction out;
    Sink sink(out.others);
    ReadContext context;
    context.limits = intake_.limits();
    std::vector<std::string> ids, contents;
    const auto give = [&](Bytes json) -> Status {
        MatrixItem item = taker_.parse(std::move(json));
        const vault::Message& message = item.item.message;
        if (message.native_id.empty()) {
            // Two that look the same are two; the same transaction again has them at the same places.
            item.item.update_type = "transaction/" + id + "/" + std::to_string(out.others.size());
            out.others.push_back(std::move(item));
        } else {
            ids.push_back(message.native_id);
            contents.push_back(message.native_id + " " + item.item.update_type);
            out.events.push_back(std::move(item));
        }
        return {};
    };
    const auto source = memory_source(body);
    TRY(read_json_feed(
        *source, {"events", "ephemeral", "de.sorunome.msc2409.ephemeral", "to_device", "de.sorunome.msc2409.to_device"},
        "matrix", context, sink, give));
    out.ids = digest(std::move(ids));
    out.content = digest(std::move(contents));
    return out;
}

Status MatrixService::take(const std::string& id, ByteView body) {
    if (!has_events(as_text(body))) {
        TRY(intake_.finding("matrix:bad-transaction", 1, id));
        return Error(Code::bad_input, "this is no transaction");
    }
    TRY(intake_.room());
    const std::lock_guard lock(mutex_);
    Transaction transaction = TRY(read(id, body));
    const auto known = TRY(transactions_.find(id, transaction.ids, transaction.content));
    if (known == MatrixTransactions::Known::reused) TRY(intake_.finding("matrix:txn-reused", 1, id));
    if (known != MatrixTransactions::Known::same) {
        for (const MatrixItem& item : transaction.events) {
            const vault::Message& message = item.item.message;
            const bool local = home_of(message.sender.id) == settings_.own_server;
            TRY(rooms_.saw(message.conversation.id, local ? message.sender.id : std::string()));
        }
        sealed_ += TRY(taker_.take(std::move(transaction.events))).sealed;
    }
    // What has no id was perhaps not there the first time: a homeserver keeps it in memory only.
    if (!transaction.others.empty()) sealed_ += TRY(taker_.take(std::move(transaction.others))).sealed;
    if (known != MatrixTransactions::Known::same) TRY(transactions_.remember(id, transaction.ids, transaction.content));
    return intake_.heard();
}

}  // namespace kustos::ingest
