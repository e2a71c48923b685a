// An archive directory, open: the one writer of its ledger and vault, and the reader for those who hold the keys.
//
//   seal()      many threads hand in drafts; one committer thread numbers, encrypts and appends them in batches (group
//               commit: what came while the last batch was under way, up to 512 entries or 1 MiB) and answers when the
//               batch is durable (audit/committer.h).
//   publish()   keeps the current checkpoint and names it in the ledger; anchors are fetched by AnchorService.
//   Opener      (opener.h) alone decrypts; IndexReader (below) is the sealer's own short look at what it has just
//   sealed.
//
// Durability: what seal() has acknowledged survives a power cut. A failed write or sync ends the writer: every later
// call that writes answers Code::read_only, and the program should exit; opening again recovers by the rule of
// staging.md. Errors of open(): conflict (another process has it, or it was rolled back: message says which), corrupt,
// environment. Threads: all functions are safe from any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "audit/compact.h"
#include "audit/entry.h"
#include "audit/ledger.h"
#include "audit/segment.h"
#include "audit/signer.h"
#include "base/environment.h"
#include "vault/catalog.h"
#include "vault/erasure.h"
#include "vault/escrow.h"
#include "vault/forward_memory.h"
#include "vault/key_service.h"
#include "vault/message.h"
#include "vault/payload.h"
#include "vault/slots.h"

namespace kustos::vault {

// Something to be sealed as one entry. Attachments from 64 KiB become blob entries right before it, in the same batch.
struct Draft {
    audit::Kind kind = audit::Kind::record;
    SourceId source;
    ClassCode retention_class;
    Bytes body;                       // public TLV; empty for records. tag `time` is put in by the committer
    std::optional<Composed> content;  // absent: no sealed payload
    std::optional<Hash> duplicate;    // keyed MAC of the native identity: an earlier entry with the same one wins
};

struct Receipt {
    EntryIndex index;
    RecordId record;
    Hash leaf;
    bool duplicate = false;  // nothing was sealed; index names the earlier entry (record and leaf are zero)
};

struct Head {
    TreeSize size;
    Hash root;
};

// New shares on their way to their holders; when the call returns they are nowhere but where it put them. Its error
// undoes what they were made for.
struct HandedOut {
    const std::string& vkey;
    const VaultId& vault;
    const std::vector<Share>& shares;
};
using HandOut = std::function<Status(const HandedOut&)>;

struct CreateOptions {
    std::string unlock = "auto";  // parse_slot_order()
    SecretBytes passphrase;
    SecretBytes pin;                      // of a TPM; may be empty
    HandOut hand_out;                     // needed for shares
    std::string signer_keys;              // where the signer's keys are made (audit/signer.h); empty: in files
    bool with_builtin_authority = false;  // made in the state directory; its root is named by the first entry
};

struct KeyState {
    std::uint32_t generation = 1;  // of the keyring
    std::string medium;            // where its e_n lies: "file", "tpm", "pkcs11"
};

class Archive;

struct OpenOptions {
    Path state;                             // the signer's own store, outside the archive directory
    std::unique_ptr<audit::Signer> signer;  // one of its own; null: the store in `state`
    std::unique_ptr<KeyService> keys;       // an opener apart; null: the keys are held in this process
    std::optional<UnlockSecret> secret;     // opens the vault at once
    std::optional<SecretBytes> passphrase;  // short for the most common one
    EscrowMaker escrow;                     // null: none is configured
    EpochMaker epochs;                      // null: recorded_epochs(); for tests
    bool continues = false;  // a continuation: nothing is written before the caller has begun it and calls take_up()
    // Memory that an earlier process left, given the folder of the signer's store; null: none. Called with the
    // archive's lock held.
    std::function<std::unique_ptr<ForwardMemory>(const Path& state)> forward_memory;
    // Asked before anything is written; its error ends the opening. For what others remember of this archive.
    std::function<Status(Archive&)> before_writing;
    audit::Suite suite = audit::Suite::aes256_gcm;  // of what is sealed from now on
};

class ArchiveImpl;

class Archive {
public:
    // Makes the directory (it must be absent or empty) and the signer's store. Nothing is left behind on failure.
    static Status create(Environment environment, const Path& dir, const Path& state, CreateOptions options);
    static Result<std::unique_ptr<Archive>> open(Environment environment, const Path& dir, OpenOptions options);
    static Result<VaultId> vault_of(Fs& fs, const Path& dir);  // as its first entry says, without opening it
    // What an opening owes the ledger: restored keys, erasures that were interrupted, the escrow. open() calls it.
    Status take_up();
    ~Archive();

