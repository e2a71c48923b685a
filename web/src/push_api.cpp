#include "web/src/push_api.h"

#include <algorithm>
#include <array>
#include <utility>

#include "web/push_json.h"
#include "web/src/answers.h"
#include "web/src/multipart.h"

namespace kustos::web {

namespace {

constexpr std::size_t kMostKey = 200, kMostPosition = 1000, kMostHeartbeat = 4096;  // bytes

bool is_lines(std::string_view type) {
    return type.rfind("application/x-ndjson", 0) == 0 || type.rfind("application/json", 0) == 0 ||
           type.rfind("application/jsonl", 0) == 0;
}

}  // namespace

// Room for one push; given back at the end.
class PushApi::Room {
public:
    Room(PushApi& api, std::string source, std::uint64_t bytes)
        : api_(&api), source_(std::move(source)), bytes_(bytes) {}
    Room(Room&& other) noexcept
        : api_(std::exchange(other.api_, nullptr)), source_(std::move(other.source_)), bytes_(other.bytes_) {}
    ~Room() {
        if (api_ == nullptr) return;
        const std::lock_guard lock(api_->mutex_);
        api_->bytes_ -= bytes_;
        --api_->all_running_;
        const auto found = api_->running_.find(source_);
        if (--found->second == 0) api_->running_.erase(found);
    }

private:
    PushApi* api_;
    std::string source_;
    std::uint64_t bytes_;
};

PushApi::PushApi(const Environment& environment, Service& service, const ServerOptions& options)
    : random_(environment.random),
      service_(service),
      most_body_(options.max_push_bytes),
      most_bodies_(options.max_bodies),
      most_pushes_(std::max(1u, options.threads * 3 / 4)),
      most_of_source_(std::max(1u, options.threads / 2)) {}

// Asked behind the token: a stranger can't hold a source's places.
Result<PushApi::Room> PushApi::room(const std::string& source, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(source);
    const bool busy = found != running_.end() && found->second >= most_of_source_;
    if (busy || all_running_ >= most_pushes_ || (bytes_ + bytes > most_bodies_ && bytes_ != 0))
        return Error(Code::overloaded, busy ? "too many pushes of this source at once" : "too many pushes at once")
            .with_hint("send again later; nothing was taken");
    bytes_ += bytes;
    ++all_running_;
    ++running_[source];
    return Room(*this, source, bytes);
}

void PushApi::fail(Response& response, const Error& error) {
    const int status = http_status(error.code());
    if (status == 503) {
        // Not all at the same time again.
        std::array<std::uint8_t, 1> chance{};
        random_.fill(chance);
        response.set("Retry-After", std::to_string(error.code() == Code::overloaded ? 1 + chance[0] % 5 : 60));
    }
    send(response, status, "application/json", error_json(error));
}

void PushApi::refuse(Request& request, Response& response, const Error& error) {
    discard(request, 2 * most_body_);
    fail(response, error);
}

void PushApi::answer(Request& request, Response& response, const std::string& path, bool post) {
    const std::string ingest = "/api/v1/ingest/", beat = "/api/v1/heartbeat/";
    const bool beats = path.rfind(beat, 0) == 0;
    const std::string& prefix = beats ? beat : ingest;
    if (path.rfind(prefix, 0) != 0 || path.size() == prefix.size())
        return fail(response, Error(Code::not_found, "no such address"));
    if (!post) return send(response, 405, "application/json", error_json(Error(Code::usage, "use POST")));
    PushRequest push;
    push.source = path.substr(prefix.size());
    const std::string authorization = request.get("Authorization", "");
    if (authorization.rfind("Bearer ", 0) != 0) {
        response.set("WWW-Authenticate", "Bearer");
        return send(
            response, 401, "application/json",
            error_json(Error(Code::denied, "a bearer token is needed").with_hint("kustos source add prints it once")));
    }
    push.token = authorization.substr(7);
    if (beats) return heartbeat(request, response, push);
    this->push(request, response, std::move(push));
}

void PushApi::heartbeat(Request& request, Response& response, const PushRequest& push) {
    if (const Status may = service_.may_push(push.source, push.token); !may.ok())
        return refuse(request, response, may.error());
    const auto body = read_body(request, kMostHeartbeat);
    if (!body.ok()) return refuse(request, response, body.error());
    const auto sent = parse_heartbeat(*body);
    if (!sent.ok()) return fail(response, sent.error());
    const auto answer = service_.heartbeat(push.source, *sent);
    if (!answer.ok()) return fail(response, answer.error());
    send(response, 200, "application/json", heartbeat_answer_json(*answer));
}

void PushApi::push(Request& request, Response& response, PushRequest push) {
    push.idempotency_key = request.get("Idempotency-Key", "");
    push.feed_position = request.get("Feed-Position", "");
    if (push.idempotency_key.size() > kMostKey || push.feed_position.size() > kMostPosition)
        return fail(response,
                    Error(Code::bad_input, "Idempotency-Key has at most 200 bytes, Feed-Position at most 1000"));
    const std::string type = request.getContentType();
    const bool multipart = is_multipart(type);
    if (!multipart && !is_lines(type))
        return send(
            response, 415, "application/json",
            error_json(Error(Code::bad_input, "Content-Type must be application/x-ndjson or multipart/form-data")
                           .with_hint("one message a line")));
    if (const Status may = service_.may_push(push.source, push.token); !may.ok())
        return refuse(request, response, may.error());
    const auto declared = request.getContentLength64();
    const bool known = declared >= 0 && static_cast<std::uint64_t>(declared) <= most_body_;
    const std::uint64_t bytes = known ? static_cast<std::uint64_t>(declared) : most_body_;
    const auto place = room(push.source, multipart ? 2 * bytes : bytes);
    if (!place.ok()) return refuse(request, response, place.error());
    auto body = read_body(request, most_body_);
    if (!body.ok()) return refuse(request, response, body.error());
    if (multipart) {
        auto parsed = parse_multipart(*body, type);
        if (!parsed.ok()) return fail(response, parsed.error());
        push.body = std::move(parsed->messages);
        push.parts = std::move(parsed->parts);
    } else {
        push.body = std::move(*body);
    }
    *body = {};
    const auto answer = service_.push(std::move(push));
    if (!answer.ok()) return fail(response, answer.error());
    send(response, 200, "application/json", push_answer_json(*answer));
}

}  // namespace kustos::web
