// One leaf of the ledger: a header of 116 bytes and a public body. docs/format/ledger.md has the byte tables.
//
// The header commits to what the vault holds (sealed fields through the content root, ciphertext through its hash) and
// names no content. The body is empty for records and blobs, else a sequence of {tag, length, value} without personal
// data, so that an auditor without keys can read it.
//
// Errors: decode_* take foreign bytes: Code::bad_input for everything that is not the one canonical encoding. encode()
// of a header that decode would refuse is a CHECK: callers build entries, they don't pass them on. Threads: values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/entry_set.h"
#include "base/ids.h"
#include "base/time.h"

namespace kustos::audit {

inline constexpr std::size_t kHeaderSize = 116;
inline constexpr std::size_t kPartASize = 76;
inline constexpr std::size_t kMaxBody = 65'419;  // header and body fit a tlog-tiles entry (65,535 bytes)
inline constexpr std::uint16_t kMaxFields = 4'096;
inline constexpr std::uint32_t kLeavesPerKeyTree = 1U << 20;
inline constexpr std::uint64_t kMaxCiphertext = std::uint64_t{1} << 40;

enum class Kind : std::uint8_t { record = 1, blob = 2, access = 3, erasure = 4, control = 5 };
enum class Suite : std::uint8_t { none = 0, aes256_gcm = 1, xchacha20_poly1305 = 2 };

struct EntryHeader {
    Kind kind = Kind::control;
    Suite suite = Suite::none;  // none: no sealed payload, and everything from tree on is zero
    ClassCode retention_class;
    SourceId source;
    std::uint64_t sequence = 0;  // of the source, gap-free from 0, counts each of its entries
    RecordId record;
    KeyTreeId tree;
    LeafNumber leaf;
    std::uint16_t field_count = 0;
    Hash content_root;
    std::uint64_t ciphertext_length = 0;  // tags included
    Hash ciphertext_hash;                 // SHA-256, tags included
    bool operator==(const EntryHeader&) const = default;
};

struct Entry {
    EntryHeader header;
    Bytes body;
    bool operator==(const Entry&) const = default;
};

Bytes encode(const Entry& entry);
Bytes encode_header(const EntryHeader& header);
// Refuses: unknown version, kind or suite; fields that must be zero; a body where none may be; a body that is not
// canonical TLV; a control, access or erasure entry without exactly one `action`.
Result<Entry> decode_entry(ByteView bytes);
Result<EntryHeader> decode_header(ByteView bytes);  // the first 116 bytes of an entry; more may follow

// --- commitments (sealing.md, "Payload and field commitments") -----------------------------------
Bytes part_a(const EntryHeader& header);  // up to and including the content root
// AAD of every chunk: SHA-256(vault id || part A || SHA-256(body)).
Hash chunk_aad(const VaultId& vault, const EntryHeader& header, ByteView body);
Hash content_root(const Hash& key_commitment, const Hash& field_root);  // 0x02
Hash field_commitment(ByteView encoded_field);                          // 0x03
Hash field_root(std::span<const Hash> commitments);                     // 0x04
// F_i = version 1 || record id || salt || i || path code || ordinal || type || u64 length || value
Bytes encode_field(const RecordId& record, ByteView salt32, std::uint16_t i, std::uint16_t path, std::uint16_t ordinal,
                   std::uint8_t type, ByteView value);
// F_i without the value, for one that comes in pieces or need not be copied.
inline constexpr std::size_t kFieldHead = 1 + 16 + 32 + 2 + 2 + 2 + 1 + 8;
std::array<std::uint8_t, kFieldHead> encode_field_head(const RecordId& record, ByteView salt32, std::uint16_t i,
                                                       std::uint16_t path, std::uint16_t ordinal, std::uint8_t type,
                                                       std::uint64_t length);
Hash field_commitment(ByteView field_head, ByteView value);

// --- public bodies ----------------------------------------------------------------------------------
enum class Tag : std::uint16_t {
    action = 1,            // u16: ControlAction, AccessAction or ErasureAction, by kind
    time = 2,              // i64 milliseconds since 1970, the archive's clock
    vault_id = 3,          // 16 bytes
    origin = 4,            // text
    vkey = 5,              // text, signed-note verifier key
    certificate = 6,       // DER; longer than 65,535 bytes: in order, over repeated tags
    name = 7,              // text
    source_kind = 8,       // text
    retention_class = 9,   // u16
    tree = 10,             // u32
    year = 11,             // u16
    generation = 12,       // u32
    box_hash = 13,         // SHA-256 of the sealed box's file
    key_check = 14,        // 32 bytes
    intake_key = 15,       // 32 bytes, X25519
    checkpoint_size = 16,  // u64
    note_hash = 17,        // SHA-256 of the published note
    token_hash = 18,       // SHA-256 of the token's DER
    authority = 19,        // text
    previous_size = 20,    // u64
    count = 21,            // u64
    list_root = 22,        // hash
    matter = 23,           // u64 entry index
    code = 24,             // text, a finding's stable code
    entry = 25,            // u64 entry index
    method = 26,           // text
    until = 27,            // i64 milliseconds
    related_hash = 28,     // hash
    keyring_hash = 29,     // hash
    tsa_root_hash = 30,    // SHA-256 of the builtin authority's root certificate
    total = 31,            // u64
    shard = 32,            // u32
    leaf_range = 33,       // 28 bytes, LeafRange; repeated
    renewal = 34,          // u32, its number
    manifest_hash = 35,    // SHA-256 of a renewal's manifest
    previous_origin = 36,  // text
    previous_vkey = 37,    // text
    root = 38,             // hash, of the first checkpoint_size entries
    remembered_size = 39,  // u64, what somebody else remembers of the ledger before
    remembered_root = 40,  // hash; absent: not known
    nonce = 41,            // at most 64 bytes, an auditor's
    erasure = 42,          // 16 bytes: what ties the entries of one erasure run together
    part = 43,             // u32, from 0
    parts = 44,            // u32
    successor = 45,        // u64 entry index
    // 46 to 49: erasure
    version = 50,        // u32
    period_months = 51,  // u16
    start = 52,          // text: created, process_end, relation_end
    counted = 53,        // text: day, year_end
    legal_basis = 54,    // text
    office = 55,         // text
    at_end = 56,         // text: erase, offer
    entry_range = 57,    // u64 first entry, u64 last entry; any number of them in a row, ascending
    rule = 58,           // 40 bytes: an assignment rule; repeated, in order
    day = 59,            // u32: 20260302
    slots_hash = 60,     // SHA-256 of keys/slots as it becomes
    // 61 to 64: unlocking; 65 to 69: backups
    profile = 70,  // a capture profile (vault/capture_profile.h)
    tally = 71,    // rows of u8 length || machine word || u64 count, joined
    finding = 72,  // u64 entry index
};

enum class ControlAction : std::uint16_t {
    archive_created = 1,
    evidence_key = 2,
    generation_opened = 3,
    source_added = 4,
    source_changed = 5,
    tree_opened = 6,
    shard_opened = 7,
    checkpoint_published = 8,
    anchor_stored = 9,
    matter_opened = 10,
    matter_closed = 11,
    vault_unlocked = 12,
    vault_locked = 13,
    finding = 14,
    account_added = 15,
    class_defined = 16,
    evidence_renewed = 17,
    key_rotated = 18,
    archive_continued = 19,
    source_heartbeat = 20,
    source_counted = 21,
    configuration_changed = 22,
    verification_reported = 23,
    sample_drawn = 24,
    sample_judged = 25,
    record_succeeded = 26,
    rules_set = 27,
    record_reclassified = 28,
    start_event = 29,
    hold_set = 30,
    hold_changed = 31,
    hold_released = 32,
    hold_decided = 33,
    restriction_set = 34,
    restriction_lifted = 35,
    disposition_listed = 36,
    disposition_reviewed = 37,
    disposition_released = 38,
    // 39: retention and holds
    slots_changed = 40,
    // 41, 42: unlocking
    escrow_stored = 43,
    // 44: backups
    archive_restored = 45,
    exit_exported = 46,
    certificate_issued = 47,
    finding_resolved = 50,  // what was missing has come
    profile_set = 51,
    promise_made = 52,            // what a counterpart says it has given, and what was sealed of it
    completeness_certified = 53,  // before a certificate of completeness is signed
    quarantine_reparsed = 54,     // read again; count: records that were sealed of it
    source_cleared = 55,          // before what is proven sealed is taken out of a counterpart
    // 56 to 59: sources
    persons_imported = 60,  // an address book was read; count: cards that were sealed
    persons_joined = 61,    // by hand: the cards of entry_range are one person's
    persons_split = 62,     // by hand: they are not
    // 63 to 69: persons
    matter_scoped = 70,   // what the searches of a matter may find, from now on
    results_frozen = 71,  // its index names the result set; count, list_root: of what was found
    search_saved = 72,    // a query of a matter, to be run again
    search_forgotten = 73,
    hashes_added = 74,  // a list of attachments' sums; count: how many
    hashes_removed = 75,
    hits_reported = 76,   // before a hit report is written; count: terms, total: records that they find together
    records_tagged = 77,  // labels and decisions of a matter's review; count, list_root: of the records
    records_untagged = 78,
    records_coded = 79,
    code_cleared = 80,
    index_checked = 81,  // the index was compared with the ledger; count: records in it, total: missing or in doubt
};
enum class AccessAction : std::uint16_t {
    search = 1,
    open = 2,
    export_ = 3,
    audit_read = 4,
    index = 5,  // records are taken into the index, with an opener apart
};
enum class ErasureAction : std::uint16_t {
    begun = 1,               // intent: what is going to be destroyed; the run is finished whatever happens
    done = 2,                // its keys are destroyed
    ciphertext_removed = 3,  // compaction: every ciphertext that entries `done` below checkpoint_size cover is gone
    terms_removed = 4,       // likewise the index shards that held their words
    final_ = 5,              // likewise the escrow copies of the generations in which the keys still were
};

// Leaves of one key tree that are destroyed together, and the entries of the first and the last of them that is used.
// Leaves and entries ascend together, so that a reader finds the others between. The last leaf may lie beyond the last
// used one: nothing will ever use it.
struct LeafRange {
    KeyTreeId tree;
    LeafNumber first, last;
    EntryIndex first_entry, last_entry;
    bool operator==(const LeafRange&) const = default;
};

// Builds a body. Rows may be put in any order: encode() sorts by tag and keeps the order of repeated ones.
class Body {
public:
    Body() = default;
    explicit Body(ControlAction action) { put_u16(Tag::action, static_cast<std::uint16_t>(action)); }
    explicit Body(AccessAction action) { put_u16(Tag::action, static_cast<std::uint16_t>(action)); }
    explicit Body(ErasureAction action) { put_u16(Tag::action, static_cast<std::uint16_t>(action)); }
    static Result<Body> decode(ByteView bytes);  // to go on with an encoded one

