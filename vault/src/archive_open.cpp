// Making, opening and recovering an archive.
#include <algorithm>
#include <utility>

#include "audit/checkpoint.h"
#include "audit/key_history.h"
#include "audit/tsa_authority.h"
#include "base/log.h"
#include "vault/src/archive_impl.h"
#include "vault/src/local_keys.h"

namespace kustos::vault {

using audit::Body;
using audit::ControlAction;
using audit::EntryHeader;
using audit::Kind;
using audit::Suite;
using audit::Tag;

// Beside the signer's store. A lost one is no harm: the catalog is made again from the ledger.
Result<SecretBytes> ArchiveImpl::load_catalog_key() {
    const Path file = state / "catalog.key";
    if (!env.fs.exists(file)) {
        const SecretBytes made = SecretBytes::random(env.random, 32);
        TRY(put_once(env.fs, file, made.view()));
        if (env.fs.exists(dir / "catalog.db")) TRY(env.fs.remove(dir / "catalog.db"));
        return made.clone();
    }
    SecretBytes key = TRY_IN("catalog.key", read_secret_file(env.fs, file, 32));
    if (key.size() != 32)
        return Error(Code::corrupt, "catalog.key is not 32 bytes").with_hint("remove it: it is made again");
    return key;
}

Status ArchiveImpl::load(const UnlockSecret* secret, std::unique_ptr<ForwardMemory> memory) {
    vault = signer->vault();
    vkey = signer->verifier().format();  // of a new archive; else below
    duplicates.emplace(TRY(DuplicateStore::open(dir / "vault" / "duplicates.db")));
    derived = TRY(DerivedStore::open(dir / "vault" / "derived.db"));
    log = TRY(audit::Committer::open(env.fs, dir, *signer, &*duplicates));
    reader = &log->ledger();
    const audit::TreeHead head = log->head();
    const audit::HeaderSource headers = [this](EntryIndex i) { return reader->header(i); };
    segments = std::make_unique<audit::SegmentReader>(
        env.fs, dir / "vault", headers, [this](EntryIndex, const EntryHeader& header) { return is_forgotten(header); });
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
    forward = TRY(ForwardKeys::open(env, dir / "keys"));
    std::uint32_t generation = 1;
    if (!catalog->generations().empty()) {
        const GenerationInfo& g = catalog->generations().back();
        generation = g.generation;
        forward->set_generation(generation, TRY(X25519Public::from(g.intake_key)));
    }
    if (!holder) {
        // A ledger that was restored may be older than its keys: those of today count, or what was erased since the
        // backup would come back.
        auto epochs = (epoch_maker ? epoch_maker : recorded_epochs)(env, dir / "keys", vault);
        if (const std::uint32_t newer = TRY(Keyholder::newer_than(env.fs, dir / "keys", *epochs, generation));
            newer != 0) {
            adopted = Archive::Adopted{generation, newer, 0};
            generation = newer;
        }
        // What was sealed to a lost key could never be opened.
        const auto lost = [generation](const char* what) {
            return Error(Code::corrupt,
                         std::string(what) + " of keyring generation " + std::to_string(generation) + " is not here")
                .with_hint("restore it from its escrow (docs/operations.md, \"If a file is lost\")");
        };
        if (!env.fs.exists(generation_dir(dir / "keys", generation) / "root")) return lost("the root page");
        if (!TRY(Keyholder::has_epoch(*epochs, generation))) return lost("the key");
        auto own = TRY(Keyholder::open(env, dir / "keys", vault, generation, secret, std::move(epochs)));
        if (adopted) {
            if (!own->is_open())
                return Error(Code::closed,
                             "the keys that were restored are newer than this ledger: a key holder must open "
                             "the vault at the first start")
                    .with_hint("give --passphrase-file FILE, or - for standard input");
            forward->set_generation(generation, TRY(own->intake()));
        }
        holder = std::make_unique<LocalKeys>(std::move(own));
    }
    committed_size = head.size.value;
    forward->resume_waiting(EntryIndex(committed_size), {});
    TRY(take_over_forward(std::move(memory)));
    for (const auto& [id, tree] : catalog->trees()) {
        newest_tree = std::max(newest_tree, id.value);
        next_leaf[id] = tree.next_leaf;
        // Leaves of a ledger before may have been used by entries that are lost: never again.
        if (id.value >> 24 != continuation) continue;
        if (tree.next_leaf >= audit::kLeavesPerKeyTree || !(holder->is_open() || forward->has_tree(id))) continue;
        open_trees[{tree.retention_class, tree.year}] = id;  // the newest wins: ids ascend
    }
    newest_tree = std::max(newest_tree, continuation << 24);
    std::erase_if(open_trees, [this](const auto& open) {  // disposed of as a whole
        return catalog->forgotten().contains(open.second, LeafNumber(kTreeLeaves - 1));
    });
    for (auto open_tree = open_trees.begin(); open_tree != open_trees.end();) {
        if (forward->has_tree(open_tree->second)) {
            ++open_tree;
            continue;
        }
        auto ahead = holder->ahead(catalog->trees().at(open_tree->second));
        // After this ledger ends; or the opener apart went away or was closed: a new tree, then.
        const bool gone = !ahead.ok() && ((ahead.error().code() == Code::erased && adopted) ||
                                          (ahead.error().code() == Code::closed && holder->apart()));
        if (gone) {
            open_tree = open_trees.erase(open_tree);
            continue;
        }
        forward->resume_tree(open_tree->second, TRY(std::move(ahead)), next_leaf.at(open_tree->second));
        ++open_tree;
    }
    forward->save();
    return {};
}

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
        SlotOrder order = TRY(parse_slot_order(options.unlock));
        order.passphrase = options.passphrase.clone();
        order.pin = options.pin.clone();
        const Keyholder::Founded founded = TRY(Keyholder::create(e, dir / "keys", vault, order));
        // Opened as later, with what was handed out: a slot that does not open is noticed before anything lies under
        // it.
        const UnlockSecret secret = secret_of(order, founded.shares);
        TRY(ForwardKeys::create(e, dir / "keys"));
        auto impl = std::make_unique<ArchiveImpl>(e, dir, own_state);
        impl->lock = TRY(FileLock::acquire(dir / "lock"));
        impl->signer = TRY(audit::FileSigner::open(e, own_state / "signer"));
        TRY(impl->load(&secret));
        if (!founded.shares.empty()) {
            if (!options.hand_out) return Error(Code::usage, "nobody takes the shares");
            TRY(options.hand_out({impl->vkey, vault, founded.shares}));
        }
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

Result<VaultId> Archive::vault_of(Fs& fs, const Path& dir) {
    const auto reader = TRY(audit::LedgerReader::open(fs, dir / "ledger"));
    const audit::Entry entry = TRY(reader->entry(EntryIndex(0)));
    const auto body = TRY(audit::BodyReader::parse(entry.body));
    const auto id = body.find_bytes(Tag::vault_id);
    if (!id) return Error(Code::corrupt, "the first entry names no vault");
    return VaultId::from(*id);
}

Result<std::unique_ptr<Archive>> Archive::open(Environment e, const Path& dir, OpenOptions options) {
    const VaultId vault = TRY_IN("ledger", vault_of(e.fs, dir));  // the signer's own store is found by it
    auto impl = std::make_unique<ArchiveImpl>(e, dir, options.state / vault.hex());
    auto lock = FileLock::acquire(dir / "lock");
    if (!lock.ok())
        return Error(Code::conflict, "another program has this archive open").with_hint("wait until it has ended");
    impl->lock = std::move(*lock);
    impl->signer = std::move(options.signer);
    impl->suite = options.suite;
    impl->epoch_maker = options.epochs;
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
    impl->holder = std::move(options.keys);
    if (impl->holder) impl->holder->work_for(vault);
    std::optional<UnlockSecret> secret = std::move(options.secret);
    if (!secret && options.passphrase) secret = PassphraseSecret{options.passphrase->clone()};
    TRY(impl->load(secret ? &*secret : nullptr,
                   options.forward_memory ? options.forward_memory(impl->state) : nullptr));
    if (options.escrow) impl->take_escrow(options.escrow);
    impl->start();
    auto archive = std::unique_ptr<Archive>(new Archive(std::move(impl)));
    if (options.before_writing) {
        if (const Status agreed = options.before_writing(*archive); !agreed.ok()) {
            archive->end_writing(agreed.error());
            return Error(agreed.error());
        }
    }
    archive->impl_->noted_opening = !secret;
    if (!options.continues) TRY(archive->take_up());
    return archive;
}

Status Archive::take_up() {
    if (impl_->adopted) TRY(impl_->adopt_restored());
    TRY(impl_->note_medium());
    TRY(finish_erasures());
    settle_openings();
    if (const Status kept = keep_escrow(); !kept.ok())
        kustos::log(LogLevel::warning, "the escrow lacks what opens the content now", {{"code", kept.error().code()}});
    if (!std::exchange(impl_->noted_opening, true) && is_open()) TRY(note_opening(std::nullopt, ""));
    return {};
}

}  // namespace kustos::vault
