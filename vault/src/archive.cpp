#include "vault/archive.h"

#include <algorithm>
#include <atomic>
#include <chrono>

#include "audit/checkpoint.h"
#include "audit/committer.h"
#include "audit/key_history.h"
#include "audit/tsa_authority.h"
#include "base/log.h"
#include "vault/derived.h"
#include "vault/duplicates.h"
#include "vault/retention.h"
#include "vault/seal.h"
#include "vault/src/key_store.h"
#include "vault/src/workers.h"

namespace kustos::vault {

using audit::Body;
using audit::ControlAction;
using audit::EntryHeader;
using audit::Kind;
using audit::Suite;
using audit::Tag;

namespace {

constexpr std::size_t kBatchEntries = 512;
constexpr std::uint64_t kBatchBytes = 1u << 20;
// Tiles go to the disk and the staging log is emptied, in the background: after so long without a batch, and under a
// steady stream every so often.
constexpr auto kSettleAfter = std::chrono::milliseconds(250), kSettleEvery = std::chrono::milliseconds(1'000);
// A disk that is nearly full takes no more records; what remains is for control, access and erasure entries, which must
// go on to be stored. Below the second figure nothing is taken.
constexpr std::uint64_t kReserve = 256u << 20, kLastReserve = 32u << 20;
constexpr std::size_t kQueueDrafts = 8192;        // above: overloaded
constexpr std::uint64_t kMaxInMemory = 1u << 30;  // ciphertext of one entry

struct Request {
    std::vector<Draft> drafts;
    bool settle = false;  // afterwards
    std::uint64_t bytes = 0;
    std::promise<Result<std::vector<Receipt>>> promise;
};

std::uint64_t size_of(const Draft& draft) {
    return draft.body.size() + (draft.content ? draft.content->approximate_size() : 0);
}

}  // namespace

class ArchiveImpl {
public:
    ArchiveImpl(Environment e, Path d, Path s) : env(e), dir(std::move(d)), state(std::move(s)) {}
    ~ArchiveImpl() { stop(); }

    Environment env;
    Path dir, state;
    std::optional<FileLock> lock;
    std::unique_ptr<audit::Signer> signer;
    VaultId vault;
    std::string origin, vkey;
    std::uint32_t continuation = 0;
    const audit::LedgerReader* reader = nullptr;  // the committer's
    std::unique_ptr<audit::SegmentReader> segments;
    std::unique_ptr<KeyStore> keys;
    std::unique_ptr<DerivedStore> derived;

    // --- the committer's own ---
    std::map<std::pair<ClassCode, std::uint16_t>, KeyTreeId> open_trees;
    std::map<KeyTreeId, std::uint32_t> next_leaf;
    std::uint32_t newest_tree = 0;
    std::optional<DuplicateStore> duplicates;
    Workers workers{std::min(4u, std::max(1u, std::thread::hardware_concurrency())) - 1};  // seal with it
    std::unique_ptr<audit::Committer> log;                                                 // uses duplicates

    // --- shared ---
    mutable std::mutex catalog_mutex;
    std::optional<Catalog> catalog;  // guarded by catalog_mutex
    audit::TreeHead head_value;      // guarded by catalog_mutex
    std::string head_note;           // guarded by catalog_mutex

    std::mutex queue_mutex;
    std::condition_variable queue_filled;
    std::deque<Request> queue;      // guarded by queue_mutex
    std::size_t queued_drafts = 0;  // guarded by queue_mutex
    bool stopping = false;          // guarded by queue_mutex
    std::atomic<bool> failed{false};
    std::thread committer;
    std::mutex publish_mutex;
    bool forgotten_named = false;  // guarded by publish_mutex
    std::mutex source_mutex;

    // Leaves in use by entries that the indexer has not finished with.
    struct Unindexed {
        EntryIndex index;
        KeyTreeId tree;
        LeafNumber leaf;
        std::int64_t sealed_ms;
    };
    std::mutex unindexed_mutex;
    std::deque<Unindexed> unindexed;  // guarded by unindexed_mutex

    Status load(const std::optional<SecretBytes>& passphrase);
    Result<SecretBytes> load_catalog_key();
    void start() {
        committer = std::thread([this] { run(); });
    }
    void stop() {
        {
            const std::lock_guard guard(queue_mutex);
            stopping = true;
        }
        queue_filled.notify_all();
        if (committer.joinable()) committer.join();
        const std::lock_guard guard(catalog_mutex);
        if (failed) return;
        if (catalog) (void)catalog->flush().ok();
        if (log) (void)log->settle().ok();  // the next start has nothing to finish
    }
    void run();
    std::mutex why_mutex;
    std::optional<Error> why_failed;  // guarded by why_mutex
    void end(const Error& why) {
        {
            const std::lock_guard guard(why_mutex);
            if (!why_failed) why_failed = why;
        }
        if (failed.exchange(true)) return;
        kustos::log(LogLevel::error, "the writer has ended", {{"code", why.code()}});
    }
    Result<std::vector<std::vector<Receipt>>> commit(std::vector<Request>& requests);

