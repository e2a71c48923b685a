// What changes at an opener apart: opened and closed, new slots, the whole archive given away, the escrow. Each on a
// connection of its own, and behind its entry.
#include "vault/opener_client.h"
#include "vault/src/opener_asking.h"

namespace kustos::vault {

Status RemoteKeys::unlock(const UnlockSecret&) {
    return Error(Code::usage, "an opener apart is opened behind an entry");
}

void RemoteKeys::lock() {
    OpenerRequest request = plain(OpenerAsk::lock);
    request.why = "work";
    request.now = true;
    static_cast<void>(ask(request).ok());  // away: closed already
}

Status RemoteKeys::store_control(const LocalSocket& socket, const Bytes& draft, const AppendControl& append) {
    AccessDraft wanted = TRY(decode_access_draft(draft));
    std::optional<Payload> content;
    if (!wanted.payload.empty()) content = TRY(decode_payload(wanted.payload));
    const EntryIndex entry = TRY(append(std::move(wanted.body), std::move(content)));
    TRY(ask(socket, about(OpenerAsk::stored, entry)));
    return {};
}

Status RemoteKeys::settle_owed(const AppendControl& append) {
    const LocalSocket socket = TRY(connect());
    const Bytes draft = TRY(ask(socket, plain(OpenerAsk::owed)));
    return draft.empty() ? ok_status() : store_control(socket, draft, append);
}

Status RemoteKeys::open_noted(const UnlockSecret& secret, std::uint32_t seconds, const std::string& actor,
                              const AppendControl& append) {
    TRY(settle_owed(append));
    const LocalSocket socket = TRY(connect());
    OpenerRequest request = plain(OpenerAsk::unlock);
    request.secret = encode_secret(secret);
    request.seconds = seconds;
    request.actor = actor;
    return store_control(socket, TRY(ask(socket, request)), append);
}

Status RemoteKeys::close_noted(const std::string& actor, std::string_view why, const AppendControl& append) {
    const LocalSocket socket = TRY(connect());
    OpenerRequest request = plain(OpenerAsk::lock);
    request.actor = actor;
    request.why = std::string(why);
    const Bytes draft = TRY(ask(socket, request));
    return draft.empty() ? ok_status() : store_control(socket, draft, append);
}

Status RemoteKeys::rekey(const RekeyOrder& order, const std::function<Status(const std::vector<Share>&)>& hand_out,
                         const AppendControl& append) {
    const LocalSocket socket = TRY(connect());
    Bytes answer = TRY(ask(socket, ordered(OpenerAsk::rekey, encode(order))));
    ByteReader in(answer);
    const Bytes draft = to_bytes(TRY(in.take(TRY(in.u32()))));
    auto shares = decode_shares(TRY(in.take(in.remaining())));
    wipe(answer);
    const std::vector<Share> made = TRY(std::move(shares));
    if (!made.empty()) TRY(hand_out(made));
    return store_control(socket, draft, append);
}

Status RemoteKeys::give_away(const LeaveOrder& order, const std::vector<KeyTreeId>& trees,
                             const AppendControl& append) {
    const LocalSocket socket = TRY(connect());
    TRY(store_control(socket, TRY(ask(socket, ordered(OpenerAsk::leave, encode(order)))), append));
    std::map<KeyTreeId, KeyCover> given;
    for (const KeyTreeId tree : trees) {
        OpenerRequest request = plain(OpenerAsk::cover);
        request.tree = tree.value;
        auto cover = ask(socket, request);
        if (!cover.ok() && cover.error().code() == Code::erased) continue;
        const SecretBytes bytes = secret_of(TRY(std::move(cover)));
        given.emplace(tree, TRY(KeyCover::decode(bytes.view())));
    }
    const std::lock_guard lock(mutex_);
    given_ = std::move(given);
    return {};
}

Result<SecretBytes> RemoteKeys::surviving(KeyTreeId tree) const {
    const std::lock_guard lock(mutex_);
    if (given_.empty()) return Error(Code::closed, "the opener gives no key tree away but for an exit export");
    const auto given = given_.find(tree);
    if (given == given_.end()) return Error(Code::erased, "the keys of this part are destroyed");
    return given->second.encode();
}

namespace {
// Minutes may pass before the answer; the end of the opener is an answer, too.
Result<Bytes> ask_patiently(const LocalSocket& socket, const OpenerRequest& request) {
    if (!socket.send_message(encode(request))) return opener_away();
    while (!socket.readable(1'000)) {
    }
    const auto reply = socket.receive_message(kMaxOpenerMessage);
    if (!reply.ok()) return opener_away();
    return decode_opener_answer(*reply);
}
}  // namespace

Result<RewriteDone> RemoteKeys::rewrite(const RewriteOrder& order,
                                        const std::function<Result<EntryIndex>(const ShardWanted&)>& store) {
    const LocalSocket socket = TRY(connect());
    RewriteStep step = TRY(decode_rewrite_step(TRY(ask_patiently(socket, ordered(OpenerAsk::rewrite, encode(order))))));
    while (step.wanted) {
        const EntryIndex entry = TRY(store(*step.wanted));
        step = TRY(decode_rewrite_step(TRY(ask_patiently(socket, about(OpenerAsk::stored, entry)))));
    }
    return std::move(step.done);
}

Result<std::vector<std::uint32_t>> RemoteKeys::living_shards() {
    const Bytes answer = TRY(ask(plain(OpenerAsk::shards)));
    ByteReader in(answer);
    std::vector<std::uint32_t> shards;
    while (!in.at_end()) shards.push_back(TRY(in.u32()));
    return shards;
}

// The medium as the opener sees it: it reads and writes there, and nothing of e_n passes through here.
class RemoteKeys::Escrow final : public EscrowTarget {
public:
    explicit Escrow(RemoteKeys& keys) : keys_(keys) {}
    Status reachable(bool first) override { return order({EscrowOrder::Kind::reachable, first, 0, {}}); }
    Status store(std::uint32_t generation, ByteView, UtcTime, bool first) override {
        return order({EscrowOrder::Kind::store, first, generation, {}});
    }
    Status refresh() override { return order({EscrowOrder::Kind::refresh, false, 0, {}}); }
    Result<std::vector<EscrowedGeneration>> generations() override {
        return decode_escrow_list(TRY(ask({EscrowOrder::Kind::list, false, 0, {}})));
    }
    Status remove_superseded(UtcTime time) override {
        return order({EscrowOrder::Kind::remove_superseded, false, 0, time});
    }

private:
    Result<Bytes> ask(const EscrowOrder& order) { return keys_.ask(ordered(OpenerAsk::escrow, vault::encode(order))); }
    Status order(const EscrowOrder& what) {
        TRY(ask(what));
        return {};
    }
    RemoteKeys& keys_;
};

std::unique_ptr<EscrowTarget> RemoteKeys::escrow_apart() {
    return std::make_unique<Escrow>(*this);
}

}  // namespace kustos::vault
