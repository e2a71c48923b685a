#include "vault/opener_client.h"

#include "vault/src/opener_asking.h"

namespace kustos::vault {

class RemoteKeys::Grant final : public KeyGrant {
public:
    Grant(LocalSocket socket, EntryIndex entry) : socket_(std::move(socket)), entry_(entry) {}
    EntryIndex access_entry() const override { return entry_; }
    Result<SecretBytes> dek(EntryIndex record) override { return secret_of(TRY(ask(about(OpenerAsk::key, record)))); }
    Result<SecretBytes> blob_dek(EntryIndex record, const BlobRef& blob) override {
        OpenerRequest request = about(OpenerAsk::blob_key, record);
        request.blob = blob.entry;
        request.b = blob.b;
        return secret_of(TRY(ask(request)));
    }

private:
    Result<Bytes> ask(const OpenerRequest& request) {
        if (!socket_.open()) return opener_away();
        auto answer = RemoteKeys::ask(socket_, request);
        if (!answer.ok() && answer.error().code() == Code::closed) socket_ = LocalSocket();  // likewise
        return answer;
    }
    LocalSocket socket_;
    EntryIndex entry_;
};

// Code::closed stands for every way of not being there: who asks goes on as with a closed vault.
Result<Bytes> RemoteKeys::ask(const LocalSocket& socket, const OpenerRequest& request) {
    Bytes bytes = encode(request);
    const bool sent = socket.send_message(bytes);
    wipe(bytes);
    if (!sent) return opener_away();
    auto reply = socket.receive_message(kMaxOpenerMessage * 4);
    if (!reply.ok()) return opener_away();
    auto answer = decode_opener_answer(*reply);
    wipe(*reply);
    return answer;
}

Result<LocalSocket> RemoteKeys::connect() const {
    auto socket = LocalSocket::connect(path_);
    if (!socket.ok()) return opener_away();
    const auto greeting = socket->receive_message(kMaxOpenerMessage);
    if (!greeting.ok()) return opener_away();
    TRY(decode_opener_answer(*greeting));
    OpenerRequest hello = plain(OpenerAsk::hello);
    hello.version = kOpenerProtocol;
    const Bytes vault = TRY(ask(*socket, hello));
    if (expected_ && !equal(vault, expected_->view()))
        return Error(Code::closed, "the opener at this socket works for another archive");
    return std::move(*socket);
}

Result<VaultId> RemoteKeys::vault() const {
    auto socket = LocalSocket::connect(path_);
    if (!socket.ok())
        return Error(Code::environment, "the opener does not answer at " + path_.string())
            .with_hint("start it: kustos opener serve --archive DIR --socket " + path_.string());
    const Bytes greeting = TRY(socket->receive_message(kMaxOpenerMessage));
    TRY(decode_opener_answer(greeting));
    OpenerRequest hello = plain(OpenerAsk::hello);
    hello.version = kOpenerProtocol;
    return VaultId::from(TRY(ask(*socket, hello)));
}

Result<Bytes> RemoteKeys::ask(const OpenerRequest& request) const {
    const std::lock_guard lock(mutex_);
    if (!kept_.open() || kept_.ended()) kept_ = TRY(connect());
    auto answer = ask(kept_, request);
    if (!answer.ok() && answer.error().code() == Code::closed) kept_ = LocalSocket();  // a late answer is nobody's
    return answer;
}

Result<OpenerState> RemoteKeys::look() const {
    return decode_opener_state(TRY(ask(plain(OpenerAsk::state))));
}

bool RemoteKeys::is_open() const {
    const auto state = look();
    return state.ok() && state->open;
}
std::string RemoteKeys::state() const {
    const auto state = look();
    return state.ok() ? state->words : "closed (opener away)";
}
std::uint32_t RemoteKeys::generation() const {
    const auto state = look();
    return state.ok() ? state->generation : 0;
}
std::string RemoteKeys::medium() const {
    const auto state = look();
    return state.ok() ? state->medium : "unknown";
}

std::string RemoteKeys::method() const {
    const std::string words = state();
    const std::size_t from = words.find('(');
    if (words.substr(0, 4) != "open" || from == std::string::npos) return "";
    return words.substr(from + 1, words.rfind(')') - from - 1);
}

Result<KeyCover> RemoteKeys::ahead(const TreeInfo& tree) const {
    OpenerRequest request = plain(OpenerAsk::ahead);
    request.tree = tree.id.value;
    request.leaf = tree.next_leaf;
    const SecretBytes cover = secret_of(TRY(ask(request)));
    return KeyCover::decode(cover.view());
}

Result<SecretBytes> RemoteKeys::dek(EntryIndex index, const audit::EntryHeader& header) const {
    if (header.kind == audit::Kind::control) {
        auto key = ask(about(OpenerAsk::matter, index));
        if (key.ok()) return secret_of(std::move(*key));
        if (key.error().code() != Code::denied) return std::move(key).error();
    }
    {
        const std::lock_guard lock(mutex_);
        if (const auto given = given_.find(header.tree); given != given_.end()) {
            if (auto key = given->second.derive(header.tree, header.leaf)) return std::move(*key);
            return Error(Code::erased, "this record's key was destroyed");
        }
    }
    return Error(Code::closed, "the opener gives keys for access entries alone");
}

Result<SecretBytes> RemoteKeys::shard_key(std::uint32_t) const {
    return Error(Code::closed, "the opener keeps the keys of closed index shards");
}

Result<NextGeneration> RemoteKeys::prepare(const GenerationPlan& plan) {
    OpenerRequest request = plain(OpenerAsk::prepare);
    request.shards.assign(plan.dropped_shards.begin(), plan.dropped_shards.end());
    return decode_next_generation(TRY(ask(request)));
}
Status RemoteKeys::adopt() {
    TRY(ask(plain(OpenerAsk::adopt)));
    return {};
}
Status RemoteKeys::destroy_before(std::uint32_t) {
    TRY(ask(plain(OpenerAsk::destroy)));
    return {};
}

Result<std::pair<EntryIndex, Bytes>> RemoteKeys::store(const LocalSocket& socket, const Bytes& draft,
                                                       const AppendAccess& append) {
    AccessDraft wanted = TRY(decode_access_draft(draft));
    const EntryIndex entry = TRY(append(std::move(wanted.body), TRY(decode_payload(wanted.payload))));
    return std::make_pair(entry, TRY(ask(socket, about(OpenerAsk::stored, entry))));
}

Result<std::unique_ptr<KeyGrant>> RemoteKeys::begin(const Purpose& purpose, const std::vector<EntryIndex>& ids,
                                                    const AppendAccess& append) {
    LocalSocket socket = TRY(connect());
    OpenerRequest request = plain(OpenerAsk::begin);
    request.search.purpose = purpose;
    request.entries = ids;
    const Bytes draft = TRY(ask(socket, request));
    const EntryIndex entry = TRY(store(socket, draft, append)).first;
    return std::unique_ptr<KeyGrant>(std::make_unique<Grant>(std::move(socket), entry));
}

Result<std::pair<std::unique_ptr<KeyGrant>, SearchReply>> RemoteKeys::search(const SearchAsk& wanted,
                                                                             const AppendAccess& append) {
    LocalSocket socket = TRY(connect());
    OpenerRequest request = plain(OpenerAsk::search);
    request.search = wanted;
    if (encode(request).size() > kMaxOpenerMessage)
        return Error(Code::limit, "this result set is too large to be searched with an opener apart")
            .with_hint("freeze a smaller one: kustos search --freeze");
    const Bytes draft = TRY(ask(socket, request));
    const auto [entry, reply] = TRY(store(socket, draft, append));
    SearchReply answer = TRY(decode_search_reply(reply));
    return std::make_pair(std::unique_ptr<KeyGrant>(std::make_unique<Grant>(std::move(socket), entry)),
                          std::move(answer));
}

Status RemoteKeys::check(EntryIndex record) {
    TRY(ask(about(OpenerAsk::check, record)));
    return {};
}
Result<EntrySet> RemoteKeys::accounted() {
    return decode_entry_set(TRY(ask(plain(OpenerAsk::accounted))));
}
Result<std::string> RemoteKeys::status_json() {
    return to_text(TRY(ask(plain(OpenerAsk::status))));
}

}  // namespace kustos::vault