    struct Batch;
    Status add_drafts(Batch& batch, std::span<Draft> drafts, std::span<Receipt> receipts);
    Status number(Batch& batch, Draft& draft, Receipt& receipt);
    Status seal_and_append(Batch& batch);
    Result<std::pair<KeyTreeId, LeafNumber>> take_leaf(Batch& batch, ClassCode retention_class);
};

// One batch on its way: nothing of it counts until the signer has agreed.
struct ArchiveImpl::Batch {
    EntryIndex next;
    std::vector<audit::Entry> entries;           // for the catalog
    std::map<SourceId, std::uint64_t> sequence;  // next numbers
    std::map<std::pair<SourceId, Hash>, EntryIndex> seen;
    std::vector<Unindexed> leaves;
    std::vector<std::pair<KeyTreeId, LeafNumber>> done_leaves;  // of entries that are never indexed

    // Numbered, and not handed to the committer yet. dek: empty without a payload; blob: null for the draft's own
    // entry.
    struct Numbered {
        audit::Entry entry;
        SecretBytes dek;
        const Draft* draft = nullptr;
        const BlobDraft* blob = nullptr;
        std::array<std::uint8_t, 32> b{};
        Receipt* receipt = nullptr;
        Bytes ciphertext = {};
        Status sealed = {};
    };
    std::vector<Numbered> numbered;
    std::uint64_t numbered_bytes = 0;
};

namespace {

Hash fingerprint_of(const std::string& vkey) {
    return sha256(as_bytes(vkey));
}

Error disk_full() {
    return Error(Code::environment, "the disk is nearly full: nothing was taken")
        .with_hint("make room; it goes on by itself. 256 MiB are kept for entries about access, control and erasure");
}

Error ended(const Error& why) {
    return Error(Code::read_only, "the writer has ended and nothing more is acknowledged: " + why.message())
        .with_hint("check disk and space, then start again; recovery runs by itself");
}

}  // namespace

// Numbers in order, by this thread; then keys apart from each other, so that every core can seal; then in order again.
// A piece at a time: what is sealed and not written yet stays small.
Status ArchiveImpl::add_drafts(Batch& batch, std::span<Draft> drafts, std::span<Receipt> receipts) {
    for (std::size_t i = 0; i < drafts.size(); ++i) {
        batch.numbered_bytes += size_of(drafts[i]);
        TRY(number(batch, drafts[i], receipts[i]));
        if (batch.numbered_bytes >= kBatchBytes) TRY(seal_and_append(batch));
    }
    return {};
}

Status ArchiveImpl::seal_and_append(Batch& batch) {
    workers.for_each(batch.numbered.size(), [&](std::size_t i) {
        Batch::Numbered& n = batch.numbered[i];
        EntryHeader& header = n.entry.header;
        if (n.dek.size() != 0) {
            auto sealed = n.blob != nullptr
                              ? seal_blob(vault, n.dek.view(), header, *n.blob, n.b)
                              : seal_payload(vault, n.dek.view(), header, n.entry.body, n.draft->content->payload);
            if (sealed.ok()) {
                header = sealed->header;
                n.ciphertext = std::move(sealed->ciphertext);
            } else {
                n.sealed = sealed.error();
            }
        }
        if (n.receipt != nullptr) n.receipt->leaf = audit::leaf_hash(audit::encode(n.entry));
    });
    for (Batch::Numbered& n : batch.numbered) {
        TRY(n.sealed);
        TRY(log->add(n.entry, n.ciphertext));
        batch.entries.push_back(std::move(n.entry));
    }
    batch.numbered.clear();
    batch.numbered_bytes = 0;
    return {};
}

Result<std::pair<KeyTreeId, LeafNumber>> ArchiveImpl::take_leaf(Batch& batch, ClassCode retention_class) {
    std::uint16_t year = 0;
    {
        const std::lock_guard guard(catalog_mutex);
        year = expiry_year(catalog->retention()->classes(), retention_class, env.clock.now());
    }
    const auto key = std::make_pair(retention_class, year);
    auto found = open_trees.find(key);
    if (found == open_trees.end() || next_leaf[found->second] >= audit::kLeavesPerKeyTree) {
        const KeyTreeId tree(newest_tree + 1);
        const KeyStore::NewTree made = TRY(keys->new_tree(tree));
        newest_tree = tree.value;
        std::uint32_t generation = 1;
        {
            const std::lock_guard guard(catalog_mutex);
            if (!catalog->generations().empty()) generation = catalog->generations().back().generation;
        }
        Body body(ControlAction::tree_opened);
        body.put_time(Tag::time, env.clock.now())
            .put_u16(Tag::retention_class, retention_class.value)
            .put_u32(Tag::tree, tree.value)
            .put_u16(Tag::year, year)
            .put_u32(Tag::generation, generation)
            .put_hash(Tag::box_hash, made.box_hash)
            .put_hash(Tag::key_check, made.key_check);
        EntryHeader header;
        header.kind = Kind::control;
        header.retention_class = kControlClass;
        header.sequence = batch.sequence[SourceId(0)]++;
        header.record = env.random.make<RecordId>();
        Batch::Numbered opened;
        opened.entry = {header, body.encode()};
        batch.numbered.push_back(std::move(opened));
        batch.next.value += 1;
        next_leaf[tree] = 0;
        found = open_trees.insert_or_assign(key, tree).first;
    }
    return std::make_pair(found->second, LeafNumber(next_leaf[found->second]++));
}

Status ArchiveImpl::number(Batch& batch, Draft& draft, Receipt& receipt) {
    if (draft.duplicate) {
        const auto key = std::make_pair(draft.source, *draft.duplicate);
        std::optional<EntryIndex> earlier;
        if (const auto seen = batch.seen.find(key); seen != batch.seen.end()) {
            earlier = seen->second;
        } else {
            earlier = TRY(duplicates->find(draft.source, *draft.duplicate));
        }
        if (earlier) {
            receipt.duplicate = true;
            receipt.index = *earlier;
            return {};
        }
    }
    if (draft.content) {
        for (BlobDraft& blob : draft.content->blobs) {
            const auto [tree, leaf] = TRY(take_leaf(batch, draft.retention_class));
            EntryHeader header;
            header.kind = Kind::blob;
            header.suite = Suite::aes256_gcm;
            header.retention_class = draft.retention_class;
            header.source = draft.source;
            header.sequence = batch.sequence[draft.source]++;
            header.record = env.random.make<RecordId>();
            header.tree = tree;
            header.leaf = leaf;
            Batch::Numbered n;
            n.dek = TRY(keys->forward_dek(tree, leaf));
            env.random.fill(n.b);
            draft.content->set_blob(blob, batch.next, header.record, n.b);
            batch.leaves.push_back({batch.next, tree, leaf, env.clock.monotonic_ms()});
            n.entry.header = header;
            n.draft = &draft;
            n.blob = &blob;
            batch.numbered.push_back(std::move(n));
            batch.next.value += 1;
        }
    }
    EntryHeader header;
    header.kind = draft.kind;
    header.retention_class = draft.retention_class;
    header.source = draft.source;
    header.record = env.random.make<RecordId>();
    Bytes body = std::move(draft.body);
    if (draft.kind != Kind::record) {
        Body tlv = TRY(Body::decode(body));
        if (!tlv.has(Tag::time)) tlv.put_time(Tag::time, env.clock.now());
        if (tlv.encoded_size() > audit::kMaxBody) return Error(Code::limit, "an entry's public body is too long");
        body = tlv.encode();
    }
    Batch::Numbered n;
    if (draft.content) {
        const auto [tree, leaf] = TRY(take_leaf(batch, draft.retention_class));
        header.sequence = batch.sequence[draft.source]++;
        header.suite = Suite::aes256_gcm;
        header.tree = tree;
        header.leaf = leaf;
        n.dek = TRY(keys->forward_dek(tree, leaf));
        if (draft.kind == Kind::record) {
            batch.leaves.push_back({batch.next, tree, leaf, env.clock.monotonic_ms()});
        } else {
            batch.done_leaves.emplace_back(tree, leaf);
        }
    } else {
        header.sequence = batch.sequence[draft.source]++;
    }
    const EntryIndex index = batch.next;
    receipt.index = index;
    receipt.record = header.record;
    n.entry = {header, std::move(body)};
    n.draft = &draft;
    n.receipt = &receipt;
    batch.numbered.push_back(std::move(n));
    batch.next.value += 1;
    if (draft.duplicate) {
        log->add_row({draft.source, *draft.duplicate, index});
        batch.seen[{draft.source, *draft.duplicate}] = index;
    }
    return {};
}

// The protocol of docs/format/staging.md. Any error after the first byte was written ends the writer.
Result<std::vector<std::vector<Receipt>>> ArchiveImpl::commit(std::vector<Request>& requests) {
    Batch batch;
    batch.next = log->next();
    {
        const std::lock_guard guard(catalog_mutex);
        batch.sequence[SourceId(0)] = catalog->next_sequence(SourceId(0));
        for (const auto& [id, source] : catalog->sources()) batch.sequence[id] = source.next_sequence;
    }
    std::vector<std::vector<Receipt>> receipts;
    for (Request& request : requests) {
        std::vector<Receipt>& list = receipts.emplace_back(request.drafts.size());
        TRY(add_drafts(batch, request.drafts, list));
    }
    TRY(seal_and_append(batch));
    if (batch.entries.empty()) return receipts;  // duplicates only

    const EntryIndex first(log->head().size.value);
    const std::string note = TRY(log->commit());
    {
        const std::lock_guard guard(unindexed_mutex);
        unindexed.insert(unindexed.end(), batch.leaves.begin(), batch.leaves.end());
    }
    for (const auto& [tree, leaf] : batch.done_leaves) keys->puncture(tree, leaf);
    const std::lock_guard guard(catalog_mutex);
    EntryIndex index = first;
    bool control = false;
    for (const audit::Entry& entry : batch.entries) {
        TRY(catalog->apply(index, entry));
        index.value += 1;
        control = control || entry.header.kind == Kind::control;
    }
    head_value = log->head();
    head_note = note;
    if (control) TRY(catalog->flush());
    return receipts;
}

void ArchiveImpl::run() {
    auto settle_at = std::chrono::steady_clock::now() + kSettleEvery;
    while (true) {
        std::vector<Request> requests;
        {
            std::unique_lock guard(queue_mutex);
            const auto wanted = [this] { return stopping || !queue.empty(); };
            const bool idle = !queue_filled.wait_for(guard, kSettleAfter, wanted);
            if (idle || std::chrono::steady_clock::now() >= settle_at) {
                guard.unlock();
                if (!failed && !log->settled()) {
                    if (const Status begun = log->begin_settling(); !begun.ok()) end(begun.error());
                }
                const bool more = !failed && !log->settled();
                settle_at = std::chrono::steady_clock::now() + kSettleEvery;
                guard.lock();
                if (idle && more) continue;  // until what is on its way is done
                queue_filled.wait(guard, wanted);
            }
            if (queue.empty()) return;
            // Whatever came while the last batch was under way is the next one: nobody waits for company that may not
            // come, and many writers still share a sync.
            std::size_t drafts = 0;
            std::uint64_t bytes = 0;
            while (!queue.empty() && drafts < kBatchEntries && bytes < kBatchBytes) {
                drafts += queue.front().drafts.size();
                bytes += queue.front().bytes;
                queued_drafts -= queue.front().drafts.size();
                requests.push_back(std::move(queue.front()));
                queue.pop_front();
            }
        }
        if (failed) {
            for (Request& r : requests)
                r.promise.set_value(Error(Code::read_only, "the writer has ended").with_hint("start again"));
            continue;
        }
        const std::uint64_t space = env.fs.free_bytes(dir);
        std::erase_if(requests, [&](Request& r) {
            const bool records =
                std::any_of(r.drafts.begin(), r.drafts.end(), [](const Draft& d) { return d.kind == Kind::record; });
            if (r.settle || space >= kReserve + r.bytes || (!records && space >= kLastReserve)) return false;
            r.promise.set_value(disk_full());
            return true;
        });
        if (requests.empty()) continue;
        auto result = commit(requests);
        const bool settle = std::any_of(requests.begin(), requests.end(), [](const Request& r) { return r.settle; });
        if (result.ok() && settle) {
            Status done = log->settle();
            if (done.ok()) done = log->sign_again();  // after a rotation the checkpoint has another signature
            if (!done.ok()) result = done.error();
            const std::lock_guard guard(catalog_mutex);
            head_note = log->note();
        }
        if (result.ok()) {
            for (std::size_t i = 0; i < requests.size(); ++i) requests[i].promise.set_value(std::move((*result)[i]));
            continue;
        }
        end(result.error());
        for (Request& r : requests) r.promise.set_value(ended(result.error()));
    }
}

// Beside the signer's store. A lost one is no harm: the catalog is made again from the ledger.
Result<SecretBytes> ArchiveImpl::load_catalog_key() {
    const Path file = state / "catalog.key";
    if (!env.fs.exists(file)) {
        const SecretBytes made = SecretBytes::random(env.random, 32);
        TRY(put_once(env.fs, file, made.view()));
        if (env.fs.exists(dir / "catalog.db")) TRY(env.fs.remove(dir / "catalog.db"));
        return made.clone();
    }
    Bytes bytes = TRY_IN("catalog.key", read_file(env.fs, file, 32));
    SecretBytes key((ByteView(bytes)));
    wipe(bytes);
    if (key.size() != 32)
        return Error(Code::corrupt, "catalog.key is not 32 bytes").with_hint("remove it: it is made again");
    return key;
}

Status ArchiveImpl::load(const std::optional<SecretBytes>& passphrase) {
    vault = signer->vault();
    vkey = signer->verifier().format();  // of a new archive; else below
    duplicates.emplace(TRY(DuplicateStore::open(dir / "vault" / "duplicates.db")));
    derived = TRY(DerivedStore::open(dir / "vault" / "derived.db"));
    log = TRY(audit::Committer::open(env.fs, dir, *signer, &*duplicates));
    reader = &log->ledger();
    const audit::TreeHead head = log->head();
    const audit::HeaderSource headers = [this](EntryIndex i) { return reader->header(i); };
    segments = std::make_unique<audit::SegmentReader>(env.fs, dir / "vault", headers);
    const SecretBytes catalog_key = TRY(load_catalog_key());
    catalog.emplace(TRY(Catalog::open(dir / "catalog.db", catalog_key)));
    if (catalog->applied().value > head.size.value) {
        // The cache is ahead of the ledger: it is not this ledger's. Made anew.
        catalog.reset();
        TRY(env.fs.remove(dir / "catalog.db"));
        catalog.emplace(TRY(Catalog::open(dir / "catalog.db", catalog_key)));
    }
    TRY(reader->for_each(
        EntryIndex(catalog->applied().value), EntryIndex(head.size.value),
        [this](EntryIndex i, ByteView bytes) -> Status { return catalog->apply(i, TRY(audit::decode_entry(bytes))); }));
    TRY(catalog->flush());
    head_value = head;
    head_note = log->note();
    if (head.size.value != 0) {
        // The ledger's name is its first key, whatever key signs today.
        const audit::Entry introduction = TRY_IN("entry 0", reader->entry(EntryIndex(0)));
        const auto body = TRY(audit::BodyReader::parse(introduction.body));
        const auto first = TRY(audit::VerifierKey::parse(body.find_text(Tag::vkey).value_or("")));
        const audit::KeyHistory history = TRY(audit::read_history(env.fs, dir / "ledger", first));
        // A continuation that has only begun has no entry yet (docs/format/signer.md).
        if (history.first().name == signer->verifier().name) vkey = history.first().format();
    }
    origin = signer->verifier().name;
    continuation = TRY(audit::parse_origin(origin)).continuation;
    keys = TRY(KeyStore::open(env, dir / "keys", vault, passphrase));
    if (!catalog->generations().empty()) {
        const GenerationInfo& g = catalog->generations().back();
        keys->set_generation(g.generation, TRY(X25519Public::from(g.intake_key)));
    }
    for (const auto& [id, tree] : catalog->trees()) {
        newest_tree = std::max(newest_tree, id.value);
        next_leaf[id] = tree.next_leaf;
        // Leaves of a ledger before may have been used by entries that are lost: never again.
        if (id.value >> 24 != continuation) continue;
        if (!keys->is_open() || tree.next_leaf >= audit::kLeavesPerKeyTree) continue;
        open_trees[{tree.retention_class, tree.year}] = id;  // the newest wins: ids ascend
    }
    newest_tree = std::max(newest_tree, continuation << 24);
    for (const auto& [key, id] : open_trees) TRY(keys->resume_tree(catalog->trees().at(id)));
    return {};
}

// --- Archive ---------------------------------------------------------------------------------------------

Archive::Archive(std::unique_ptr<ArchiveImpl> impl) : impl_(std::move(impl)) {}
Archive::~Archive() = default;

Status Archive::create(Environment e, const Path& dir, const Path& state, CreateOptions options) {
    if (e.fs.exists(dir) && !TRY(e.fs.list(dir)).empty()) {
        return Error(Code::conflict, "the folder for the new archive is not empty")
            .with_hint("name one that does not exist yet");
    }
    const VaultId vault = e.random.make<VaultId>();
    const Path own_state = state / vault.hex();
    const auto found = [&]() -> Status {
        for (const char* sub : {"ledger", "vault", "staging", "keys", "index"}) TRY(make_dirs_synced(e.fs, dir / sub));
        TRY(make_dirs_synced(e.fs, own_state));
        TRY(audit::FileSigner::create(e, own_state / "signer", vault, options.signer_keys));
        std::optional<Hash> tsa_root;
        if (options.with_builtin_authority) {
            tsa_root = TRY(audit::BuiltinAuthority::create(e, own_state / "tsa"))->root_hash();
        }
        const KeyStore::Founded founded =
            TRY(KeyStore::create(e, dir / "keys", vault, options.unlock, options.passphrase.view()));
        auto impl = std::make_unique<ArchiveImpl>(e, dir, own_state);
        impl->lock = TRY(FileLock::acquire(dir / "lock"));
        impl->signer = TRY(audit::FileSigner::open(e, own_state / "signer"));
        TRY(impl->load(options.unlock == "auto" ? std::nullopt
                                                : std::optional<SecretBytes>(options.passphrase.clone())));
        const std::string vkey = impl->vkey, origin = impl->origin;
        const Bytes certificate = impl->signer->evidence_certificate();
        impl->start();
        Archive archive(std::move(impl));
        TRY(archive.record_control(ControlAction::archive_created, [&](Body& body) {
            body.put_bytes(Tag::vault_id, vault.view()).put_text(Tag::origin, origin).put_text(Tag::vkey, vkey);
            if (tsa_root) body.put_hash(Tag::tsa_root_hash, *tsa_root);
        }));
        TRY(archive.record_control(ControlAction::evidence_key,
                                   [&](Body& body) { body.put_bytes(Tag::certificate, certificate); }));
        TRY(archive.record_control(ControlAction::generation_opened, [&](Body& body) {
            body.put_u32(Tag::generation, founded.generation)
                .put_bytes(Tag::intake_key, founded.intake.view())
                .put_hash(Tag::keyring_hash, founded.keyring_hash);
        }));
        TRY(replace_file(e.fs, dir / "trust.policy",
                         as_bytes("# Whoever trusts this archive's ledger gives this file to kustos-verify --trust.\n"
                                  "# Compare its fingerprint with the one that the authority has published.\nlog " +
                                  vkey + "\nquorum none\n")));
        return {};
    };
    Status made = found();
    if (!made.ok()) {
        std::error_code ignored;
        std::filesystem::remove_all(dir, ignored);
        std::filesystem::remove_all(own_state, ignored);
    }
    return made;
}

Result<std::unique_ptr<Archive>> Archive::open(Environment e, const Path& dir, OpenOptions options) {
    // Whose archive it is stands in its first entry; the signer's own store is found by it.
    const auto first = [&]() -> Result<VaultId> {
        const auto reader = TRY(audit::LedgerReader::open(e.fs, dir / "ledger"));
        const audit::Entry entry = TRY(reader->entry(EntryIndex(0)));
        const auto body = TRY(audit::BodyReader::parse(entry.body));
        const auto id = body.find_bytes(Tag::vault_id);
        if (!id) return Error(Code::corrupt, "the first entry names no vault");
        return VaultId::from(*id);
    };
    const VaultId vault = TRY_IN("ledger", first());
    auto impl = std::make_unique<ArchiveImpl>(e, dir, options.state / vault.hex());
    auto lock = FileLock::acquire(dir / "lock");
    if (!lock.ok())
        return Error(Code::conflict, "another program has this archive open").with_hint("wait until it has ended");
    impl->lock = std::move(*lock);
    impl->signer = std::move(options.signer);
    if (!impl->signer) {
        auto signer = audit::FileSigner::open(e, impl->state / "signer");
        if (!signer.ok() && signer.error().code() == Code::not_found) {
            return Error(Code::conflict, "the signer's store of this archive is not at " + impl->state.string())
                .with_hint(
                    "give --state DIR as at init, or config.yaml's signer.socket; an archive without its signer can be "
                    "verified (kustos-verify), not written");
        }
        impl->signer = TRY(std::move(signer));
    }
    if (!(impl->signer->vault() == vault))
        return Error(Code::conflict, "the signer's store belongs to another archive");
    TRY(impl->load(options.passphrase));
    impl->start();
    auto archive = std::unique_ptr<Archive>(new Archive(std::move(impl)));
    if (options.before_writing) {
        if (const Status agreed = options.before_writing(*archive); !agreed.ok()) {
            archive->end_writing(agreed.error());
            return Error(agreed.error());
        }
    }
    if (options.passphrase && archive->is_open()) {
        TRY(archive->record_control(ControlAction::vault_unlocked,
                                    [](Body& body) { body.put_text(Tag::method, "passphrase"); }));
    }
    return archive;
}

const Path& Archive::dir() const {
    return impl_->dir;
}
const VaultId& Archive::vault_id() const {
    return impl_->vault;
}
const std::string& Archive::origin() const {
    return impl_->origin;
}
const std::string& Archive::vkey() const {
    return impl_->vkey;
}
std::string Archive::fingerprint() const {
    const std::string digits = fingerprint_of(impl_->vkey).hex();
    std::string out;
    for (std::size_t i = 0; i < digits.size(); i += 4) out += (i == 0 ? "" : " ") + digits.substr(i, 4);
    return out;
}
Head Archive::head() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    return {impl_->head_value.size, impl_->head_value.root};
}
void Archive::end_writing(const Error& why) {
    impl_->end(why);
}
bool Archive::read_only() const {
    return impl_->failed;
}
std::optional<Error> Archive::why_read_only() const {
    const std::lock_guard guard(impl_->why_mutex);
    return impl_->why_failed;
}

Result<std::vector<Receipt>> Archive::seal(std::vector<Draft> drafts) {
    if (drafts.empty()) return std::vector<Receipt>{};
    if (impl_->failed)
        return Error(Code::read_only, "the writer has ended").with_hint("start again; recovery runs by itself");
    Request request;
    request.drafts = std::move(drafts);
    for (const Draft& d : request.drafts) request.bytes += size_of(d);
    auto answer = request.promise.get_future();
    {
        const std::lock_guard guard(impl_->queue_mutex);
        if (impl_->stopping) return Error(Code::overloaded, "the archive is closing").with_hint("send again later");
        if (impl_->queued_drafts > 0 && impl_->queued_drafts + request.drafts.size() > kQueueDrafts) {
            return Error(Code::overloaded, "too much is waiting to be sealed")
                .with_hint("send again in a few seconds; nothing was taken");
        }
        impl_->queued_drafts += request.drafts.size();
        impl_->queue.push_back(std::move(request));
    }
    impl_->queue_filled.notify_one();
    return answer.get();
}

Status Archive::settle() {
    if (impl_->failed) return {};  // nothing moves any more
    Request request;
    request.settle = true;
    auto answer = request.promise.get_future();
    {
        const std::lock_guard guard(impl_->queue_mutex);
        if (impl_->stopping) return {};
        impl_->queue.push_back(std::move(request));
    }
    impl_->queue_filled.notify_one();
    TRY(answer.get());
    return {};
}

Result<Receipt> Archive::record_control(ControlAction action, const std::function<void(Body&)>& fill) {
    Draft draft;
    draft.kind = Kind::control;
    draft.retention_class = kControlClass;
    Body body(action);
    fill(body);
    draft.body = body.encode();
    std::vector<Draft> drafts;
    drafts.push_back(std::move(draft));
    return TRY(seal(std::move(drafts))).front();
}

Result<Receipt> Archive::record_control(ControlAction action, const std::function<void(Body&)>& fill,
                                        ClassCode retention_class, Composed content) {
    Draft draft;
    draft.kind = Kind::control;
    draft.retention_class = retention_class;
    Body body(action);
    fill(body);
    draft.body = body.encode();
    draft.content = std::move(content);
    std::vector<Draft> drafts;
    drafts.push_back(std::move(draft));
    return TRY(seal(std::move(drafts))).front();
}

std::shared_ptr<const RetentionBook> Archive::retention() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    return impl_->catalog->retention();
}

