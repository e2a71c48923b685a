// The two certificates of the builtin authority.
#pragma once

#include "audit/src/openssl_time.h"
#include "base/random.h"
#include "base/time.h"

namespace kustos::audit {

struct BuiltinCertificates {
    openssl::Certificate root;
    openssl::Certificate tsa;
    openssl::Key tsa_key;
};

// Both valid from a day before now (a clock may be set back a little) for 25 years; the root's key dies here.
Result<BuiltinCertificates> make_builtin_certificates(UtcTime now, Random& random);
// A positive INTEGER of 127 random bits: unique without a counter on disk.
openssl::Integer random_serial(Random& random);

}  // namespace kustos::audit
