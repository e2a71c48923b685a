// Who runs queries for an opener apart: with the term keys of all shards, so near it. vault knows nothing of search;
// app wires a worker process behind this. Threads: one at a time.
#pragma once

#include "vault/key_service.h"

namespace kustos::vault {

class Finder {
public:
    virtual ~Finder() = default;
    struct Ask {
        std::string query;
        bool by_relevance = false, german = false;
        std::uint64_t sealed = 0;  // records there are
        EntrySet erased;
        std::string scope;               // the matter's: beside the query, as one tree; empty: the whole archive
        std::optional<EntrySet> within;  // likewise
    };
    struct Found {
        std::vector<EntryIndex> entries;  // all, in order
        std::array<std::uint64_t, 7> coverage{};
        audit::Unsearched unsearched;
        EntryIndex end;  // one past the newest record in the index
    };
    using ShardKey = std::function<Result<SecretBytes>(std::uint32_t shard)>;
    virtual Result<Found> find(const Ask& ask, const ShardKey& keys) = 0;
    virtual Result<EntrySet> accounted(const ShardKey& keys) = 0;
    // Takes words out of closed shards (search/rewrite.h), beside the queries, in a worker that can write the index. It
    // ends with the object.
    class Rewriting {
    public:
        virtual ~Rewriting() = default;
        struct NewShard {
            std::uint32_t shard = 0;
            SecretBytes term_key;
        };
        // Until it is done, or wants a new shard (nothing is returned): its key comes with the next call.
        virtual Result<std::optional<RewriteDone>> go_on(std::optional<NewShard> made, const ShardKey& keys) = 0;
    };
    virtual Result<std::unique_ptr<Rewriting>> rewrite(const RewriteOrder& order, const EntrySet& erased) = 0;
    virtual void forget() = 0;  // the vault was closed: nothing of keys stays
};

}  // namespace kustos::vault
