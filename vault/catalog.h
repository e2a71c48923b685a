// catalog.db: what the ledger's control entries say, in a form that can be asked. A cache: it is derived from the
// ledger entry by entry and can be thrown away; opening catches up from the last entry it has seen.
//
// Holds the control entries themselves, byte for byte, and counters (sequence numbers per source, used leaves per tree,
// entries per kind); sources, trees, shards, matters and generations are read from them. Of published checkpoints and
// anchors only the newest 1,000 are kept: the rest stands in ledger/. Nothing in it stems from content: names of
// sources are public by definition, matters appear only by number (docs/format/catalog.md).
//
// Sealed: a MAC under a key that lies with the signer, outside the archive directory, covers every row and counter. A
// row that somebody edits, adds or takes away is noticed at the next opening, and the catalog is refused: a counter
// that was set back would use a key twice. An older copy as a whole is no harm: it catches up.
//
// Durability: none of its own. flush() writes in one transaction; what is lost is caught up from the ledger.
// Threads: the owner (Archive) locks.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/entry.h"
#include "audit/erasures.h"
#include "base/ids.h"
#include "base/secret.h"
#include "base/sqlite.h"
#include "base/time.h"
#include "vault/matter_book.h"
#include "vault/retention_book.h"
#include "vault/source_book.h"

namespace kustos::vault {

struct SourceInfo {
    SourceId id;
    std::string name;
    std::string kind;  // "import", "http", ...
    ClassCode retention_class;
    UtcTime added;
    bool paused = false;
    std::uint64_t next_sequence = 0;
    std::uint64_t records = 0;  // without blobs
    // What the source last said of itself (source_heartbeat), and what the archive last counted (source_counted).
    std::optional<UtcTime> heard;
    std::uint64_t claimed = 0;          // messages sent, by its own word
    std::uint64_t heard_records = 0;    // that were sealed then
    std::uint64_t counted_records = 0;  // of the last count
    std::optional<UtcTime> counted;
    std::uint64_t missing() const { return claimed > heard_records ? claimed - heard_records : 0; }
};

struct TreeInfo {
    KeyTreeId id;
    ClassCode retention_class;
    std::uint16_t year = 0;
    std::uint32_t generation = 0;
    Hash box_hash;
    Hash key_check;
    EntryIndex entry;
    std::uint32_t next_leaf = 0;         // first leaf that no committed entry uses
    EntryIndex first_entry, last_entry;  // of the first and the last used leaf; both 0: none is used yet
};

struct ShardInfo {
    std::uint32_t shard = 0;
    std::uint32_t generation = 0;
    Hash box_hash;
    EntryIndex entry;
};

struct MatterInfo {
    EntryIndex entry;  // the matter's number; its reference and ground are sealed in that entry
    UtcTime opened;
    std::optional<UtcTime> closed;
};

struct PublishedInfo {
    TreeSize size;
    Hash note_hash;
    EntryIndex entry;
};

struct AnchorInfo {
    TreeSize size;      // of the checkpoint that is stamped
    TreeSize previous;  // the range [previous, size) is covered
    Hash token_hash;
    std::string authority;
    EntryIndex entry;
};

struct GenerationInfo {
    std::uint32_t generation = 0;
    Bytes intake_key;
    Hash keyring_hash;
    EntryIndex entry;
};

class Catalog {
public:
    // Code::corrupt: something else than this program changed it; the hint says what to do.
    static Result<Catalog> open(const Path& file, const SecretBytes& key);
    static Result<Catalog> in_memory();  // to compare with
    // What both say about the ledger, the same number of entries applied.
    bool agrees_with(const Catalog& other) const;

    // Entries must come in order, without a gap. Derives; refuses a control entry whose body lacks what it must have.
    Status apply(EntryIndex index, const audit::Entry& entry);
    Status flush();

