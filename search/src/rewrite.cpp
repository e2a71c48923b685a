#include "search/rewrite.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "search/src/index_files.h"
#include "search/src/merge_plan.h"
#include "search/src/shard_copy.h"

namespace kustos::search {
namespace {

struct Task {
    std::vector<ShardState> shards;
    bool joins = false;
};

class Rewriter {
public:
    Rewriter(Fs& fs, const Path& index_dir, ShardKeys& keys, const EntrySet& erased, Random& random,
             const RewriteOptions& options)
        : fs_(fs),
          index_dir_(index_dir),
          keys_(keys),
          erased_(erased),
          dropped_(erased),
          random_(random),
          options_(options) {
        dropped_.add(options.reindex);
    }

    Result<RewriteReport> run() {
        TRY(remove_rubbish());
        for (const Task& task : TRY(plan())) {
            if (options_.stop && options_.stop())
                return Error(Code::interrupted, "rewriting the index was stopped; what is done stays");
            TRY(work_off(task));
        }
        return report_;
    }

private:
    // What a crash in here left behind.
    Status remove_rubbish() {
        const std::vector<FoundShard> before = TRY(find_shards(fs_, index_dir_));
        TRY(remove_replaced(fs_, index_dir_));
        for (const FoundShard& found : TRY(find_shards(fs_, index_dir_))) {
            if (!found.closed && !found.open_dir) TRY(remove_shard(fs_, index_dir_, found.id));
            if (found.closed) TRY(remove_tree(fs_, shard_files(index_dir_, found.id).making));
        }
        const std::vector<ShardId> left = TRY(shards_with_files(fs_, index_dir_));
        for (const FoundShard& found : before) {
            if (!std::binary_search(left.begin(), left.end(), found.id)) report_.gone.push_back(found.id);
        }
        return ok_status();
    }

    static std::uint64_t in_range(const EntrySet& entries, const ShardState& shard) {
        return entries.count_below(shard.end) - entries.count_below(shard.first);
    }

    Result<std::vector<Task>> plan() {
        std::vector<ShardState> closed;
        for (ShardState& shard : TRY(summarise(fs_, index_dir_)).shards) {
            const bool suspect = in_range(erased_, shard) > shard.erased_apart || in_range(options_.reindex, shard) > 0;
            if (!shard.closed) {
                if (suspect) return Error(Code::conflict, "the open shard of the index must be closed first");
                continue;
            }
            ++report_.looked_at;
            if (suspect && TRY(look_into(shard))) marked_.insert(shard.id);
            if (!is_given_up(shard.id)) closed.push_back(std::move(shard));
        }
        return tasks_of(std::move(closed));
    }

    std::vector<Task> tasks_of(std::vector<ShardState> closed) const {
        std::vector<Task> tasks;
        std::set<ShardId> planned;
        if (options_.merge) {
            for (std::vector<ShardState>& group : plan_merges(closed, options_)) {
                for (const ShardState& shard : group) planned.insert(shard.id);
                tasks.push_back({std::move(group), true});
            }
        }
        for (ShardState& shard : closed) {
            if (marked_.count(shard.id) != 0 && planned.count(shard.id) == 0)
                tasks.push_back({{std::move(shard)}, false});
        }
        return tasks;
    }

    // Whether it holds something that must go. One that does not says so from now on without a key.
    Result<bool> look_into(const ShardState& shard) {
        auto key = keys_.key_of(shard.id);
        if (!key.ok() && key.error().code() == Code::not_found) {
            TRY(give_up(shard.id));
            return false;
        }
        const SecretBytes term_key = TRY(std::move(key));
        auto rows = rows_of(shard.id, term_key);
        if (!rows.ok()) {
            if (rows.error().code() != Code::corrupt) return std::move(rows).error();
            TRY(give_up(shard.id));
            return false;
        }
        for (const DocData& data : *rows) {
            if (dropped_.contains(data.entry)) return true;
        }
        if (in_range(erased_, shard) > shard.erased_apart) {
            ShardState fresh = shard;
            fresh.erased_apart = in_range(erased_, shard);
            TRY(replace_file(fs_, shard_files(index_dir_, shard.id).state, encode_state(fresh, term_key.view())));
        }
        return false;
    }