    const Path& dir() const;
    const VaultId& vault_id() const;
    const std::string& origin() const;
    const std::string& vkey() const;
    std::string fingerprint() const;  // SHA-256 of the vkey line, in groups of four hex digits
    Head head() const;                // of the last commit
    bool read_only() const;
    // Ends the writer for good, as a failed sync does: for contradictions that only the caller can see.
    void end_writing(const Error& why);
    std::optional<Error> why_read_only() const;

    // --- writing ---
    Result<std::vector<Receipt>> seal(std::vector<Draft> drafts);
    Result<SourceInfo> add_source(const std::string& name, const std::string& kind, ClassCode retention_class);
    Status pause_source(const std::string& name);
    // The ledger's files on the disk are as far as what was acknowledged (docs/format/staging.md): before others read
    // them.
    Status settle();
    // Publishes the last commit if anything but chain entries came since the last publication. The size that is now the
    // newest published one.
    Result<TreeSize> publish();
    // Body of a control entry: `action` and whatever the caller puts; sealed as source 0 without payload.
    Result<Receipt> record_control(audit::ControlAction action, const std::function<void(audit::Body&)>& fill);
    // The same, with a sealed payload in a class of its own: readers and retention are the class's.
    Result<Receipt> record_control(audit::ControlAction action, const std::function<void(audit::Body&)>& fill,
                                   ClassCode retention_class, Composed content);
    Hash configuration() const;  // SHA-256 of config.yaml that the newest configuration_changed names; zero: none yet
    // The MAC under which a native identity is remembered.
    Hash duplicate_mac(SourceId source, ByteView native_identity) const;
    // Of what a source's stream remembers (vault/stream_memory.h).
    SecretBytes stream_key(SourceId source) const;

    // --- reading without keys ---
    std::vector<SourceInfo> sources() const;
    std::vector<MatterInfo> matters() const;
    std::shared_ptr<const RetentionBook> retention() const;  // as of now; it does not change any more
    std::shared_ptr<const SourceBook> source_book() const;   // likewise
    std::shared_ptr<const MatterBook> matter_book() const;   // likewise
    std::optional<SourceInfo> find_source(std::string_view name) const;
    std::optional<SourceInfo> find_source(SourceId id) const;
    // Whether the catalog says what one made anew from the ledger says. Reads every entry.
    Result<bool> catalog_agrees() const;
    std::uint64_t count(audit::Kind kind) const;
    const audit::LedgerReader& ledger() const;     // safe from any thread; lives as long as this
    const audit::SegmentReader& segments() const;  // likewise
    std::uint32_t newest_renewal() const;          // that an entry names
    Result<audit::Entry> entry(EntryIndex index) const;
    Result<std::vector<audit::Entry>> entries(EntryIndex from, std::size_t limit) const;
    Result<std::vector<Hash>> inclusion_proof(EntryIndex index, TreeSize size) const;
    Result<std::string> published_note(TreeSize size) const;
    std::optional<PublishedInfo> newest_published() const;
    std::vector<AnchorInfo> anchors() const;
    audit::Signer& signer();
    Fs& fs();
    const Clock& clock() const;
    Random& random();

