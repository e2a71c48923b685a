#include "vault/opener_service.h"

#include <algorithm>

#include "base/log.h"
#include "vault/seal.h"
#include "vault/src/archive_impl.h"
#include "vault/src/key_file.h"
#include "vault/src/opener_state.h"

namespace kustos::vault {

using audit::EntryHeader;
using audit::Kind;
using audit::Suite;

namespace {

constexpr std::int64_t kServedFor = 120'000;   // ms: longer than anything pending lives
constexpr std::uint64_t kFlushEvery = 20'000;  // entries that the next start would have to read again
constexpr std::size_t kMaxRootPage = 64u << 20;

std::string json_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return out + "\"";
}

}  // namespace

Status OpenerService::State::load() {
    view = TRY(LedgerView::open(environment, options.archive, options.state, options.key));
    segments = std::make_unique<audit::SegmentReader>(environment.fs, options.archive / "vault",
                                                      [this](EntryIndex i) { return view->unproven_header(i); });
    flushed = view->head().size;
    const GenerationInfo present = TRY(present_generation());
    holder = TRY(Keyholder::open(environment, options.archive / "keys", view->vault(), present.generation, nullptr));
    mark = TRY(load_opening_mark(environment.fs, options.state, view->vault()));
    if (mark && !mark->owed()) {  // it was open when its process ended
        mark->closed_ms = environment.clock.now().ms;
        mark->why = "opener ended";
        TRY(store_opening_mark(environment.fs, options.state, *mark));
    }
    return {};
}

void OpenerService::State::forget_finder(std::uint64_t now) {
    const std::lock_guard searching(search_mutex);
    if (finder_opening == now) return;
    finder_opening = now;
    if (options.finder) options.finder->forget();
}

void OpenerService::State::expire() {
    const std::int64_t now = environment.clock.monotonic_ms();
    if (until_monotonic != 0 && now >= until_monotonic) {
        lock_now("time");
        log(LogLevel::info, "the vault's time is over: it is closed");
    }
    std::erase_if(served, [now](const auto& s) { return now - s.second > kServedFor; });
}

// The newest one whose root page is the one that its entry names: a generation that the ledger only claims is passed
// over, or a taken-over sealer could have every key destroyed.
Result<GenerationInfo> OpenerService::State::present_generation() const {
    const auto& all = view->catalog().generations();
    for (auto g = all.rbegin(); g != all.rend(); ++g) {
        const auto root =
            read_file(environment.fs, generation_dir(options.archive / "keys", g->generation) / "root", kMaxRootPage);
        if (root.ok() && sha256(*root) == g->keyring_hash) return *g;
    }
    return Error(Code::corrupt, "no generation of the keyring is the one that the ledger names")
        .with_hint("restore keys/ from a backup");
}

Status OpenerService::State::take_generation() {
    const GenerationInfo present = TRY(present_generation());
    if (present.generation == holder->generation()) return {};
    if (next && next->keyring.generation == present.generation && next->keyring_hash == present.keyring_hash) {
        holder->adopt(std::move(*next));
        next.reset();
        return {};
    }
    // It was locked in between: closed again, on the generation that counts.
    lock_now("work");
    holder = TRY(Keyholder::open(environment, options.archive / "keys", view->vault(), present.generation, nullptr));
    return {};
}

Status OpenerService::State::look() {
    const TreeSize before = view->head().size;
    TRY(view->follow());
    return view->head().size == before ? ok_status() : take_generation();
}

Result<SecretBytes> OpenerService::State::dek(const EntryHeader& header) const {
    if (header.suite == Suite::none) return Error(Code::not_found, "this entry has no sealed payload");
    if (view->catalog().forgotten().contains(header.tree, header.leaf))
        return Error(Code::erased, "the key of this record is destroyed: it was erased");
    return holder->dek(header.tree, header.leaf);
}

Result<OpenedPayload> OpenerService::State::open_entry(EntryIndex index, const audit::Entry& entry, ByteView dek) {
    auto ciphertext = segments->ciphertext(index, kMaxInMemory);
    if (!ciphertext.ok() || !(sha256(*ciphertext) == entry.header.ciphertext_hash)) {
        // Compaction may have moved it: what was remembered of the files is looked up anew.
        segments = std::make_unique<audit::SegmentReader>(environment.fs, options.archive / "vault",
                                                          [this](EntryIndex i) { return view->unproven_header(i); });
        ciphertext = segments->ciphertext(index, kMaxInMemory);
    }
    return open_payload(view->vault(), dek, entry.header, entry.body, TRY(std::move(ciphertext)));
}

Result<audit::Entry> OpenerService::State::content_entry(EntryIndex index) const {
    audit::Entry entry = TRY(view->entry(index));
    if (entry.header.suite == Suite::none) return Error(Code::not_found, "this entry has no sealed payload");
    return entry;
}