Hash Archive::configuration() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    return impl_->catalog->configuration();
}

Result<SourceInfo> Archive::add_source(const std::string& name, const std::string& kind, ClassCode retention_class) {
    const bool good = !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '.';
    });
    if (!good)
        return Error(Code::usage, "a source's name has 1 to 64 letters, digits, '-', '_' or '.'")
            .with_hint("it stands readable in the ledger: no personal data");
    const std::lock_guard one_at_a_time(impl_->source_mutex);
    if (find_source(name))
        return Error(Code::usage, "there is a source of that name already").with_hint("kustos source list");
    const Receipt receipt = TRY(record_control(ControlAction::source_added, [&](Body& body) {
        body.put_text(Tag::name, name)
            .put_text(Tag::source_kind, kind)
            .put_u16(Tag::retention_class, retention_class.value);
    }));
    const auto added = find_source(SourceId(static_cast<std::uint32_t>(receipt.index.value)));
    CHECK(added.has_value());
    return *added;
}

Status Archive::pause_source(const std::string& name) {
    const auto source = find_source(name);
    if (!source) return Error(Code::usage, "there is no source of that name").with_hint("kustos source list");
    TRY(record_control(ControlAction::source_changed, [&](Body& body) {
        body.put_u64(Tag::entry, source->id.value).put_text(Tag::code, source->paused ? "resumed" : "paused");
    }));
    return {};
}

