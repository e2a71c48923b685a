// kustos source ..., quarantine ..., formats: what they print. JSON names are a contract. Threads: as House.
#pragma once

#include "app/call.h"
#include "app/commands.h"
#include "app/house.h"

namespace kustos::app {

bool is_source_command(const std::string& name);  // source add, ..., quarantine list, ...
Result<int> source_command(House& house, const Call& call, const std::string& actor, Streams streams);
Result<int> quarantine_command(House& house, const Call& call, const std::string& actor, Streams streams);
Result<int> list_formats(const Call& call, Streams streams);

// One source as a JSON object, or as a line for people.
std::string source_json(const web::SourceReport& source);
std::string source_text(const web::SourceReport& source, Language language);

}  // namespace kustos::app