Status OpenerService::State::check_record(EntryIndex index) {
    const audit::Entry entry = TRY(content_entry(index));
    if (entry.header.kind == Kind::blob) return Error(Code::not_found, "a blob is checked with its record");
    const OpenedPayload opened = TRY(open_entry(index, entry, TRY(dek(entry.header)).view()));
    for (const BlobRef& blob : opened.payload.blobs) {
        const audit::Entry of_blob = TRY(content_entry(blob.entry));
        if (of_blob.header.kind != Kind::blob || !(of_blob.header.record == blob.record))
            return Error(Code::corrupt, "a payload refers to an entry that is not its blob");
        const SecretBytes key = vault::blob_dek(TRY(dek(of_blob.header)).view(), blob.b);
        const Bytes content = TRY(blob_content(TRY(open_entry(blob.entry, of_blob, key.view()))));
        if (content.size() != blob.size || !(sha256(content) == blob.sha256))
            return Error(Code::corrupt, "a blob's content is not what its record says");
    }
    return {};
}

Result<EntrySet> OpenerService::State::erased_records() {
    const auto& runs = view->catalog().erasures().runs();
    for (; erased_runs < runs.size(); ++erased_runs) {
        for (const EntryIndex part : runs[erased_runs].begun) {
            const audit::Entry entry = TRY(view->entry(part));
            const auto ranges = TRY(audit::BodyReader::parse(entry.body)).leaf_ranges();
            if (!ranges) continue;
            for (const audit::LeafRange& r : *ranges) {
                for (std::uint64_t i = r.first_entry.value; i <= r.last_entry.value && i < view->head().size.value;
                     ++i) {
                    const EntryHeader h = TRY(view->unproven_header(EntryIndex(i)));
                    if (h.kind == Kind::record && h.suite != Suite::none && h.tree == r.tree && h.leaf >= r.first &&
                        h.leaf <= r.last)
                        erased.add(EntryIndex(i));
                }
            }
        }
    }
    return erased;
}

Finder::ShardKey OpenerService::State::shard_keys() {
    return [this](std::uint32_t shard) -> Result<SecretBytes> {
        const std::lock_guard lock(mutex);
        expire();
        return holder->shard_key(shard);
    };
}

Result<Bytes> OpenerService::State::describe() {
    OpenerState s;
    const Status looked = look();
    s.open = looked.ok() && holder->is_open();
    s.words = looked.ok() ? holder->state() : "closed (" + looked.error().message() + ")";
    s.generation = holder->generation();
    s.medium = holder->medium();
    s.until_ms = until_wall;
    return encode(s);
}

// Only leaves that no entry uses, whatever the caller says; what it knows to be used and the ledger's files do not show
// yet is left out, too.
Result<Bytes> OpenerService::State::ahead(const OpenerRequest& request) {
    TRY(look());
    const auto known = view->catalog().trees().find(KeyTreeId(request.tree));
    if (known == view->catalog().trees().end()) return Error(Code::not_found, "there is no such key tree");
    TreeInfo tree = known->second;
    tree.next_leaf = std::max(tree.next_leaf, std::min(request.leaf, kTreeLeaves));
    const KeyCover cover = TRY(holder->ahead(tree));
    const SecretBytes encoded = cover.encode();
    return to_bytes(encoded.view());
}

Result<GenerationPlan> OpenerService::State::plan(const OpenerRequest& request) const {
    GenerationPlan plan;
    const Catalog& catalog = view->catalog();
    plan.dropped_shards.insert(request.shards.begin(), request.shards.end());
    for (const auto& [id, tree] : catalog.trees()) plan.trees.push_back(tree);
    for (const auto& [id, shard] : catalog.shards()) plan.shards.push_back(shard);
    std::map<KeyTreeId, std::vector<KeyCover::Leaves>> leaves;
    for (const audit::ErasureRun& run : catalog.erasures().runs()) {
        if (run.done || run.broken || run.begun.size() != run.parts) continue;
        TRY(options.verifier->allow_forgetting(run, catalog));
        for (const EntryIndex part : run.begun) {
            const audit::Entry entry = TRY(view->entry(part));
            const auto ranges = TRY(audit::BodyReader::parse(entry.body)).leaf_ranges();
            if (!ranges) return Error(Code::corrupt, "an erasure's entry does not say what it destroys");
            for (const audit::LeafRange& r : *ranges) leaves[r.tree].push_back({r.first, r.last});
        }
    }
    for (auto& [tree, list] : leaves) {  // ascending, apart
        std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        auto& out = plan.punctured[tree];
        for (const KeyCover::Leaves& l : list) {
            if (!out.empty() && l.first.value <= out.back().last.value) {
                out.back().last = std::max(out.back().last, l.last);
            } else {
                out.push_back(l);
            }
        }
    }
    return plan;
}

Result<Bytes> OpenerService::State::prepare(const OpenerRequest& request) {
    TRY(look());
    if (!holder->is_open()) return vault_closed();
    const GenerationPlan wanted = TRY(plan(request));
    // The sealer's run waits, as for an opener that is away.
    if (const Status there = holder->ready(); !there.ok()) return Error(Code::closed, there.error().message());
    for (const auto& [tree, list] : wanted.punctured) holder->puncture(tree, list);
    next = TRY(holder->prepare(wanted));
    return encode(
        NextGeneration{next->keyring.generation, to_bytes(next->keyring.intake.public_key.view()), next->keyring_hash});
}

