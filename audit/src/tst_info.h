// TSTInfo (RFC 3161 section 2.4.2): what an authority signs.
#pragma once

#include <optional>

#include "audit/timestamp.h"

namespace kustos::audit {

struct TstInfo {
    std::string policy;
    Imprint imprint;
    std::string serial;
    UtcTime gen_time;
    std::optional<std::int64_t> accuracy_ms;
    bool ordering = false;
    Bytes nonce;
    bool claims_qualified = false;
    Bytes tsa;  // GeneralName, DER; empty if absent
};

Result<TstInfo> parse_tst_info(ByteView der);

}  // namespace kustos::audit
