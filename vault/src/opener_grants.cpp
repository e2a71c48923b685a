// Openings: nothing is handed out before its access entry was found in the ledger (docs/architecture/opener.md).
#include <algorithm>

#include "base/log.h"
#include "vault/entry_set_code.h"
#include "vault/retention.h"
#include "vault/seal.h"
#include "vault/src/key_file.h"
#include "vault/src/opener_state.h"

namespace kustos::vault {

using audit::AccessAction;
using audit::Body;
using audit::Kind;
using audit::Tag;

namespace {

constexpr std::int64_t kPendingFor = 60'000;  // ms
constexpr const char* kDirectoryKind = "directory";
constexpr const char* kCardsAlone = "kind:person";

Error never_asked() {
    return Error(Code::denied, "nothing was asked that this entry could stand for");
}

}  // namespace

OpenerCaller::OpenerCaller(std::shared_ptr<OpenerService::State> state, std::optional<std::uint32_t> peer)
    : kept_(std::move(state)), state_(*kept_), peer_(peer) {
    const std::lock_guard lock(state_.mutex);
    ++state_.sessions;
}

OpenerCaller::~OpenerCaller() {
    const std::lock_guard lock(state_.mutex);
    --state_.sessions;
}

Bytes OpenerCaller::answer(ByteView bytes) {
    auto request = decode_opener_request(bytes);
    if (!request.ok()) return opener_answer(request.error());
    const auto answered = dispatch(*request);
    if (!answered.ok()) log(LogLevel::info, "the opener refused", {{"code", answered.error().code()}});
    return opener_answer(answered);
}

Result<Bytes> OpenerCaller::dispatch(OpenerRequest& request) {
    if (!greeted_ && request.ask != OpenerAsk::hello)
        return Error(Code::usage, "which version of the protocol is spoken?");
    if (request.ask == OpenerAsk::search) return search(request);
    if (request.ask == OpenerAsk::begin) return begin(request);
    if (request.ask == OpenerAsk::accounted) return accounted();
    if (request.ask == OpenerAsk::rewrite) return rewrite(request);
    if (request.ask == OpenerAsk::stored && made_) return shard_stored(request.entry);
    const std::lock_guard lock(state_.mutex);
    state_.expire();
    switch (request.ask) {
        case OpenerAsk::hello:
            if (request.version != kOpenerProtocol)
                return Error(Code::not_in_version, "the opener speaks another version of the protocol")
                    .with_hint("both programs must be of the same release");
            greeted_ = true;
            return to_bytes(state_.view->vault().view());
        case OpenerAsk::state:
            return state_.describe();
        case OpenerAsk::unlock:
            return unlock(request);
        case OpenerAsk::lock:
            return this->lock(request);
        case OpenerAsk::owed:
            return owed();
        case OpenerAsk::rekey:
            return rekey(request);
        case OpenerAsk::leave:
            return leave(request);
        case OpenerAsk::cover:
            return cover(request.tree);
        case OpenerAsk::escrow:
            return escrow(request);
        case OpenerAsk::ahead:
            return state_.ahead(request);
        case OpenerAsk::stored:
            return stored(request.entry);
        case OpenerAsk::key:
            return key(request.entry);
        case OpenerAsk::blob_key:
            return blob_key(request);
        case OpenerAsk::prepare:
            return state_.prepare(request);
        case OpenerAsk::adopt:
            TRY(state_.adopt());
            return Bytes();
        case OpenerAsk::destroy:
            TRY(state_.destroy());
            return Bytes();
        case OpenerAsk::check:
            TRY(state_.look());
            TRY(state_.check_record(request.entry));
            return Bytes();
        case OpenerAsk::matter:
            return state_.matter(request.entry);
        case OpenerAsk::shards:
            return shards();
        case OpenerAsk::status:
            return state_.status();
        case OpenerAsk::begin:
        case OpenerAsk::search:
        case OpenerAsk::accounted:
        case OpenerAsk::rewrite:
            break;
    }
    return Error(Code::bad_input, "the opener does not know this request");
}

// What the matter's scope leaves out is refused here, whatever the caller says of it: the scope is the ledger's.
Result<Bytes> OpenerCaller::begin(const OpenerRequest& request) {
    pending_.reset();
    grant_.reset();
    Purpose purpose = request.search.purpose;
    std::vector<EntryIndex> ids = request.entries;
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    Finder::Ask ask;
    std::uint64_t opening = 0;
    {
        const std::lock_guard lock(state_.mutex);
        state_.expire();
        TRY(may_begin(purpose, ids));
        purpose.scope = TRY(state_.scope_of(purpose));
        TRY(state_.rates.open(purpose.actor, purpose.matter, ids.size()));
        if (purpose.scope.empty()) return propose(std::move(purpose), std::move(ids), std::nullopt);
        if (!state_.options.finder) return Error(Code::not_in_version, "this opener runs no queries");
        ask.query = purpose.scope;
        ask.within = EntrySet(ids);
        ask.erased = TRY(state_.erased_records());
        opening = state_.opening;
    }
    Finder::Found found;
    {
        const std::lock_guard searching(state_.search_mutex);
        found = TRY(state_.options.finder->find(ask, state_.shard_keys()));
    }
    if (found.entries.size() != ids.size())
        return Error(Code::denied, "a record is outside the scope of this matter, or not in the index yet")
            .with_hint("kustos matter scope shows and changes it");
    const std::lock_guard lock(state_.mutex);
    state_.expire();
    if (state_.opening != opening) return vault_closed();
    TRY(may_begin(purpose, ids));
    return propose(std::move(purpose), std::move(ids), std::nullopt);
}

Status OpenerCaller::may_begin(const Purpose& purpose, const std::vector<EntryIndex>& ids) {
    TRY(state_.look());
    if (!state_.holder->is_open()) return vault_closed();
    const Catalog& catalog = state_.view->catalog();
    if (purpose.action == AccessAction::search) return Error(Code::usage, "a search is run here, not told");
    if (ids.empty()) return Error(Code::usage, "nothing was named to be opened");
    if (purpose.action == AccessAction::audit_read) {
        if (ids.size() != 1) return Error(Code::usage, "one entry of the trail is read at a time");
        return state_.options.verifier->allow_trail(purpose, TRY(state_.view->entry(ids.front())).header, catalog);
    }
    TRY(state_.options.verifier->allow(purpose, ids, catalog));
    for (const EntryIndex id : ids) {
        const Error none = Error(Code::not_found, "entry " + std::to_string(id.value) + " is no record")
                               .with_hint("search prints the numbers of records");
        if (id.value >= state_.view->head().size.value) return none;
        const audit::EntryHeader header = TRY(state_.view->unproven_header(id));
        if (header.kind != Kind::record) return none;
        if (!purpose.cards) continue;
        const auto source = catalog.sources().find(header.source);
        if (source == catalog.sources().end() || source->second.kind != kDirectoryKind)
            return Error(Code::denied, "this is no card of an address book");
    }
    return {};
}

Bytes OpenerCaller::propose(Purpose purpose, std::vector<EntryIndex> ids, std::optional<SearchReply> reply) {
    Body body(purpose.action);
    body.put_time(Tag::time, state_.environment.clock.now());
    if (purpose.action == AccessAction::audit_read) {
        body.put_u64(Tag::entry, ids.front().value);
    } else {
        if (purpose.action != audit::AccessAction::index) body.put_u64(Tag::matter, purpose.matter.value);
        body.put_u64(Tag::count, ids.size()).put_hash(Tag::list_root, list_root(ids));
        if (purpose.action != audit::AccessAction::index) body.put_u64(Tag::total, purpose.total);
        if (!purpose.result_set.is_zero()) body.put_hash(Tag::related_hash, purpose.result_set);
    }
    Pending made;
    made.draft = {body.encode(), encode(compose_access(purpose, ids).payload)};
    made.purpose = std::move(purpose);
    made.ids = std::move(ids);
    made.from = state_.view->head().size;
    made.opening = state_.opening;
    made.made_ms = state_.environment.clock.monotonic_ms();
    made.reply = std::move(reply);
    pending_ = std::move(made);
    return encode(pending_->draft);
}

// Runs without the state's lock: others go on meanwhile.
Result<Bytes> OpenerCaller::search(const OpenerRequest& request) {
    pending_.reset();
    grant_.reset();
    if (!state_.options.finder) return Error(Code::not_in_version, "this opener runs no queries");
    Purpose purpose = request.search.purpose;
    if (purpose.action != AccessAction::search && purpose.action != AccessAction::export_)
        return Error(Code::usage, "a query is for a search or an export");
    Finder::Ask ask;
    ask.query = purpose.query;
    ask.by_relevance = request.search.by_relevance;
    ask.german = request.search.german;
    ask.within = request.search.within;
    std::uint64_t opening = 0;
    {
        const std::lock_guard lock(state_.mutex);
        state_.expire();
        TRY(state_.look());
        TRY(state_.options.verifier->allow(purpose, {}, state_.view->catalog()));
        if (!state_.holder->is_open()) return vault_closed();
        TRY(state_.rates.search(purpose.actor, purpose.matter));
        purpose.scope = TRY(state_.scope_of(purpose));
        ask.scope = purpose.cards ? kCardsAlone : purpose.scope;
        ask.sealed = state_.view->catalog().count(Kind::record);
        ask.erased = TRY(state_.erased_records());
        opening = state_.opening;
    }
    Finder::Found found;
    {
        const std::lock_guard searching(state_.search_mutex);
        found = TRY(state_.options.finder->find(ask, state_.shard_keys()));
    }
    SearchReply reply;
    reply.total = found.entries.size();
    reply.coverage = found.coverage;
    reply.unsearched = std::move(found.unsearched);
    reply.index_end = found.end;
    reply.result_set = list_root(found.entries);
    for (std::uint64_t i = request.search.offset;
         i < found.entries.size() && reply.listed.size() < request.search.limit; ++i)
        reply.listed.push_back(found.entries[i]);
    if (request.search.whole) {
        if (reply.total > kMaxResultSet) return Error(Code::limit, "more than 5,000,000 records are no result set");
        std::vector<EntryIndex> all = found.entries;
        std::sort(all.begin(), all.end());
        reply.all = EntrySet(all);
    }
    purpose.total = reply.total;
    purpose.result_set = reply.result_set;
    purpose.coverage = reply.coverage;
    purpose.unsearched = reply.unsearched;
    std::vector<EntryIndex> ids = reply.listed;
    std::sort(ids.begin(), ids.end());
    const std::lock_guard lock(state_.mutex);
    state_.expire();
    if (state_.opening != opening) return vault_closed();
    TRY(state_.options.verifier->allow(purpose, ids, state_.view->catalog()));
    TRY(state_.rates.open(purpose.actor, purpose.matter, ids.size()));
    return propose(std::move(purpose), std::move(ids), std::move(reply));
}

Result<Bytes> OpenerCaller::accounted() {
    if (!state_.options.finder) return Error(Code::not_in_version, "this opener runs no queries");
    {
        const std::lock_guard lock(state_.mutex);
        state_.expire();
        TRY(state_.look());
        if (!state_.holder->is_open()) return vault_closed();
    }
    const std::lock_guard searching(state_.search_mutex);
    return encode(TRY(state_.options.finder->accounted(state_.shard_keys())));
}

// Byte for byte, newer than the question, and openable by whoever may read the trail one day.
Status OpenerCaller::is_what_was_asked(const Pending& asked, EntryIndex index) {
    if (index.value < asked.from.value || state_.served.count(index.value) != 0) return never_asked();
    const audit::Entry entry = TRY(state_.view->entry(index));
    const bool bare = asked.draft.payload.empty();
    if (entry.header.kind != asked.kind || !(entry.header.retention_class == (bare ? kControlClass : kAccessClass)) ||
        entry.header.source.value != 0 || entry.body != asked.draft.body ||
        (entry.header.suite == audit::Suite::none) != bare)
        return never_asked();
    if (bare) return {};
    const SecretBytes dek =
        TRY(asked.opens ? asked.opens->dek(entry.header.tree, entry.header.leaf) : state_.dek(entry.header));
    const OpenedPayload opened = TRY_IN("access entry", state_.open_entry(index, entry, dek.view()));
    if (encode(opened.payload) != asked.draft.payload) return never_asked();
    return {};
}

Result<Bytes> OpenerCaller::stored(EntryIndex index) {
    if (!pending_) return never_asked();
    const Pending asked = std::move(*pending_);
    pending_.reset();
    TRY(state_.look());
    const std::int64_t now = state_.environment.clock.monotonic_ms();
    if (asked.opening != state_.opening || now - asked.made_ms > kPendingFor)
        return Error(Code::closed, "the vault was closed meanwhile, or it took too long").with_hint("ask again");
    TRY(is_what_was_asked(asked, index));
    TRY(state_.view->remember());
    state_.served[index.value] = now;
    if (asked.effect) return asked.effect(index);
    ++state_.grants;
    Grant given;
    given.purpose = asked.purpose;
    given.ids = asked.ids;
    given.opening = asked.opening;
    grant_ = std::move(given);
    return asked.reply ? encode(*asked.reply) : Bytes();
}

Result<OpenerCaller::Grant*> OpenerCaller::grant() {
    if (!grant_) return Error(Code::denied, "there is no access entry for this");
    if (grant_->opening != state_.opening) {
        grant_.reset();
        return vault_closed();
    }
    return &*grant_;
}

// On the entry's list; or, for an export, an access entry of the same matter: who did what there.
Status OpenerCaller::listed(const Grant& grant, EntryIndex index, const audit::Entry& entry) const {
    const bool on_list = std::binary_search(grant.ids.begin(), grant.ids.end(), index);
    const bool trail = grant.purpose.action == AccessAction::audit_read;
    if (on_list && (trail || entry.header.kind == Kind::record)) return {};
    // Who reads the trail of a matter's entry reads its protocol.
    const bool whole = trail && state_.view->catalog().matters().count(grant.ids.front()) != 0;
    if ((whole || grant.purpose.action == AccessAction::export_) && entry.header.kind == Kind::access) {
        const EntryIndex matter = whole ? grant.ids.front() : grant.purpose.matter;
        const auto body = TRY(audit::BodyReader::parse(entry.body));
        if (body.find_u64(Tag::matter) == matter.value) return {};
    }
    return Error(Code::denied, "entry " + std::to_string(index.value) + " is not on this access entry's list");
}

Result<Bytes> OpenerCaller::key(EntryIndex index) {
    const Grant* given = TRY(grant());
    TRY(state_.look());
    const audit::Entry entry = TRY(state_.content_entry(index));
    TRY(listed(*given, index, entry));
    const SecretBytes dek = TRY(state_.dek(entry.header));
    return to_bytes(dek.view());
}

Result<Bytes> OpenerCaller::blob_key(const OpenerRequest& request) {
    Grant* given = TRY(grant());
    TRY(state_.look());
    if (given->blobs.empty() || !(given->opened == request.entry)) {
        const audit::Entry record = TRY(state_.content_entry(request.entry));
        TRY(listed(*given, request.entry, record));
        const SecretBytes dek = TRY(state_.dek(record.header));
        given->blobs = TRY(state_.open_entry(request.entry, record, dek.view())).payload.blobs;
        given->opened = request.entry;
    }
    for (const BlobRef& blob : given->blobs) {
        if (!(blob.entry == request.blob) || blob.b != request.b) continue;
        const audit::Entry entry = TRY(state_.content_entry(blob.entry));
        if (entry.header.kind != Kind::blob || !(entry.header.record == blob.record))
            return Error(Code::corrupt, "a payload refers to an entry that is not its blob");
        const SecretBytes leaf = TRY(state_.dek(entry.header));
        return to_bytes(vault::blob_dek(leaf.view(), blob.b).view());
    }
    return Error(Code::denied, "the record does not refer to this blob");
}

}  // namespace kustos::vault
