// The text with which a homeserver gets to know an application service (Matrix specification 1.13, application service
// API, "Registration"), for Synapse's app_service_config_files.
#pragma once

#include <string>

namespace kustos::ingest {

// Tokens are not in it: whoever sets the homeserver up puts them in place of the words there.
std::string matrix_registration(const std::string& listen, bool tls, const std::string& own_server,
                                const std::string& bot);

}  // namespace kustos::ingest
