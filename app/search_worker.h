// The process that runs queries for an opener apart (docs/architecture/opener.md): `kustos search-worker`, started by
// the nursery below, without keys. It asks for the term key of each shard over the one socket that it has, and keeps
// them until that socket closes. It can read index/, and nothing else; `kustos index-rewriter` can change it, too, and
// is started when words are to be taken out.
//
// Threads: WorkerFinder one at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/commands.h"
#include "base/local_socket.h"
#include "vault/finder.h"

namespace kustos::app {

// A small process that is forked off before its parent has keys, threads and walls, and starts workers when it is asked
// to. Ends with its parent.
class Nursery {
public:
    // The worker's command line; its first word is the program. Call before any thread is started.
    static Result<std::unique_ptr<Nursery>> start(const std::vector<std::string>& worker);
    // A new worker; its end of the socket is the worker's standard input. writes: one that may change index/.
    Result<LocalSocket> spawn(bool writes = false) const;

private:
    explicit Nursery(LocalSocket socket) : socket_(std::move(socket)) {}
    LocalSocket socket_;
};

class WorkerFinder final : public vault::Finder {
public:
    explicit WorkerFinder(std::unique_ptr<Nursery> nursery) : nursery_(std::move(nursery)) {}
    Result<Found> find(const Ask& ask, const ShardKey& keys) override;
    Result<EntrySet> accounted(const ShardKey& keys) override;
    Result<std::unique_ptr<Rewriting>> rewrite(const vault::RewriteOrder& order, const EntrySet& erased) override;
    void forget() override { worker_ = LocalSocket(); }  // the worker ends, and its keys with it

private:
    Result<Bytes> talk(const Bytes& request, const ShardKey& keys);
    std::unique_ptr<Nursery> nursery_;
    LocalSocket worker_;
};

// The worker itself: until its standard input ends.
// writes: it takes words out of shards, too.
Result<int> run_search_worker(Environment environment, const Path& index_dir, bool writes);

}  // namespace kustos::app