// A crash between the file and the entry that names it leaves a published checkpoint without one.
Status Archive::name_forgotten_checkpoints() {
    const Path ledger = impl_->dir / "ledger";
    const auto named = newest_published();
    for (const TreeSize size : TRY(audit::list_published(impl_->env.fs, ledger))) {
        if (named && size <= named->size) continue;
        const std::string note = TRY(published_note(size));
        TRY(record_control(ControlAction::checkpoint_published, [&](Body& body) {
            body.put_u64(Tag::checkpoint_size, size.value).put_hash(Tag::note_hash, sha256(as_bytes(note)));
        }));
    }
    return {};
}

Result<TreeSize> Archive::publish() {
    const std::lock_guard one_at_a_time(impl_->publish_mutex);
    if (!impl_->forgotten_named) {
        TRY(name_forgotten_checkpoints());
        impl_->forgotten_named = true;
    }
    audit::TreeHead head;
    std::string note;
    {
        const std::lock_guard guard(impl_->catalog_mutex);
        head = impl_->head_value;
        note = impl_->head_note;
        const auto& published = impl_->catalog->published();
        const auto content = impl_->catalog->newest_content();
        if (!published.empty() && (!content || content->value < published.back().size.value))
            return published.back().size;
    }
    TRY(settle());                   // what is published is there to be looked at
    impl_->forgotten_named = false;  // a full disk may come between the file and its entry: the next call names it
    TRY(audit::store_published(impl_->env.fs, impl_->dir / "ledger", head.size, note));
    TRY(record_control(ControlAction::checkpoint_published, [&](Body& body) {
        body.put_u64(Tag::checkpoint_size, head.size.value).put_hash(Tag::note_hash, sha256(as_bytes(note)));
    }));
    impl_->forgotten_named = true;
    return head.size;
}

