// POST /api/v1/ingest/{source} and /api/v1/heartbeat/{source} (web/openapi.yaml).
//
// Back-pressure: bodies in memory, pushes of one source and pushes of all have each a limit of their own, so that
// neither one eager sender nor all together take the threads that people's pages need. What is above it is answered
// 503 with Retry-After before anything of it is sealed. Threads: safe.
#pragma once

#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "base/environment.h"
#include "web/server.h"
#include "web/service.h"

namespace kustos::web {

class PushApi {
public:
    PushApi(const Environment& environment, Service& service, const ServerOptions& options);
    void answer(Poco::Net::HTTPServerRequest& request, Poco::Net::HTTPServerResponse& response, const std::string& path,
                bool post);

private:
    using Request = Poco::Net::HTTPServerRequest;
    using Response = Poco::Net::HTTPServerResponse;
    class Room;
    Result<Room> room(const std::string& source, std::uint64_t bytes);
    void refuse(Request& request, Response& response, const Error& error);
    void fail(Response& response, const Error& error);
    void heartbeat(Request& request, Response& response, const PushRequest& push);
    void push(Request& request, Response& response, PushRequest push);

    Random& random_;
    Service& service_;
    const std::uint64_t most_body_, most_bodies_;
    const std::uint32_t most_pushes_, most_of_source_;
    std::mutex mutex_;  // guards what follows
    std::uint64_t bytes_ = 0;
    std::map<std::string, std::uint32_t> running_;  // pushes by source
    std::uint32_t all_running_ = 0;
};

}  // namespace kustos::web
