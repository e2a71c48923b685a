// Reports as JSON (docs: names are a contract) and as people's text.
#pragma once

#include <string>

#include "app/call.h"
#include "vault/purpose.h"
#include "web/service.h"

namespace kustos::app {

std::string status_json(const web::StatusReport& report);
std::string status_text(const web::StatusReport& report, Language language);
std::string search_json(const web::SearchReport& report);
std::string search_text(const web::SearchReport& report, Language language);
std::string record_json(const web::RecordReport& report);
std::string record_text(const web::RecordReport& report, Language language);
std::string coverage_json_text(const vault::CoverageCounts& coverage);
std::string coverage_words(const vault::CoverageCounts& coverage, bool german);
std::string unsearched_json_text(const vault::Unsearched& unsearched);
std::string unsearched_words(const vault::Unsearched& unsearched, bool german);
std::string day_text(CivilDate day);               // 2026-03-31
std::string plain_text(std::string_view foreign);  // fit for a terminal

}  // namespace kustos::app