    Result<std::vector<DocData>> rows_of(ShardId id, const SecretBytes& key) {
        auto reader = TRY(ShardReader::open(fs_, index_dir_, {id, true, false}, key.clone()));
        if (reader == nullptr) return std::vector<DocData>();
        return reader->all_rows();
    }

    bool is_given_up(ShardId id) const {
        return std::find(report_.given_up.begin(), report_.given_up.end(), id) != report_.given_up.end();
    }

    Status give_up(ShardId id) {
        log(LogLevel::warning, "shard can't be rewritten and is removed; its records are deferred", {{"shard", id}});
        report_.given_up.push_back(id);
        report_.gone.push_back(id);
        return remove_shard(fs_, index_dir_, id);
    }

    // Of a shard that can't be copied: it goes if something in it must go.
    Status leave(ShardId id) {
        left_.insert(id);
        return marked_.count(id) != 0 ? give_up(id) : ok_status();
    }

    Status work_off(const Task& task) {
        for (;;) {
            ShardCopy copy(fs_, index_dir_, erased_, dropped_, random_, options_);
            const auto done = copy_all(task, copy);
            if (done.ok() && *done) return ok_status();
            const Status removed = copy.give_up();
            if (!done.ok()) return done.error();
            TRY(removed);
        }
    }

    // false: a shard turned out to be damaged; again, without it.
    Result<bool> copy_all(const Task& task, ShardCopy& copy) {
        std::vector<ShardId> done;
        std::uint64_t records = 0, marked = 0;
        for (const ShardState& shard : task.shards) {
            if (left_.count(shard.id) != 0) continue;
            const SecretBytes key = TRY(keys_.key_of(shard.id));
            const auto added = add(shard.id, key, copy);
            if (!added.ok()) {
                if (added.error().code() != Code::corrupt) return added.error();
                TRY(leave(shard.id));
                return false;
            }
            if (!*added) {
                TRY(leave(shard.id));
                continue;
            }
            done.push_back(shard.id);
            records += shard.counts.total();
            marked += marked_.count(shard.id);
        }
        // one alone, with nothing to forget, is as good as its copy
        if (done.empty() || (done.size() == 1 && marked == 0)) {
            TRY(copy.give_up());
            return true;
        }
        std::sort(done.begin(), done.end());
        TRY(copy.finish(done));
        if (const auto made = copy.id()) keys_.forget(*made);
        report_.gone.insert(report_.gone.end(), done.begin(), done.end());
        report_.rewritten += marked;
        report_.joined += done.size() - marked;
        report_.written += copy.records() > 0 ? 1 : 0;
        report_.documents_dropped += records - copy.records();
        report_.words_dropped += copy.words_dropped();
        return true;
    }

    Result<bool> add(ShardId id, const SecretBytes& key, ShardCopy& copy) {
        auto reader = TRY(ShardReader::open(fs_, index_dir_, {id, true, false}, key.clone()));
        if (reader == nullptr) return Error(Code::corrupt, "a closed shard without a commit");
        return copy.add(*reader, key.view(), keys_);
    }

    Fs& fs_;
    const Path& index_dir_;
    ShardKeys& keys_;
    const EntrySet& erased_;
    EntrySet dropped_;  // erased, and to be indexed again
    Random& random_;
    const RewriteOptions& options_;
    std::set<ShardId> marked_;  // hold something that must go
    std::set<ShardId> left_;    // can't be copied
    RewriteReport report_;
};

}  // namespace

Result<std::vector<ShardId>> shards_with_files(Fs& fs, const Path& index_dir) {
    std::vector<ShardId> out;
    for (const FoundShard& found : TRY(find_shards(fs, index_dir))) out.push_back(found.id);
    return out;
}

Result<RewriteReport> rewrite_shards(Fs& fs, const Path& index_dir, ShardKeys& keys, const EntrySet& erased,
                                     const Clock& clock, Random& random, const RewriteOptions& options) {
    const std::int64_t begun = clock.monotonic_ms();
    if (!fs.exists(index_dir)) return RewriteReport();
    RewriteReport report = TRY(Rewriter(fs, index_dir, keys, erased, random, options).run());
    std::sort(report.gone.begin(), report.gone.end());
    report.ms = clock.monotonic_ms() - begun;
    return report;
}

}  // namespace kustos::search
