#include "ingest/src/matrix_registration.h"

namespace kustos::ingest {

namespace {

// In a regular expression in a quoted YAML text.
std::string regex_literal(const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '.' ? std::string("\\\\.") : std::string(1, c);
    return out;
}

// In single quotes, as YAML 1.2 (7.3.2) has it.
std::string quoted(const std::string& text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
    return out + "'";
}

}  // namespace

std::string matrix_registration(const std::string& listen, bool tls, const std::string& own_server,
                                const std::string& bot) {
    return "# For the homeserver (Synapse: app_service_config_files). Written at each start of the archive's server;\n"
           "# the copy that the homeserver reads is yours. Put both tokens in, and the address as it reaches us.\n"
           "id: kustos\n"
           "url: " +
           quoted((tls ? "https://" : "http://") + listen) +
           "\n"
           "hs_token: 'the content of the file that hs_token_file names'\n"
           "as_token: 'the content of the file that as_token_file names'\n"
           "sender_localpart: " +
           quoted(bot) +
           "\n"
           "rate_limited: false\n"
           "de.sorunome.msc2409.push_ephemeral: false  # true: read receipts, typing, presence, too\n"
           "receive_ephemeral: false\n"
           "namespaces:\n"
           "  # Everybody of this server: every event of every room where one of them is. Not exclusive: they stay\n"
           "  # ordinary users.\n"
           "  users: [{exclusive: false, regex: \"@.*:" +
           regex_literal(own_server) +
           "\"}]\n"
           "  rooms: []\n"
           "  aliases: []\n";
}

}  // namespace kustos::ingest
