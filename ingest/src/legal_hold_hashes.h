// Who vouches for the files of a Mattermost legal hold: hashes.json, HMAC-SHA-512 under the hold's secret.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "ingest/src/container.h"

namespace kustos::ingest {

enum class Origin {
    unchecked,  // no secret was given, or there is no hashes.json
    proven,     // its HMAC is right
    wrong,      // it is not
    unnamed,    // hashes.json does not name it
};

// Checks every file below `base` ("legal_hold/x_y/", or "") that hashes.json names. Findings: "legal-hold:hmac-wrong",
// "legal-hold:hmac-unnamed" (a file that nobody vouches for), "legal-hold:named-file-missing",
// "legal-hold:hashes-unreadable", "legal-hold:no-hashes", "legal-hold:origin-unchecked". It proves that who held the
// secret wrote them, not when: the plugin writes hashes.json anew every day.
std::map<std::string, Origin, std::less<>> check_legal_hold(ContainerReader& reader, const std::string& base,
                                                            ByteView secret, ItemSink& sink);

}  // namespace kustos::ingest
