#include "vault/opener_orders.h"

#include <set>

#include "base/bytes.h"
#include "base/text.h"
#include "vault/opener_protocol.h"

namespace kustos::vault {

namespace {

constexpr std::size_t kMostOrders = 16, kMostGenerations = 10'000;

// Wipes what it wrote into ordinary memory.
class OrderWriter {
public:
    ~OrderWriter() { wipe(out_); }
    OrderWriter& u8(std::uint8_t v) { return put_u8(out_, v), *this; }
    OrderWriter& u32(std::uint64_t v) { return put_u32(out_, static_cast<std::uint32_t>(v)), *this; }
    OrderWriter& u64(std::uint64_t v) { return put_u64(out_, v), *this; }
    OrderWriter& raw(ByteView v) { return put(out_, v), *this; }
    OrderWriter& bytes(ByteView v) {
        u32(v.size());
        return raw(v);
    }
    OrderWriter& text(std::string_view v) { return bytes(as_bytes(v)); }
    SecretBytes done() const { return SecretBytes(ByteView(out_)); }

private:
    Bytes out_ = reserved();
    static Bytes reserved() {
        Bytes out;
        out.reserve(std::size_t{256} * 1024);
        return out;
    }
};

Result<SecretBytes> take_secret(ByteReader& in) {
    const std::uint32_t size = TRY(in.u32());
    if (size > kMaxSecretBytes) return Error(Code::bad_input, "a secret is too long");
    return SecretBytes(TRY(in.take(size)));
}
Result<std::string> take_text(ByteReader& in) {
    const std::uint32_t size = TRY(in.u32());
    if (size > kMaxOpenerText) return Error(Code::bad_input, "a text is too long");
    return to_text(TRY(in.take(size)));
}
Result<std::uint32_t> take_count(ByteReader& in, std::size_t most) {
    const std::uint32_t count = TRY(in.u32());
    if (count > most) return Error(Code::bad_input, "a list is too long");
    return count;
}
Result<SlotKind> take_kind(ByteReader& in) {
    const std::uint8_t kind = TRY(in.u8());
    if (kind < 1 || kind > static_cast<std::uint8_t>(SlotKind::pkcs11))
        return Error(Code::bad_input, "no such kind of slot");
    return static_cast<SlotKind>(kind);
}
Result<bool> take_flag(ByteReader& in) {
    const std::uint8_t flag = TRY(in.u8());
    if (flag > 1) return Error(Code::bad_input, "a flag is neither 0 nor 1");
    return flag == 1;
}

}  // namespace

SecretBytes encode(const RekeyOrder& o) {
    OrderWriter out;
    out.bytes(o.secret.view()).text(o.actor).u32(o.add.size());
    for (const SlotOrder& s : o.add) {
        out.u8(static_cast<std::uint8_t>(s.kind)).u32(s.threshold).u32(s.count).text(s.address);
        out.bytes(s.passphrase.view()).bytes(s.pin.view()).bytes(s.owner.view());
    }
    out.u32(o.remove.size());
    for (const SlotKind kind : o.remove) out.u8(static_cast<std::uint8_t>(kind));
    return out.done();
}

Result<RekeyOrder> decode_rekey_order(ByteView bytes) {
    ByteReader in(bytes);
    RekeyOrder o;
    o.secret = TRY(take_secret(in));
    o.actor = TRY(take_text(in));
    o.add.resize(TRY(take_count(in, kMostOrders)));
    for (SlotOrder& s : o.add) {
        s.kind = TRY(take_kind(in));
        s.threshold = TRY(in.u32());
        s.count = TRY(in.u32());
        s.address = TRY(take_text(in));
        s.passphrase = TRY(take_secret(in));
        s.pin = TRY(take_secret(in));
        s.owner = TRY(take_secret(in));
    }
    o.remove.resize(TRY(take_count(in, kMostOrders)));
    for (SlotKind& kind : o.remove) kind = TRY(take_kind(in));
    TRY(in.expect_end());
    return o;
}

SecretBytes encode(const std::vector<Share>& shares) {
    OrderWriter out;
    out.u32(shares.size());
    for (const Share& s : shares) out.u32(s.set).u32(s.threshold).u32(s.count).u32(s.number).raw(s.value.view());
    return out.done();
}

Result<std::vector<Share>> decode_shares(ByteView bytes) {
    ByteReader in(bytes);
    std::vector<Share> shares(TRY(take_count(in, kMostShares)));
    for (Share& s : shares) {
        s.set = TRY(in.u32());
        s.threshold = TRY(in.u32());
        s.count = TRY(in.u32());
        s.number = TRY(in.u32());
        s.value = SecretBytes(TRY(in.take(kShareBytes)));
    }
    TRY(in.expect_end());
    return shares;
}

SecretBytes encode(const LeaveOrder& o) {
    OrderWriter out;
    out.bytes(o.secret.view()).text(o.actor).text(o.ground).u32(o.approvers.size());
    for (const std::string& name : o.approvers) out.text(name);
    out.u64(o.size);
    return out.done();
}

Result<LeaveOrder> decode_leave_order(ByteView bytes) {
    ByteReader in(bytes);
    LeaveOrder o;
    o.secret = TRY(take_secret(in));
    o.actor = TRY(take_text(in));
    o.ground = TRY(take_text(in));
    o.approvers.resize(TRY(take_count(in, kMostOrders)));
    for (std::string& name : o.approvers) name = TRY(take_text(in));
    o.size = TRY(in.u64());
    TRY(in.expect_end());
    return o;
}

Status two_people(const std::vector<std::string>& approvers) {
    std::set<std::string> people;
    for (const std::string& name : approvers) {
        std::string plain;
        for (const char c : fold(name)) {
            if (c != ' ' && c != '\t') plain.push_back(c);
        }
        if (!plain.empty()) people.insert(plain);
    }
    if (people.size() >= 2) return {};
    return Error(Code::denied, "giving the whole archive away with its keys needs two different people")
        .with_hint("--approver NAME --approver NAME");
}

SecretBytes encode(const EscrowOrder& o) {
    OrderWriter out;
    out.u8(static_cast<std::uint8_t>(o.kind)).u8(o.first ? 1 : 0).u32(o.generation);
    out.u64(static_cast<std::uint64_t>(o.time.ms));
    return out.done();
}

Result<EscrowOrder> decode_escrow_order(ByteView bytes) {
    ByteReader in(bytes);
    EscrowOrder o;
    const std::uint8_t kind = TRY(in.u8());
    if (kind < 1 || kind > static_cast<std::uint8_t>(EscrowOrder::Kind::remove_superseded))
        return Error(Code::bad_input, "no such order to the escrow");
    o.kind = static_cast<EscrowOrder::Kind>(kind);
    o.first = TRY(take_flag(in));
    o.generation = TRY(in.u32());
    o.time.ms = static_cast<std::int64_t>(TRY(in.u64()));
    TRY(in.expect_end());
    return o;
}

Bytes encode(const std::vector<EscrowedGeneration>& list) {
    Bytes out;
    put_u32(out, static_cast<std::uint32_t>(list.size()));
    for (const EscrowedGeneration& g : list) {
        put_u32(out, g.generation);
        put_u64(out, static_cast<std::uint64_t>(g.stored.ms));
        put(out, g.root.view());
    }
    return out;
}

Result<std::vector<EscrowedGeneration>> decode_escrow_list(ByteView bytes) {
    ByteReader in(bytes);
    std::vector<EscrowedGeneration> list(TRY(take_count(in, kMostGenerations)));
    for (EscrowedGeneration& g : list) {
        g.generation = TRY(in.u32());
        g.stored.ms = static_cast<std::int64_t>(TRY(in.u64()));
        g.root = TRY(Hash::from(TRY(in.take(32))));
    }
    TRY(in.expect_end());
    return list;
}

SecretBytes encode(const RewriteOrder& o) {
    Bytes out{static_cast<std::uint8_t>(o.merge ? 1 : 0)};
    put(out, encode(o.reindex));
    return SecretBytes(ByteView(out));
}

Result<RewriteOrder> decode_rewrite_order(ByteView bytes) {
    ByteReader in(bytes);
    RewriteOrder o;
    o.merge = TRY(take_flag(in));
    o.reindex = TRY(decode_entry_set(TRY(in.take(in.remaining()))));
    return o;
}

Bytes encode(const RewriteStep& step) {
    Bytes out;
    if (step.wanted) {
        put_u8(out, 1);
        put_u32(out, step.wanted->shard);
        for (const Bytes* part : {&step.wanted->box, &step.wanted->body}) {
            put_u32(out, static_cast<std::uint32_t>(part->size()));
            put(out, *part);
        }
        return out;
    }
    const RewriteDone& d = step.done;
    put_u8(out, 0);
    for (const std::uint64_t n : {d.looked_at, d.rewritten, d.joined, d.written, d.documents_dropped, d.words_dropped})
        put_u64(out, n);
    put_u32(out, static_cast<std::uint32_t>(d.gone.size()));
    for (const std::uint32_t shard : d.gone) put_u32(out, shard);
    return out;
}

Result<RewriteStep> decode_rewrite_step(ByteView bytes) {
    ByteReader in(bytes);
    RewriteStep step;
    if (TRY(take_flag(in))) {
        ShardWanted w;
        w.shard = TRY(in.u32());
        w.box = to_bytes(TRY(in.take(TRY(in.u32()))));
        w.body = to_bytes(TRY(in.take(TRY(in.u32()))));
        step.wanted = std::move(w);
    } else {
        RewriteDone& d = step.done;
        for (std::uint64_t* n :
             {&d.looked_at, &d.rewritten, &d.joined, &d.written, &d.documents_dropped, &d.words_dropped})
            *n = TRY(in.u64());
        d.gone.resize(TRY(take_count(in, kMaxListed)));
        for (std::uint32_t& shard : d.gone) shard = TRY(in.u32());
    }
    TRY(in.expect_end());
    return step;
}

}  // namespace kustos::vault
