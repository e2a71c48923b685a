// The time level of a token that imprints what it should.
#pragma once

#include "audit/imprint.h"
#include "audit/report.h"
#include "audit/timestamp.h"
#include "audit/trust.h"

namespace kustos::audit {

struct TokenVerdict {
    TimeLevel level = TimeLevel::self;
    UtcTime gen_time;
    std::string authority;  // its name in the trust file; empty: none names it
    std::string remark;     // for not_checked; empty: none
};

// builtin_root: named by the archive's first entry. Code::bad_input: the token does not hold.
Result<TokenVerdict> judge_token(ByteView token, const Imprint& imprint, const std::optional<Hash>& builtin_root,
                                 const std::optional<Trust>& trust);

}  // namespace kustos::audit