Hash Archive::duplicate_mac(SourceId source, ByteView native_identity) const {
    return impl_->keys->duplicate_mac(source, native_identity);
}

std::vector<SourceInfo> Archive::sources() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    std::vector<SourceInfo> out;
    for (const auto& [id, s] : impl_->catalog->sources()) out.push_back(s);
    return out;
}
std::vector<MatterInfo> Archive::matters() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    std::vector<MatterInfo> out;
    for (const auto& [id, m] : impl_->catalog->matters()) out.push_back(m);
    return out;
}
std::optional<SourceInfo> Archive::find_source(std::string_view name) const {
    const std::lock_guard guard(impl_->catalog_mutex);
    const SourceInfo* s = impl_->catalog->find_source(name);
    return s != nullptr ? std::optional<SourceInfo>(*s) : std::nullopt;
}
std::optional<SourceInfo> Archive::find_source(SourceId id) const {
    const std::lock_guard guard(impl_->catalog_mutex);
    const auto found = impl_->catalog->sources().find(id);
    return found != impl_->catalog->sources().end() ? std::optional<SourceInfo>(found->second) : std::nullopt;
}
Result<bool> Archive::catalog_agrees() const {
    Catalog fresh = TRY(Catalog::in_memory());
    TreeSize applied;
    {
        const std::lock_guard guard(impl_->catalog_mutex);
        applied = impl_->catalog->applied();
    }
    while (true) {
        TRY(impl_->reader->for_each(EntryIndex(fresh.applied().value), EntryIndex(applied.value),
                                    [&fresh](EntryIndex i, ByteView bytes) -> Status {
                                        return fresh.apply(i, TRY(audit::decode_entry(bytes)));
                                    }));
        const std::lock_guard guard(impl_->catalog_mutex);
        if (impl_->catalog->applied() == applied) return impl_->catalog->agrees_with(fresh);
        applied = impl_->catalog->applied();  // something was sealed meanwhile
    }
}
std::uint64_t Archive::count(Kind kind) const {
    const std::lock_guard guard(impl_->catalog_mutex);
    return impl_->catalog->count(kind);
}
const audit::LedgerReader& Archive::ledger() const {
    return *impl_->reader;
}
const audit::SegmentReader& Archive::segments() const {
    return *impl_->segments;
}
std::uint32_t Archive::newest_renewal() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    return impl_->catalog->newest_renewal();
}
Result<audit::Entry> Archive::entry(EntryIndex index) const {
    return impl_->reader->entry(index);
}
Result<std::vector<audit::Entry>> Archive::entries(EntryIndex from, std::size_t limit) const {
    std::vector<audit::Entry> out;
    for (const Bytes& bytes : TRY(impl_->reader->entries(from, limit))) out.push_back(TRY(audit::decode_entry(bytes)));
    return out;
}
Result<std::vector<Hash>> Archive::inclusion_proof(EntryIndex index, TreeSize size) const {
    return impl_->reader->proof(index, size);
}
Result<std::string> Archive::published_note(TreeSize size) const {
    return audit::read_note(impl_->env.fs, audit::published_file(impl_->dir / "ledger", size));
}
std::optional<PublishedInfo> Archive::newest_published() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    const auto& list = impl_->catalog->published();
    return list.empty() ? std::nullopt : std::optional<PublishedInfo>(list.back());
}
std::vector<AnchorInfo> Archive::anchors() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    return {impl_->catalog->anchors().begin(), impl_->catalog->anchors().end()};
}
audit::Signer& Archive::signer() {
    return *impl_->signer;
}
Fs& Archive::fs() {
    return impl_->env.fs;
}
const Clock& Archive::clock() const {
    return impl_->env.clock;
}
Random& Archive::random() {
    return impl_->env.random;
}

