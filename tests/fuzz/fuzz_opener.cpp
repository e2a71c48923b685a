// Whatever is sent to the opener apart, or comes back from it: refused, or the one encoding of what it says.
#include <cstdint>

#include "base/result.h"
#include "vault/ledger_view.h"
#include "vault/opener_orders.h"
#include "vault/opener_protocol.h"

using namespace kustos;
using namespace kustos::vault;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes(data, size);
    if (const auto request = decode_opener_request(bytes); request.ok()) CHECK(equal(encode(*request), bytes));
    if (const auto state = decode_opener_state(bytes); state.ok()) CHECK(equal(encode(*state), bytes));
    if (const auto draft = decode_access_draft(bytes); draft.ok()) CHECK(equal(encode(*draft), bytes));
    if (const auto reply = decode_search_reply(bytes); reply.ok()) CHECK(equal(encode(*reply), bytes));
    if (const auto next = decode_next_generation(bytes); next.ok()) CHECK(equal(encode(*next), bytes));
    if (const auto seen = decode_seen(bytes); seen.ok()) CHECK(equal(encode(*seen), bytes));
    if (const auto order = decode_rekey_order(bytes); order.ok()) CHECK(equal(encode(*order).view(), bytes));
    if (const auto order = decode_leave_order(bytes); order.ok()) CHECK(equal(encode(*order).view(), bytes));
    if (const auto order = decode_escrow_order(bytes); order.ok()) CHECK(equal(encode(*order).view(), bytes));
    if (const auto shares = decode_shares(bytes); shares.ok()) CHECK(equal(encode(*shares).view(), bytes));
    if (const auto step = decode_rewrite_step(bytes); step.ok()) CHECK(equal(encode(*step), bytes));
    static_cast<void>(decode_rewrite_order(bytes).ok());
    static_cast<void>(decode_escrow_list(bytes).ok());
    static_cast<void>(decode_entry_set(bytes).ok());
    static_cast<void>(decode_opener_answer(bytes).ok());
    return 0;
}
