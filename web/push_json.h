// Bodies of POST /api/v1/ingest/{source} and /api/v1/heartbeat/{source} as JSON (web/openapi.yaml).
#pragma once

#include <string>

#include "web/service.h"

namespace kustos::web {

std::string push_answer_json(const PushAnswer& answer);
Result<PushAnswer> parse_push_answer(std::string_view json);  // what push_answer_json wrote
// {"sent":N}, of at most 4 KiB. Code::bad_input.
Result<std::uint64_t> parse_heartbeat(ByteView json);
std::string heartbeat_answer_json(const HeartbeatAnswer& answer);
// {"error":{"code":..,"message":..,"hint":..}}
std::string error_json(const Error& error);
int http_status(Code code);

}  // namespace kustos::web