bool Archive::is_open() const {
    return impl_->keys->is_open();
}
std::string Archive::unlock_state() const {
    return impl_->keys->state();
}
Status Archive::unlock(ByteView passphrase) {
    TRY(impl_->keys->unlock(passphrase));
    TRY(record_control(ControlAction::vault_unlocked, [](Body& body) { body.put_text(Tag::method, "passphrase"); }));
    return {};
}

Status Archive::lock() {
    impl_->keys->lock();
    TRY(record_control(ControlAction::vault_locked, [](Body&) {}));
    return {};
}

Result<OpenedPayload> Archive::open_payload(EntryIndex index, const audit::Entry& entry) const {
    if (entry.header.suite == Suite::none) return Error(Code::not_found, "this entry has no sealed payload");
    const SecretBytes dek = TRY(impl_->keys->dek(entry.header.tree, entry.header.leaf));
    const Bytes ciphertext = TRY(impl_->segments->ciphertext(index, kMaxInMemory));
    return vault::open_payload(impl_->vault, dek.view(), entry.header, entry.body, ciphertext);
}

Result<OpenedPayload> Archive::open_blob(const BlobRef& blob) const {
    const audit::Entry entry = TRY(impl_->reader->entry(blob.entry));
    if (entry.header.kind != Kind::blob || !(entry.header.record == blob.record))
        return Error(Code::corrupt, "a payload refers to an entry that is not its blob");
    const SecretBytes leaf_dek = TRY(impl_->keys->dek(entry.header.tree, entry.header.leaf));
    const SecretBytes dek = blob_dek(leaf_dek.view(), blob.b);
    const Bytes ciphertext = TRY(impl_->segments->ciphertext(blob.entry, kMaxInMemory));
    return vault::open_payload(impl_->vault, dek.view(), entry.header, entry.body, ciphertext);
}