    TreeSize applied() const { return applied_; }
    const std::map<SourceId, SourceInfo>& sources() const { return sources_; }
    const SourceInfo* find_source(std::string_view name) const;
    const std::map<KeyTreeId, TreeInfo>& trees() const { return trees_; }
    const std::map<std::uint32_t, ShardInfo>& shards() const { return shards_; }
    const std::map<EntryIndex, MatterInfo>& matters() const { return matters_; }
    const std::deque<PublishedInfo>& published() const { return published_; }
    const std::deque<AnchorInfo>& anchors() const { return anchors_; }
    std::uint32_t newest_renewal() const { return newest_renewal_; }  // 0: none is named
    const std::vector<GenerationInfo>& generations() const { return generations_; }
    std::string medium(std::uint32_t generation) const;   // of its e, as its entry says: "file", "tpm", "pkcs11"
    std::uint32_t escrowed() const { return escrowed_; }  // newest generation that was put in escrow; 0: none ever
    const Hash& configuration() const { return configuration_; }
    std::shared_ptr<const RetentionBook> retention() const { return retention_; }   // a snapshot
    std::shared_ptr<const SourceBook> source_book() const { return source_book_; }  // likewise
    std::shared_ptr<const MatterBook> matter_book() const { return matter_book_; }  // likewise
    const audit::Erasures& erasures() const { return erasures_; }
    const std::map<EntryIndex, EntryIndex>& successors() const { return successors_; }  // record_succeeded
    // Leaves that a run has begun to destroy, or has destroyed: nothing opens them any more.
    const audit::LeafSet& forgotten() const { return forgotten_; }
    std::uint64_t next_sequence(SourceId source) const;
    std::uint64_t count(audit::Kind kind) const;
    // The newest entry that is not part of the chain itself (checkpoint_published, anchor_stored, evidence_renewed);
    // none in a new ledger.
    std::optional<EntryIndex> newest_content() const { return newest_content_; }

private:
    explicit Catalog(Database database) : database_(std::move(database)) {}
    using Counters = std::map<std::pair<std::string, std::uint64_t>, std::uint64_t>;
    Counters counters() const;
    Hash seal() const;                                 // of rows and counters
    void count_row(EntryIndex index, ByteView bytes);  // in, or out again
    Status load();
    Status apply_control(EntryIndex index, const audit::Entry& entry);
    Status apply_erasure(EntryIndex index, const audit::Entry& entry);
    Status apply_decision(EntryIndex index, const audit::Entry& entry);
    void take_medium(std::uint32_t generation, std::string_view medium);
    Status count_entry(EntryIndex index, const audit::Entry& entry);
    Result<SourceInfo*> known_source(const audit::BodyReader& body, EntryIndex index);

    Database database_;
    SecretBytes key_;
    Hash rows_;  // XOR of the keyed hashes of all control rows
    std::uint64_t row_count_ = 0;
    TreeSize applied_, flushed_;
    std::map<SourceId, SourceInfo> sources_;
    std::map<KeyTreeId, TreeInfo> trees_;
    std::map<std::uint32_t, ShardInfo> shards_;
    std::map<EntryIndex, MatterInfo> matters_;
    std::deque<PublishedInfo> published_;
    std::deque<AnchorInfo> anchors_;
    std::vector<GenerationInfo> generations_;
    std::map<std::uint32_t, std::string> media_;  // from this generation on
    std::shared_ptr<SourceBook> source_book_ = std::make_shared<SourceBook>();
    std::shared_ptr<MatterBook> matter_book_ = std::make_shared<MatterBook>();
    std::shared_ptr<RetentionBook> retention_ = std::make_shared<RetentionBook>();  // copied before a change if shared
    Hash configuration_{};
    std::uint32_t escrowed_ = 0;
    audit::Erasures erasures_;
    std::map<EntryIndex, EntryIndex> successors_;
    audit::LeafSet forgotten_;
    std::uint32_t newest_renewal_ = 0;
    std::map<std::uint8_t, std::uint64_t> counts_;
    std::uint64_t own_sequence_ = 0;  // source 0, the archive itself
    std::optional<EntryIndex> newest_content_;
    std::vector<std::pair<EntryIndex, Bytes>> unflushed_;
};

}  // namespace kustos::vault
