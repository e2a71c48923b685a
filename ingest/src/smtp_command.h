// One command line of SMTP, read: verb, path and parameters (RFC 5321, 4.1). Pure; foreign bytes in, never trusted.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace kustos::ingest {

struct SmtpCommand {
    std::string verb;       // upper case: "MAIL"
    std::string arguments;  // what follows the first space, without spaces around it
};
SmtpCommand read_command(std::string_view line);  // without its CR LF

struct SmtpPath {
    std::string address;                            // without < >; empty: the null sender
    std::map<std::string, std::string> parameters;  // names in upper case
};
// prefix: "FROM:" or "TO:". nullopt: against the syntax, or not UTF-8.
std::optional<SmtpPath> read_path(std::string_view arguments, std::string_view prefix);
std::optional<std::uint64_t> read_decimal(std::string_view text);  // at most 18 digits
bool same_word(std::string_view a, std::string_view b);            // without regard to ASCII case

}  // namespace kustos::ingest
