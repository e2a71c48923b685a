// What strangers' servers answer when issuers, OCSP responses and CRLs of a token are fetched. Input: u16 length of a
// token, the token; the rest is every server's answer.
#include <cstdint>

#include "audit/timestamp.h"
#include "audit/validation.h"
#include "base/result.h"

using namespace kustos;
using namespace kustos::audit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::size_t length = std::min<std::size_t>(std::size_t{data[0]} << 8 | data[1], size - 2);
    const ByteView token(data + 2, length), answer(data + 2 + length, size - 2 - length);
    int asked = 0;
    const auto collected = collect_validation(token, [&](const Fetch&) -> Result<Bytes> {
        CHECK(++asked <= static_cast<int>(kMaxFetches));
        return to_bytes(answer);
    });
    if (!collected.ok()) return 0;
    CHECK(collected->token.size() <= kMaxToken);
    const auto before = read_token(token), after = read_token(collected->token);
    if (before.ok()) CHECK(after.ok() && after->gen_time == before->gen_time && after->imprint == before->imprint);
    return 0;
}
