// The index on disk: shards, each under a random term key of its own (docs/format/index.md). Nothing in index/ is clear
// but numbers: entry range, counts. It can be thrown away and rebuilt.
//
// One shard is open and appended by one Indexer; the others are closed: one Xapian file, one words log, one state file.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/entry_set.h"
#include "base/fs.h"
#include "base/ids.h"
#include "base/secret.h"
#include "base/time.h"

namespace kustos::search {

using ShardId = StrongInt<struct ShardIdTag>;

inline constexpr std::int64_t kShardMinutes = 15;
inline constexpr std::uint32_t kShardRecords = 50'000;
inline constexpr std::size_t kTermKeySize = 32;
inline constexpr std::size_t kMaxReasonWord = 40;  // of [a-z0-9-]

// Who keeps term keys. The engine implements it: a new key is random, sealed to the intake key in a box that is written
// twice and named by a control entry before open_shard() returns.
struct NewShard {
    ShardId id;            // never used before
    SecretBytes term_key;  // kTermKeySize bytes
};
class ShardKeys {
public:
    virtual ~ShardKeys() = default;
    virtual Result<NewShard> open_shard() = 0;
    // Code::closed while the vault is closed (the sealer still answers for the shard it has open); Code::not_found if
    // the key is gone for good.
    virtual Result<SecretBytes> key_of(ShardId id) = 0;
    // What accounted_entries() says, from somebody who has the keys that this one has not. Nothing: ask the shards.
    virtual Result<std::optional<EntrySet>> accounted() { return std::optional<EntrySet>(); }
    // The shard is closed: whoever seals forgets its key, and from then on only an opened vault has it.
    virtual void forget(ShardId id) = 0;
};

// How much of a record can be found.
enum class RecordState : std::uint8_t {
    searchable = 1,  // all of its text
    partial = 2,     // its text, but an attachment not or not wholly
    opaque = 3,      // nothing: encrypted, audio, picture without text, unreadable
    failed = 4,      // could not be read or indexed now
};
std::string_view state_name(RecordState state);

struct StateCounts {
    std::uint64_t searchable = 0, partial = 0, opaque = 0, failed = 0;
    std::uint64_t total() const { return searchable + partial + opaque + failed; }
    std::uint64_t& of(RecordState state);
    StateCounts& operator+=(const StateCounts& other);
    bool operator==(const StateCounts&) const = default;
};

// One shard's clear numbers (its .state file).
struct ShardState {
    ShardId id;
    bool closed = false;  // compacted to one file; not part of the encoding
    std::uint16_t analysis = 0;
    UtcTime opened_at;
    EntryIndex first;  // smallest and one past the largest entry in it; equal if it is empty
    EntryIndex end;
    StateCounts counts;
    std::uint64_t words_bytes = 0;                 // length of the words log at the last index commit
    std::map<std::string, std::uint64_t> reasons;  // why records are partial, opaque or failed
    // Of a rewritten shard (search/rewrite.h): as soon as it is whole, the shards that it replaces are no more, whether
    // or not their files still lie there. Ascending, at most kMaxReplaced.
    std::vector<ShardId> replaces;
    // So many entries of [first, end) were erased when this was written, and none of them is in the shard. Erased
    // entries only become more: while there are as many, none is in it.
    std::uint64_t erased_apart = 0;
};
inline constexpr std::size_t kMaxReplaced = 4'096;
Bytes encode_state(const ShardState& state, ByteView term_key);
// term_key may be empty: then the authentication code is not checked. Code::corrupt otherwise.
Result<ShardState> decode_state(ByteView bytes, ByteView term_key);

// What the index says without any key. Threads: a free function; safe beside an Indexer.
struct IndexSummary {
    std::vector<ShardState> shards;  // by id
    StateCounts counts;
    std::map<std::string, std::uint64_t> reasons;
    EntryIndex end;  // one past the largest entry accounted for, 0 if none
};
Result<IndexSummary> summarise(Fs& fs, const Path& index_dir);

// Shards that a whole rewritten shard replaces.
std::vector<ShardId> replaced_shards(const std::vector<ShardState>& shards);

// Every entry that a shard accounts for, ascending; needs every shard's key (Code::closed). For finding what is
// deferred.
Result<std::vector<EntryIndex>> accounted_entries(Fs& fs, const Path& index_dir, ShardKeys& keys);

// Removes a shard's files, if any. The shard's records become deferred.
Status remove_shard(Fs& fs, const Path& index_dir, ShardId id);

}  // namespace kustos::search