    // --- keys ---
    bool is_open() const;              // content can be opened
    std::string unlock_state() const;  // "open (auto)", "closed"
    // Both are entries. lock() drops the keyring and what was opened with it; sealing and indexing go on.
    // until: when it will be closed again by whoever opens it; the entry says so.
    // actor: who does it; sealed in the entry.
    Status unlock(const UnlockSecret& secret, std::optional<UtcTime> until = std::nullopt,
                  const std::string& actor = "");
    Status lock(std::string_view why = "key holder",
                const std::string& actor = "");  // "time", "work", "end": docs/format/ledger.md
    // The entry of a closing that an opener apart owes (KeyService::settle_owed); failures are tried again later.
    void settle_openings();
    // A control entry as an opener apart wants it, durable and in the ledger's files.
    Result<EntryIndex> append_control(Bytes body, std::optional<Payload> content);
    // Everything that survives, for an exit export: with an opener apart it is asked for, behind the entry.
    Result<EntryIndex> give_away(const LeaveOrder& order);  // the entry
    // search::rewrite_shards() where the shards' keys are: at an opener apart.
    Result<RewriteDone> rewrite_apart(const RewriteOrder& order);
    Result<std::vector<SlotFacts>> slots() const;
    KeyState key_state() const;
    // Adds or replaces slots (one of a kind), then removes some, never the last; the root key stays. Entry
    // slots_changed, then the file keys/slots, at once. Code::closed; Code::conflict: the last slot.
    Status rekey(const std::vector<SlotOrder>& add, const std::vector<SlotKind>& remove, const HandOut& hand_out);
    KeyService& keys() const;  // whoever holds them; apart(): Opener and the indexer ask it for grants
    // With a key that was granted (vault/opener.h).
    Result<OpenedPayload> open_payload_with(ByteView dek, EntryIndex index, const audit::Entry& entry) const;
    Result<OpenedPayload> open_blob_with(ByteView blob_dek, const BlobRef& blob) const;
    Status blob_content_with(ByteView blob_dek, const BlobRef& blob, const ByteSink& sink) const;
    Result<Bytes> derived_with(ByteView dek, EntryIndex index, std::string_view purpose) const;
    Status keep_derived_with(ByteView dek, EntryIndex index, std::string_view purpose, ByteView object);
    // What an interrupted erasure run still needs, if it can be had now: an opener apart may be back.
    Status resume_erasures();
    // Sealed parts of an entry with the key of whoever may have it: the forward state (not yet punctured) or, when the
    // vault is open, the root key. Code::closed when neither has it. Used by Opener and the indexer only.
    Result<OpenedPayload> open_payload(EntryIndex index, const audit::Entry& entry) const;
    Result<OpenedPayload> open_blob(const BlobRef& blob) const;
    // In pieces and constant memory; checked against the reference's size and hash at the end (blob_stream.h).
    Status blob_content(const BlobRef& blob, const ByteSink& sink) const;
    // Decoded bytes of one attachment, from the payload itself or its blob entry.
    Result<Bytes> attachment_content(const OpenedPayload& payload, std::size_t number) const;
    Status write_attachment(const OpenedPayload& payload, std::size_t number, const ByteSink& sink) const;
    // Index shards: a new term key, sealed to the intake key and named by an entry; and the key of an old one (closed
    // vault: Code::closed).
    Result<std::pair<std::uint32_t, SecretBytes>> new_shard();
    Result<SecretBytes> shard_key(std::uint32_t shard) const;
    void shard_closed(std::uint32_t shard);     // the sealer forgets its key
    std::vector<std::uint32_t> shards() const;  // all that were ever opened, ascending
    // Keeps what was derived from a record's content (docs/format/keys.md), at most 16 MiB; durable with the next
    // indexed_below(). A cache: it may be gone. Code::not_found: nothing was kept.
    Status keep_derived(EntryIndex index, const audit::Entry& entry, std::string_view purpose, ByteView object);
    Result<Bytes> derived(EntryIndex index, const audit::Entry& entry, std::string_view purpose) const;
    Status forget_derived(const EntrySet& entries);  // vault/derived.h, remove()
    // --- forgetting (vault/erasure.h) ---
    // Durable, and begun runs before it finished, when it returns. Code::closed; Code::not_found: an entry that is no
    // record or blob; Code::usage: nothing to destroy. Any other error ends the writer; the next start finishes the
    // run.
    Result<Forgotten> forget(ForgetOrder order);
    // Index shards that were replaced: their keys are dropped with a new generation.
    Status forget_shards(const std::set<std::uint32_t>& shards);
    // Entries whose keys are destroyed, or are being destroyed; a snapshot. The first call after a start reads headers.
    Result<std::shared_ptr<const EntrySet>> erased() const;          // whatever had a payload
    Result<std::shared_ptr<const EntrySet>> erased_records() const;  // records alone
    std::vector<audit::ErasureRun> erasure_runs() const;
    Result<EntrySet> affected_by(const audit::ErasureRun& run) const;  // ForgetOrder::affected
    std::optional<EntryIndex> successor_of(EntryIndex record) const;   // sealed again without an attachment
    // Takes the ciphertext of what is erased out of the vault (audit/compact.h), and says so by an entry once all of it
    // is gone. Needs no key. Nothing to do: an empty report, no entry. stop: asked between segments.
    Result<audit::CompactReport> compact(const std::function<bool()>& stop,
                                         const std::function<void(std::uint64_t, std::uint64_t)>& progress);
    // An entry of kind erasure that says how far things have come: terms_removed, final_.
    Result<Receipt> record_erasure(audit::ErasureAction action, const std::function<void(audit::Body&)>& fill);
    bool is_erased(const audit::EntryHeader& header) const;
    std::uint32_t key_generation() const;
    std::string key_medium() const;  // of e_n: "file", "tpm", "pkcs11"
    // The weakest medium on which a key lay that could bring back what this run destroyed: of every generation since
    // the first of its key trees was opened.
    std::string medium_of(const audit::ErasureRun& run) const;
    // Moves e_n to another medium with a new generation, whose number it answers. What is sealed from then on grows in
    // new key trees. Nothing has changed where it answers an error, but of the writer's. Code::closed; environment:
    // chip or token does not take it.
    Result<std::uint32_t> move_epoch(const EpochOrder& order);
    // --- escrow (vault/escrow.h) ---
    EscrowState escrow_state() const;
    // Stores what the escrow lacks: the present generation, changed slots. No escrow: nothing. Code::environment: the
    // medium is not there.
    Status keep_escrow();
    // Takes generations out of the escrow that were superseded `keep_ms` ago, and records `final` for the runs of which
    // nothing is left there. True: it was recorded. Nothing happens while the medium is away. Without an escrow a run
    // is final once its e_n is destroyed; where there was one once, never.
    Result<bool> finalise(std::int64_t keep_ms);
    // This ledger was restored and is older than its keys: what it took over from them at this start.
    struct Adopted {
        std::uint32_t ledger_generation = 0, key_generation = 0;
        std::uint64_t erased_again = 0;  // records and blobs that were erased after the backup
    };
    std::optional<Adopted> adopted() const;
    // What survives of every key tree, in the clear (KeyCover::encode): for an exit export alone. Code::closed.
    Status export_covers(const std::function<Status(KeyTreeId, ByteView)>& take) const;

