// What is said between the sealer and an opener apart (docs/format/opener-protocol.md): messages and their bytes,
// without a socket. decode takes foreign bytes: Code::bad_input for everything that is not the one encoding. Threads:
// pure.
#pragma once

#include <span>
#include <variant>

#include "vault/key_service.h"

namespace kustos::vault {

inline constexpr std::size_t kMaxOpenerMessage = 4u << 20;
inline constexpr std::uint16_t kOpenerProtocol = 4;
inline constexpr std::size_t kMaxOpenerText = 64 * 1024;  // of an actor, a query
inline constexpr std::size_t kMaxSecretBytes = 4 * 1024;
inline constexpr std::size_t kMaxListed = 200'000;  // entry numbers of one message

enum class OpenerAsk : std::uint8_t {
    hello = 1,
    state,
    unlock,
    lock,
    ahead,
    begin,
    search,
    stored,
    key,
    blob_key,
    prepare,
    adopt,
    destroy,
    check,
    matter,
    status,
    accounted,
    owed,
    rekey,
    leave,
    cover,
    escrow,
    rewrite,
    shards,
};

// One request, decoded: what does not belong to `ask` is empty.
struct OpenerRequest {
    OpenerAsk ask = OpenerAsk::hello;
    std::uint16_t version = 0;          // hello
    SecretBytes secret;                 // unlock: encode_secret()
    std::uint32_t seconds = 0;          // unlock; 0: no limit
    std::string actor;                  // unlock, lock: who does it
    std::string why;                    // lock
    bool now = false;                   // lock: without waiting for its entry
    std::uint32_t tree = 0, leaf = 0;   // ahead; tree: cover
    SearchAsk search;                   // search; its purpose alone: begin
    std::vector<EntryIndex> entries;    // begin
    EntryIndex entry;                   // stored, key, blob_key (the record), check, matter
    EntryIndex blob;                    // blob_key
    std::array<std::uint8_t, 32> b{};   // blob_key
    std::vector<std::uint32_t> shards;  // prepare
    SecretBytes order;                  // rekey, leave, escrow, rewrite: opener_orders.h
};
Bytes encode(const OpenerRequest& request);
Result<OpenerRequest> decode_opener_request(ByteView bytes);

// --- answers: the bytes behind the 0 ----------------------------------------------------------------------
struct OpenerState {
    bool open = false;
    std::string words;
    std::uint32_t generation = 0;
    std::string medium;
    std::int64_t until_ms = 0;  // wall clock; 0: no limit
    bool operator==(const OpenerState&) const = default;
};
Bytes encode(const OpenerState& state);
Result<OpenerState> decode_opener_state(ByteView bytes);

// An entry that is to be appended exactly like this: of kind access, or control after unlock, lock, owed, rekey, leave.
struct AccessDraft {
    Bytes body;
    Bytes payload;  // "original" of payload.md; empty: nothing is sealed in it
};
Bytes encode(const AccessDraft& draft);
Result<AccessDraft> decode_access_draft(ByteView bytes);
Bytes encode(const SearchReply& reply);
Result<SearchReply> decode_search_reply(ByteView bytes);
Bytes encode(const NextGeneration& next);
Result<NextGeneration> decode_next_generation(ByteView bytes);
Bytes encode(const EntrySet& set);
Result<EntrySet> decode_entry_set(ByteView bytes);

// A whole answer: 0 and its bytes, or 1, the error's code, text and hint.
Bytes opener_answer(const Result<Bytes>& answer);
Result<Bytes> decode_opener_answer(ByteView bytes);  // the refusal as an error

}  // namespace kustos::vault