    Body& put_u16(Tag tag, std::uint16_t value);
    Body& put_u32(Tag tag, std::uint32_t value);
    Body& put_u64(Tag tag, std::uint64_t value);
    Body& put_time(Tag tag, UtcTime value);
    Body& put_hash(Tag tag, const Hash& value);
    Body& put_text(Tag tag, std::string_view value);
    Body& put_bytes(Tag tag, ByteView value);  // more than 65,535 bytes: split over repeated tags
    Body& put_leaf_range(const LeafRange& range);
    Body& put_entry_ranges(std::span<const EntrySet::Interval> ranges);  // Tag::entry_range; ascending, apart
    bool has(Tag tag) const;
    Body& remove(Tag tag);  // every row of it
    Bytes encode() const;   // CHECKs kMaxBody
    std::size_t encoded_size() const;

private:
    std::vector<std::pair<std::uint16_t, Bytes>> rows_;
};

// Reads a body. Absent is nullopt; a row of the wrong length, or one repeated where one is meant, is nullopt too: the
// caller who needs it refuses the entry.
class BodyReader {
public:
    // Code::bad_input: a row beyond the end, tags not ascending, more than kMaxBody bytes. Views stay valid as long as
    // the bytes given here.
    static Result<BodyReader> parse(ByteView body);
    std::optional<std::uint16_t> find_u16(Tag tag) const;
    std::optional<std::uint32_t> find_u32(Tag tag) const;
    std::optional<std::uint64_t> find_u64(Tag tag) const;
    std::optional<UtcTime> find_time(Tag tag) const;
    std::optional<Hash> find_hash(Tag tag) const;
    std::optional<std::string> find_text(Tag tag) const;  // well-formed UTF-8 without control characters
    std::optional<Bytes> find_bytes(Tag tag) const;       // rows of a repeated tag joined
    std::vector<ByteView> all(Tag tag) const;
    std::optional<std::vector<LeafRange>> leaf_ranges() const;
    // Every Tag::entry_range; empty if there is none. Absent: not ascending, or one of a wrong length.
    std::optional<EntrySet> entry_set() const;

private:
    std::optional<ByteView> single(Tag tag, std::size_t size) const;
    std::vector<std::pair<std::uint16_t, ByteView>> rows_;
};

// The action of a control entry; nullopt for other kinds. An action that this version does not know is returned as it
// is.
std::optional<ControlAction> control_action(const Entry& entry);
std::optional<AccessAction> access_action(const Entry& entry);
std::optional<ErasureAction> erasure_action(const Entry& entry);

}  // namespace kustos::audit
