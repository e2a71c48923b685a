// The server's own certificate. Browsers warn about it once; its fingerprint is printed by `kustos serve`.
#pragma once

#include "base/environment.h"

namespace kustos::web {

// Makes server.key and server.crt in dir if they are not there. The SHA-256 of the certificate's DER.
Result<Hash> ensure_certificate(Environment environment, const Path& dir);

}  // namespace kustos::web
