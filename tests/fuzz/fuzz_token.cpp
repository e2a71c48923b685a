// Time-stamp requests, responses and tokens from anywhere: read, verified under every rule, answered. The first byte is
// data like the rest; each parser gets the whole input.
#include <cstdint>

#include "audit/der.h"
#include "audit/timestamp.h"
#include "base/result.h"

using namespace kustos;
using namespace kustos::audit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes(data, size);
    const bool strict = check_der(bytes).ok();

    const auto request = TimestampRequest::parse(bytes);
    if (request.ok()) {
        CHECK(strict);
        const auto again = TimestampRequest::parse(request->encode());
        CHECK(again.ok() && again->imprint == request->imprint && again->nonce == request->nonce);
        CHECK(again->policy == request->policy && again->certificates == request->certificates);
    }

    const auto inner = token_from_response(bytes);
    const Bytes token = inner.ok() ? *inner : to_bytes(bytes);
    const auto facts = read_token(token);
    if (!facts.ok()) return 0;
    TokenTrust trust;
    trust.roots = facts->certificates;
    for (const ChainRule rule : {ChainRule::to_root, ChainRule::pinned_signer, ChainRule::none}) {
        trust.rule = rule;
        const auto verified = verify_token(token, facts->imprint, trust);
        if (!verified.ok()) continue;
        CHECK(verified->gen_time == facts->gen_time);
        CHECK(verified->chain_root.is_zero() == (rule == ChainRule::none));
    }
    return 0;
}