Result<Bytes> Archive::blob_content(const BlobRef& blob) const {
    const OpenedPayload opened = TRY(open_blob(blob));
    Bytes content = TRY(vault::blob_content(opened));
    if (content.size() != blob.size || !(sha256(content) == blob.sha256))
        return Error(Code::corrupt, "a blob's content is not what its record says");
    return content;
}

Result<Bytes> Archive::attachment_content(const OpenedPayload& payload, std::size_t number) const {
    return vault::attachment_content(payload, number, [this](const BlobRef& blob) { return blob_content(blob); });
}

Result<std::pair<std::uint32_t, SecretBytes>> Archive::new_shard() {
    std::uint32_t shard = 1, generation = 1;
    {
        const std::lock_guard guard(impl_->catalog_mutex);
        if (!impl_->catalog->shards().empty()) shard = impl_->catalog->shards().rbegin()->first + 1;
        if (!impl_->catalog->generations().empty()) generation = impl_->catalog->generations().back().generation;
    }
    KeyStore::NewShard made = TRY(impl_->keys->new_shard(shard));
    TRY(record_control(ControlAction::shard_opened, [&](Body& body) {
        body.put_u32(Tag::shard, shard).put_u32(Tag::generation, generation).put_hash(Tag::box_hash, made.box_hash);
    }));
    return std::make_pair(shard, std::move(made.term_key));
}

