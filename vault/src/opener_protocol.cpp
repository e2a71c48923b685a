#include "vault/opener_protocol.h"

#include <algorithm>

#include "vault/entry_set_code.h"

namespace kustos::vault {

namespace {

void put_text(Bytes& out, std::string_view text) {
    put_u32(out, static_cast<std::uint32_t>(text.size()));
    put(out, as_bytes(text));
}
void put_bytes(Bytes& out, ByteView bytes) {
    put_u32(out, static_cast<std::uint32_t>(bytes.size()));
    put(out, bytes);
}
void put_entries(Bytes& out, const std::vector<EntryIndex>& entries) {
    put_u32(out, static_cast<std::uint32_t>(entries.size()));
    for (const EntryIndex e : entries) put_u64(out, e.value);
}
void put_purpose(Bytes& out, const Purpose& p) {
    put_u16(out, static_cast<std::uint16_t>(p.action));
    put_u64(out, p.matter.value);
    put_text(out, p.actor);
    put_text(out, p.query);
    put_u64(out, p.total);
    put(out, p.result_set.view());
    put_text(out, p.within);
    put_u8(out, p.cards ? 1 : 0);
}

Result<Bytes> take_bytes(ByteReader& in) {
    return to_bytes(TRY(in.take(TRY(in.u32()))));
}
Result<std::string> take_text(ByteReader& in) {
    const std::uint32_t size = TRY(in.u32());
    if (size > kMaxOpenerText) return Error(Code::bad_input, "a text is too long");
    return to_text(TRY(in.take(size)));
}
Result<EntryIndex> take_entry(ByteReader& in) {
    return EntryIndex(TRY(in.u64()));
}
// How many items of `size` bytes follow.
Result<std::uint32_t> take_count(ByteReader& in, std::size_t size) {
    const std::uint32_t count = TRY(in.u32());
    if (count > kMaxListed || count > in.remaining() / size)
        return Error(Code::bad_input, "a list is shorter than it says, or too long");
    return count;
}
Result<std::vector<EntryIndex>> take_entries(ByteReader& in) {
    std::vector<EntryIndex> entries(TRY(take_count(in, 8)));
    for (EntryIndex& e : entries) e = TRY(take_entry(in));
    return entries;
}
Result<bool> take_flag(ByteReader& in) {
    const std::uint8_t flag = TRY(in.u8());
    if (flag > 1) return Error(Code::bad_input, "a flag is neither 0 nor 1");
    return flag == 1;
}
Result<Purpose> take_purpose(ByteReader& in) {
    Purpose p;
    const std::uint16_t action = TRY(in.u16());
    if (action < 1 || action > static_cast<std::uint16_t>(audit::AccessAction::index))
        return Error(Code::bad_input, "no such purpose");
    p.action = static_cast<audit::AccessAction>(action);
    p.matter = TRY(take_entry(in));
    p.actor = TRY(take_text(in));
    p.query = TRY(take_text(in));
    p.total = TRY(in.u64());
    p.result_set = TRY(Hash::from(TRY(in.take(32))));
    p.within = TRY(take_text(in));
    p.cards = TRY(take_flag(in));
    return p;
}

Status decode_body(OpenerRequest& r, ByteReader& in) {
    switch (r.ask) {
        case OpenerAsk::hello:
            r.version = TRY(in.u16());
            return {};
        case OpenerAsk::unlock: {
            const std::uint32_t size = TRY(in.u32());
            if (size > kMaxSecretBytes) return Error(Code::bad_input, "a secret is too long");
            r.secret = SecretBytes(TRY(in.take(size)));
            r.seconds = TRY(in.u32());
            r.actor = TRY(take_text(in));
            return {};
        }
        case OpenerAsk::lock:
            r.actor = TRY(take_text(in));
            r.why = TRY(take_text(in));
            r.now = TRY(take_flag(in));
            return {};
        case OpenerAsk::cover:
            r.tree = TRY(in.u32());
            return {};
        case OpenerAsk::rekey:
        case OpenerAsk::leave:
        case OpenerAsk::escrow:
        case OpenerAsk::rewrite:
            r.order = SecretBytes(TRY(in.take(in.remaining())));
            return {};
        case OpenerAsk::ahead:
            r.tree = TRY(in.u32());
            r.leaf = TRY(in.u32());
            return {};
        case OpenerAsk::begin:
            r.search.purpose = TRY(take_purpose(in));
            r.entries = TRY(take_entries(in));
            return {};
        case OpenerAsk::search:
            r.search.purpose = TRY(take_purpose(in));
            r.search.by_relevance = TRY(take_flag(in));
            r.search.german = TRY(take_flag(in));
            r.search.offset = TRY(in.u64());
            r.search.limit = TRY(in.u64());
            r.search.whole = TRY(take_flag(in));
            if (TRY(take_flag(in)))
                r.search.within = TRY(decode_entry_set_code(TRY(in.take(TRY(in.u32()))), kMaxResultSet));
            return {};
        case OpenerAsk::stored:
        case OpenerAsk::key:
        case OpenerAsk::check:
        case OpenerAsk::matter:
            r.entry = TRY(take_entry(in));
            return {};
        case OpenerAsk::blob_key: {
            r.entry = TRY(take_entry(in));
            r.blob = TRY(take_entry(in));
            const ByteView b = TRY(in.take(r.b.size()));
            std::copy(b.begin(), b.end(), r.b.begin());
            return {};
        }
        case OpenerAsk::prepare:
            r.shards.resize(TRY(take_count(in, 4)));
            for (std::uint32_t& shard : r.shards) shard = TRY(in.u32());
            return {};
        case OpenerAsk::state:
        case OpenerAsk::adopt:
        case OpenerAsk::destroy:
        case OpenerAsk::status:
        case OpenerAsk::accounted:
        case OpenerAsk::owed:
        case OpenerAsk::shards:
            return {};
    }
    return Error(Code::bad_input, "the opener does not know this request");
}

}  // namespace

Bytes encode(const OpenerRequest& r) {
    Bytes out{static_cast<std::uint8_t>(r.ask)};
    switch (r.ask) {
        case OpenerAsk::hello:
            put_u16(out, r.version);
            break;
        case OpenerAsk::unlock:
            put_bytes(out, r.secret.view());
            put_u32(out, r.seconds);
            put_text(out, r.actor);
            break;
        case OpenerAsk::lock:
            put_text(out, r.actor);
            put_text(out, r.why);
            put_u8(out, r.now ? 1 : 0);
            break;
        case OpenerAsk::cover:
            put_u32(out, r.tree);
            break;
        case OpenerAsk::rekey:
        case OpenerAsk::leave:
        case OpenerAsk::escrow:
        case OpenerAsk::rewrite:
            put(out, r.order.view());
            break;
        case OpenerAsk::ahead:
            put_u32(out, r.tree);
            put_u32(out, r.leaf);
            break;
        case OpenerAsk::begin:
            put_purpose(out, r.search.purpose);
            put_entries(out, r.entries);
            break;
        case OpenerAsk::search:
            put_purpose(out, r.search.purpose);
            put_u8(out, r.search.by_relevance ? 1 : 0);
            put_u8(out, r.search.german ? 1 : 0);
            put_u64(out, r.search.offset);
            put_u64(out, r.search.limit);
            put_u8(out, r.search.whole ? 1 : 0);
            put_u8(out, r.search.within ? 1 : 0);
            if (r.search.within) put_bytes(out, encode_entry_set(*r.search.within));
            break;
        case OpenerAsk::stored:
        case OpenerAsk::key:
        case OpenerAsk::check:
        case OpenerAsk::matter:
            put_u64(out, r.entry.value);
            break;
        case OpenerAsk::blob_key:
            put_u64(out, r.entry.value);
            put_u64(out, r.blob.value);
            put(out, ByteView(r.b));
            break;
        case OpenerAsk::prepare:
            put_u32(out, static_cast<std::uint32_t>(r.shards.size()));
            for (const std::uint32_t shard : r.shards) put_u32(out, shard);
            break;
        case OpenerAsk::state:
        case OpenerAsk::adopt:
        case OpenerAsk::destroy:
        case OpenerAsk::status:
        case OpenerAsk::accounted:
        case OpenerAsk::owed:
        case OpenerAsk::shards:
            break;
    }
    return out;
}

Result<OpenerRequest> decode_opener_request(ByteView bytes) {
    ByteReader in(bytes);
    OpenerRequest request;
    request.ask = static_cast<OpenerAsk>(TRY(in.u8()));
    TRY(decode_body(request, in));
    TRY(in.expect_end());
    return request;
}

Bytes encode(const OpenerState& s) {
    Bytes out{static_cast<std::uint8_t>(s.open ? 1 : 0)};
    put_text(out, s.words);
    put_u32(out, s.generation);
    put_text(out, s.medium);
    put_u64(out, static_cast<std::uint64_t>(s.until_ms));
    return out;
}

Result<OpenerState> decode_opener_state(ByteView bytes) {
    ByteReader in(bytes);
    OpenerState s;
    s.open = TRY(take_flag(in));
    s.words = TRY(take_text(in));
    s.generation = TRY(in.u32());
    s.medium = TRY(take_text(in));
    s.until_ms = static_cast<std::int64_t>(TRY(in.u64()));
    TRY(in.expect_end());
    return s;
}

Bytes encode(const AccessDraft& draft) {
    Bytes out;
    put_bytes(out, draft.body);
    put_bytes(out, draft.payload);
    return out;
}

Result<AccessDraft> decode_access_draft(ByteView bytes) {
    ByteReader in(bytes);
    AccessDraft draft;
    draft.body = TRY(take_bytes(in));
    draft.payload = TRY(take_bytes(in));
    TRY(in.expect_end());
    return draft;
}

Bytes encode(const SearchReply& reply) {
    Bytes out;
    put_u64(out, reply.total);
    put(out, reply.result_set.view());
    for (const std::uint64_t n : reply.coverage) put_u64(out, n);
    put_bytes(out, audit::encode(reply.unsearched));
    put_u64(out, reply.index_end.value);
    put_entries(out, reply.listed);
    put_bytes(out, encode_entry_set(reply.all));
    return out;
}

Result<SearchReply> decode_search_reply(ByteView bytes) {
    ByteReader in(bytes);
    SearchReply reply;
    reply.total = TRY(in.u64());
    reply.result_set = TRY(Hash::from(TRY(in.take(32))));
    for (std::uint64_t& n : reply.coverage) n = TRY(in.u64());
    reply.unsearched = TRY(audit::decode_unsearched(TRY(in.take(TRY(in.u32())))));
    reply.index_end = EntryIndex(TRY(in.u64()));
    reply.listed = TRY(take_entries(in));
    reply.all = TRY(decode_entry_set_code(TRY(in.take(TRY(in.u32()))), kMaxResultSet));
    TRY(in.expect_end());
    return reply;
}

Bytes encode(const NextGeneration& next) {
    Bytes out;
    put_u32(out, next.generation);
    put(out, next.intake_key);
    put(out, next.keyring_hash.view());
    return out;
}

Result<NextGeneration> decode_next_generation(ByteView bytes) {
    ByteReader in(bytes);
    NextGeneration next;
    next.generation = TRY(in.u32());
    next.intake_key = to_bytes(TRY(in.take(32)));
    next.keyring_hash = TRY(Hash::from(TRY(in.take(32))));
    TRY(in.expect_end());
    return next;
}

Bytes encode(const EntrySet& set) {
    Bytes out;
    put_u32(out, static_cast<std::uint32_t>(set.intervals().size()));
    for (const EntrySet::Interval& i : set.intervals()) {
        put_u64(out, i.first.value);
        put_u64(out, i.last.value);
    }
    return out;
}

Result<EntrySet> decode_entry_set(ByteView bytes) {
    ByteReader in(bytes);
    EntrySet set;
    const std::uint32_t count = TRY(take_count(in, 16));
    std::optional<EntryIndex> before;
    for (std::uint32_t i = 0; i < count; ++i) {
        const EntryIndex first = TRY(take_entry(in)), last = TRY(take_entry(in));
        if (last < first || (before && first.value <= before->value))
            return Error(Code::bad_input, "intervals are out of order");
        set.add(first, last);
        before = last;
    }
    TRY(in.expect_end());
    return set;
}

Bytes opener_answer(const Result<Bytes>& answer) {
    Bytes out;
    if (answer.ok()) {
        put_u8(out, 0);
        put(out, *answer);
        return out;
    }
    put_u8(out, 1);
    put_u8(out, static_cast<std::uint8_t>(answer.error().code()));
    put_text(out, answer.error().message());
    put_text(out, answer.error().hint());
    return out;
}

Result<Bytes> decode_opener_answer(ByteView bytes) {
    ByteReader in(bytes);
    const std::uint8_t refused = TRY(in.u8());
    if (refused == 0) return to_bytes(bytes.subspan(1));
    const std::uint8_t code = TRY(in.u8());
    if (refused != 1 || code > static_cast<std::uint8_t>(Code::internal))
        return Error(Code::bad_input, "the opener's answer is not understood");
    std::string text = TRY(take_text(in));
    std::string hint = TRY(take_text(in));
    TRY(in.expect_end());
    return Error(static_cast<Code>(code), std::move(text)).with_hint(std::move(hint));
}

}  // namespace kustos::vault
