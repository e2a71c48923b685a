// Puts changed slots into place, behind the entry that names them. Threads: the caller lets no other change run.
#pragma once

#include "vault/src/keyholder.h"

namespace kustos::vault {

// What the entry slots_changed says of them.
std::string methods_of(const Keyholder::Rekeyed& rekeyed);
// keys/auto.key and keys/slots; an interrupted one leaves the old slots, or the new ones, able to open. Durable.
Status store_rekeyed(Environment environment, const Path& keys_dir, const Keyholder::Rekeyed& rekeyed);

}  // namespace kustos::vault
