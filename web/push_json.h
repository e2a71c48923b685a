// Answers of POST /api/v1/ingest/{source} as JSON (web/openapi.yaml).
#pragma once

#include <string>

#include "web/service.h"

namespace kustos::web {

std::string push_answer_json(const PushAnswer& answer);
Result<PushAnswer> parse_push_answer(std::string_view json);  // what push_answer_json wrote
// {"error":{"code":..,"message":..,"hint":..}}
std::string error_json(const Error& error);
int http_status(Code code);

}  // namespace kustos::web
