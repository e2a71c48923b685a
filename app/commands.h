// Runs one parsed command and says how it ended. Output goes to `out` (people's text, or JSON), errors to `err`.
#pragma once

#include <iosfwd>

#include "app/call.h"
#include "base/environment.h"
#include "base/secret.h"

namespace kustos::app {

struct Streams {
    std::ostream& out;
    std::ostream& err;
};

// Exit codes: 0 done; 1 the answer is no; 2 usage; 3 denied; 4 closed vault; 5 bad input; 6 environment; 70 bug.
int exit_code(Code code);
int run_command(Environment environment, const Call& call, Streams streams);
class House;
struct CallSecrets;
// With the house of a running server. A secret opens its vault for this command; `unlock` opens it for a time.
int run_command_in(House& house, const Call& call, const CallSecrets& secrets, Streams streams);

// The first line of a file, or of standard input for "-". Code::usage: not to be read, or empty.
Result<SecretBytes> read_secret(Environment environment, const std::string& file, const char* what);
std::string user_name(std::uint32_t uid);

}  // namespace kustos::app