Result<SecretBytes> Archive::shard_key(std::uint32_t shard) const {
    return impl_->keys->shard_key(shard);
}

Status Archive::keep_derived(EntryIndex index, const audit::Entry& entry, std::string_view purpose, ByteView object) {
    if (object.size() > kMaxDerived) return Error(Code::limit, "a derived object has more than 16 MiB");
    const SecretBytes dek = TRY(impl_->keys->dek(entry.header.tree, entry.header.leaf));
    return impl_->derived->put(index, purpose,
                               seal_derived(impl_->vault, dek.view(), purpose, object, impl_->env.random));
}

Result<Bytes> Archive::derived(EntryIndex index, const audit::Entry& entry, std::string_view purpose) const {
    const Bytes sealed = TRY(impl_->derived->get(index, purpose));
    const SecretBytes dek = TRY(impl_->keys->dek(entry.header.tree, entry.header.leaf));
    return open_derived(impl_->vault, dek.view(), purpose, sealed);
}

Status Archive::indexed_below(EntryIndex index) {
    // A cache that can't be written must stop neither the index nor the forgetting of keys.
    if (const Status kept = impl_->derived->flush(); !kept.ok())
        kustos::log(LogLevel::warning, "extracted text was not kept for snippets", {{"code", kept.error().code()}});
    const std::lock_guard guard(impl_->unindexed_mutex);
    while (!impl_->unindexed.empty() && impl_->unindexed.front().index.value < index.value) {
        impl_->keys->puncture(impl_->unindexed.front().tree, impl_->unindexed.front().leaf);
        impl_->unindexed.pop_front();
    }
    return {};
}

void Archive::forget_older_than(std::int64_t ms, std::size_t most) {
    const std::lock_guard guard(impl_->unindexed_mutex);
    const std::int64_t now = impl_->env.clock.monotonic_ms();
    while (!impl_->unindexed.empty() &&
           (impl_->unindexed.size() > most || now - impl_->unindexed.front().sealed_ms > ms)) {
        impl_->keys->puncture(impl_->unindexed.front().tree, impl_->unindexed.front().leaf);
        impl_->unindexed.pop_front();
    }
}

}  // namespace kustos::vault