Status OpenerService::State::adopt() {
    TRY(look());
    TRY(take_generation());
    if (next) return Error(Code::conflict, "the ledger does not name the generation that was prepared");
    return {};
}

Status OpenerService::State::destroy() {
    TRY(look());
    TRY(take_generation());
    TRY(view->remember());
    if (const Status gone = holder->destroy_before(holder->generation()); !gone.ok())
        return holder->ready().ok() ? gone : Status(Error(Code::closed, gone.error().message()));
    return holder->is_open() ? holder->remove_noise() : ok_status();
}

Result<Bytes> OpenerService::State::matter(EntryIndex index) {
    TRY(look());
    const Error denied(Code::denied, "this entry is no matter's own");
    if (index.value >= view->head().size.value) return denied;
    const auto action = audit::control_action(TRY(view->entry(index)));
    if (!action || !is_of_matter(*action)) return denied;
    const audit::Entry entry = TRY(content_entry(index));
    return to_bytes(TRY(dek(entry.header)).view());
}

Result<std::string> OpenerService::State::scope_of(const Purpose& purpose) {
    if (purpose.cards || purpose.action == audit::AccessAction::audit_read ||
        purpose.action == audit::AccessAction::index)
        return std::string();
    const auto book = view->catalog().matter_book();
    const auto& changes = book->scopes(purpose.matter);
    const EntryIndex at = changes.empty() ? purpose.matter : changes.back();
    const audit::Entry entry = TRY_IN("the matter's scope", content_entry(at));
    const SecretBytes key = TRY_IN("the matter's scope", dek(entry.header));
    return field_text(TRY_IN("the matter's scope", open_entry(at, entry, key.view())), PathCode::scope);
}

Result<Bytes> OpenerService::State::status() {
    const Status looked = look();
    std::string out = "{\"open\":" + std::string(holder->is_open() ? "true" : "false");
    out += ",\"vault\":" + json_text(holder->state());
    out += ",\"open_until_ms\":" + std::to_string(until_wall);
    out += ",\"closing_owed\":" + std::string(mark && mark->owed() ? "true" : "false");
    out += ",\"generation\":" + std::to_string(holder->generation());
    out += ",\"ledger_size\":" + std::to_string(view->head().size.value);
    out += ",\"ledger\":" + json_text(looked.ok() ? "ok" : looked.error().message());
    out += ",\"sessions\":" + std::to_string(sessions);
    out += ",\"grants\":" + std::to_string(grants);
    out += ",\"records_last_hour\":" + std::to_string(rates.records_last_hour());
    out += ",\"refused_by_rate\":" + std::to_string(rates.refused());
    out += ",\"limits\":{\"records_per_hour\":" + std::to_string(rates.rules().records_per_hour);
    out += ",\"openings_per_minute\":" + std::to_string(rates.rules().openings_per_minute);
    out += ",\"searches_per_minute\":" + std::to_string(rates.rules().searches_per_minute) + "}";
    out += ",\"walls\":" + json_text(options.walls ? options.walls() : "") + "}";
    return to_bytes(out);
}

OpenerService::OpenerService(std::shared_ptr<State> state) : state_(std::move(state)) {}
OpenerService::~OpenerService() = default;

Result<std::unique_ptr<OpenerService>> OpenerService::open(Environment environment, OpenerServiceOptions options) {
    if (!options.verifier) options.verifier = std::make_unique<LedgerGrants>(options.rules.records_per_hour);
    auto state = std::make_shared<State>(environment, std::move(options));
    TRY(state->load());
    return std::unique_ptr<OpenerService>(new OpenerService(std::move(state)));
}

const VaultId& OpenerService::vault() const {
    return state_->view->vault();
}
const audit::VerifierKey& OpenerService::ledger_key() const {
    return state_->view->key();
}

void OpenerService::set_walls(std::function<std::string()> walls) {
    const std::lock_guard lock(state_->mutex);
    state_->options.walls = std::move(walls);
}

void OpenerService::tick() {
    std::uint64_t opening = 0;
    {
        const std::lock_guard lock(state_->mutex);
        state_->expire();
        opening = state_->opening;
        if (state_->view->head().size.value >= state_->flushed.value + kFlushEvery) {
            state_->flushed = state_->view->head().size;
            if (const Status done = state_->view->flush(); !done.ok())
                log(LogLevel::warning, "the opener's state was not written", {{"code", done.error().code()}});
        }
    }
    state_->forget_finder(opening);
}

Status OpenerService::flush() {
    const std::lock_guard lock(state_->mutex);
    return state_->view->flush();
}

std::unique_ptr<OpenerService::Caller> OpenerService::connect(std::optional<std::uint32_t> peer) {
    return std::make_unique<OpenerCaller>(state_, peer);
}

}  // namespace kustos::vault
