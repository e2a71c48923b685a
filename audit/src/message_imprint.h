// RFC 3161 MessageImprint, as it stands in requests and in tokens.
#pragma once

#include "audit/der.h"
#include "audit/timestamp.h"

namespace kustos::audit {

Result<Imprint> parse_message_imprint(DerReader& parent);

}  // namespace kustos::audit
