// Keys of the fuzz corpora of what travels between archive, witness and signer. Known to everybody, so that mutated
// messages can be signed ones.
#pragma once

#include "audit/note.h"

namespace kustos::test {

inline constexpr const char* kWireOrigin = "kustos.archive/00000000000000000000000000000000";

inline audit::SignerKey wire_log_key() {
    return *audit::SignerKey::make(kWireOrigin, Bytes(32, 1));
}
inline audit::SignerKey wire_witness_key() {
    return *audit::SignerKey::make("witness.example", Bytes(32, 2), audit::KeyType::cosignature);
}

}  // namespace kustos::test
