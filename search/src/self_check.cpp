#include "search/self_check.h"

#include <algorithm>
#include <map>

#include "search/src/index_files.h"
#include "search/src/shard_reader.h"
#include "search/src/words_log.h"
#include "search/src/xapian_guard.h"

namespace kustos::search {
namespace {

// Its tables, each document's data, and the words log.
Result<std::vector<DocData>> read_wholly(Fs& fs, const Path& index_dir, const FoundShard& found, SecretBytes key) {
    const ShardFiles files = shard_files(index_dir, found.id);
    const SecretBytes own(key.view());
    if (found.closed) {
        const std::size_t errors = TRY(guarded("checking a shard", [&]() -> Result<std::size_t> {
            return Xapian::Database::check(files.glass.string());
        }));
        if (errors != 0) return Error(Code::corrupt, "a shard's tables are damaged");
    }
    const auto reader = TRY(ShardReader::open(fs, index_dir, found, std::move(key)));
    if (reader == nullptr) return std::vector<DocData>();
    const Bytes log = TRY(read_file(fs, files.words, kMaxWordsLog));
    TRY(read_words(log, own.view(), found.id, reader->state().words_bytes));
    return reader->all_rows();
}

// A file that can't be read is made again as one that is wrong.
bool is_damage(Code code) {
    return code == Code::corrupt || code == Code::not_found || code == Code::conflict || code == Code::internal ||
           code == Code::environment;
}

}  // namespace

Result<SelfCheck> check_shards(Fs& fs, const Path& index_dir, ShardKeys& keys, const EntrySet& expected,
                               const std::function<bool()>& stop,
                               const std::function<void(std::uint64_t, std::uint64_t)>& step) {
    SelfCheck out;
    TRY(remove_replaced(fs, index_dir));
    const std::vector<FoundShard> shards = TRY(find_shards(fs, index_dir));
    std::map<std::uint64_t, std::vector<EntryIndex>> entries;  // by shard
    std::map<std::uint64_t, std::uint64_t> holder;             // of each entry, the first shard
    std::vector<std::uint64_t> doubtful;
    for (const FoundShard& found : shards) {
        if (stop && stop()) return Error(Code::interrupted, "the check was stopped");
        if (step) step(out.shards, shards.size());
        if (!found.closed && !found.open_dir) continue;
        ++out.shards;
        auto key = keys.key_of(found.id);
        if (!key.ok() && key.error().code() == Code::closed) return std::move(key).error();
        auto rows = key.ok() ? read_wholly(fs, index_dir, found, std::move(*key))
                             : Result<std::vector<DocData>>(std::move(key).error());
        if (!rows.ok() && !is_damage(rows.error().code())) return std::move(rows).error();
        if (!rows.ok()) {
            out.damaged.push_back(found.id);
            continue;
        }
        for (const DocData& row : *rows) {
            const auto [first, fresh] = holder.try_emplace(row.entry.value, found.id.value);
            if (!fresh) doubtful.insert(doubtful.end(), {first->second, found.id.value});
            if (!expected.contains(row.entry)) doubtful.push_back(found.id.value);
            entries[found.id.value].push_back(row.entry);
        }
        out.records += rows->size();
    }
    std::sort(doubtful.begin(), doubtful.end());
    doubtful.erase(std::unique(doubtful.begin(), doubtful.end()), doubtful.end());
    for (const std::uint64_t id : doubtful) {
        out.doubtful.emplace_back(id);
        entries.erase(id);
    }
    for (const auto& [id, list] : entries) out.accounted.add(EntrySet(list));
    return out;
}

}  // namespace kustos::search