    // --- backup (vault/backup.h) ---
    // Copies vault/duplicates.db into `file`, a bit at a time, while sealing goes on. Code::interrupted: stop said so.
    Status copy_duplicates(const Path& file, const std::function<bool()>& stop) const;
    // How the ledger's trees and shards stand: for whoever copies their boxes.
    std::vector<TreeInfo> trees() const;
    std::vector<ShardInfo> shard_infos() const;
    std::uint32_t ledger_generation() const;  // that the newest entry names

    // Everything below `index` is indexed and its words are synced: forget its keys.
    Status indexed_below(EntryIndex index);
    // In a live stream a key waits for the indexer for so long and no longer; what it misses is deferred until the next
    // opening.
    std::size_t forget_older_than(std::int64_t ms, std::size_t most);  // how many
    std::size_t waiting() const;                                       // records and blobs that wait for the indexer
    // From now on the forward state survives a crash of this process, as long as somebody keeps the memory's
    // descriptor.
    void keep_forward_state(std::unique_ptr<ForwardMemory> memory);
    std::string forward_memory() const;  // "memfd_secret", "memfd"; empty: a crash counts as a power loss

private:
    Status name_forgotten_checkpoints();
    Status note_opening(std::optional<UtcTime> until, const std::string& actor);
    Status finish_erasures();
    explicit Archive(std::unique_ptr<ArchiveImpl> impl);
    std::unique_ptr<ArchiveImpl> impl_;
};

}  // namespace kustos::vault
