#include "search/src/index_files.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>

#include "search/analysis.h"
#include "search/src/shard_reader.h"

namespace kustos::search {
namespace {

constexpr std::uint64_t kMaxState = 64u << 10;

std::string name_of(ShardId id) {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(id.value));
    return text;
}

Status remove_if_there(Fs& fs, const Path& path) {
    Status removed = fs.remove(path);
    if (removed.ok() || removed.error().code() == Code::not_found) return ok_status();
    return removed;
}

}  // namespace

ShardFiles shard_files(const Path& index_dir, ShardId id) {
    const std::string name = name_of(id);
    return {index_dir / (name + ".open"),  index_dir / (name + ".glass"), index_dir / (name + ".glass.new"),
            index_dir / (name + ".words"), index_dir / (name + ".state"), index_dir / (name + ".making")};
}

Result<std::vector<FoundShard>> find_shards(Fs& fs, const Path& index_dir) {
    std::vector<FoundShard> out;
    if (!fs.exists(index_dir)) return out;
    std::map<std::uint64_t, FoundShard> by_id;
    for (const std::string& name : TRY(fs.list(index_dir))) {
        if (name.size() < 17 || name[16] != '.') continue;
        const auto id = parse_hex(name.substr(0, 16));
        if (!id.ok()) continue;
        const std::string kind = name.substr(17);
        FoundShard& shard = by_id[load_u64(id->data())];
        shard.id = ShardId(load_u64(id->data()));
        if (kind == "glass") shard.closed = true;
        if (kind == "open") shard.open_dir = true;
    }
    for (const auto& [id, shard] : by_id) out.push_back(shard);
    return out;
}

Result<ShardState> read_state_file(Fs& fs, const Path& path, ByteView term_key) {
    return decode_state(TRY(read_file(fs, path, kMaxState)), term_key);
}

Status remove_tree(Fs& fs, const Path& dir) {
    if (!fs.exists(dir)) return ok_status();
    for (const std::string& name : TRY(fs.list(dir))) {
        if (TRY(fs.is_dir(dir / name))) {
            TRY(remove_tree(fs, dir / name));
        } else {
            TRY(remove_if_there(fs, dir / name));
        }
    }
    std::error_code failed;
    std::filesystem::remove(dir, failed);
    if (failed) return Error(Code::environment, "can't remove a folder of the index");
    return ok_status();
}

namespace {

bool holds(const std::vector<ShardId>& ids, ShardId id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
}

// States of all shards, replaced ones included. nullopt: a closed shard went away meanwhile.
Result<std::optional<std::vector<ShardState>>> read_states(Fs& fs, const Path& index_dir) {
    std::vector<ShardState> out;
    for (const FoundShard& found : TRY(find_shards(fs, index_dir))) {
        if (!found.closed && !found.open_dir) continue;
        auto state = read_state_file(fs, shard_files(index_dir, found.id).state, {});
        if (!state.ok() && state.error().code() == Code::not_found) {
            if (found.closed && !fs.exists(shard_files(index_dir, found.id).glass))
                return std::optional<std::vector<ShardState>>();
            continue;  // nothing committed yet
        }
        ShardState shard = TRY(std::move(state));
        if (shard.id != found.id) return Error(Code::corrupt, "a shard's state belongs to another shard");
        shard.closed = found.closed;
        out.push_back(std::move(shard));
    }
    return std::optional(std::move(out));
}

Result<std::vector<ShardState>> states_now(Fs& fs, const Path& index_dir) {
    constexpr int kTries = 10;
    for (int number = 0; number < kTries; ++number) {
        if (auto states = TRY(read_states(fs, index_dir))) return std::move(*states);
    }
    return Error(Code::overloaded, "the index is being rewritten: ask again");
}

}  // namespace

std::vector<ShardId> replaced_shards(const std::vector<ShardState>& shards) {
    std::vector<ShardId> out;
    for (const ShardState& shard : shards) {
        if (shard.closed) out.insert(out.end(), shard.replaces.begin(), shard.replaces.end());
    }
    return out;
}

Result<std::vector<ShardId>> outdated_shards(Fs& fs, const Path& index_dir) {
    std::vector<ShardId> out;
    for (const ShardState& shard : TRY(states_now(fs, index_dir))) {
        if (shard.analysis != kAnalysisVersion) out.push_back(shard.id);
    }
    return out;
}

Status remove_replaced(Fs& fs, const Path& index_dir) {
    const std::vector<ShardId> gone = replaced_shards(TRY(states_now(fs, index_dir)));
    for (const FoundShard& found : TRY(find_shards(fs, index_dir))) {
        if (holds(gone, found.id)) TRY(remove_shard(fs, index_dir, found.id));
    }
    return ok_status();
}

Result<IndexSummary> summarise(Fs& fs, const Path& index_dir) {
    IndexSummary out;
    std::vector<ShardState> states = TRY(states_now(fs, index_dir));
    const std::vector<ShardId> gone = replaced_shards(states);
    for (ShardState& shard : states) {
        if (holds(gone, shard.id) || shard.analysis != kAnalysisVersion) continue;
        out.counts += shard.counts;
        for (const auto& [reason, count] : shard.reasons) out.reasons[reason] += count;
        out.end = std::max(out.end, shard.end);
        out.shards.push_back(std::move(shard));
    }
    return out;
}

Result<std::vector<EntryIndex>> accounted_entries(Fs& fs, const Path& index_dir, ShardKeys& keys) {
    std::vector<EntryIndex> out;
    const std::vector<ShardId> gone = replaced_shards(TRY(states_now(fs, index_dir)));
    for (const FoundShard& found : TRY(find_shards(fs, index_dir))) {
        if ((!found.closed && !found.open_dir) || holds(gone, found.id)) continue;
        auto reader = TRY(ShardReader::open(fs, index_dir, found, TRY(keys.key_of(found.id))));
        if (reader == nullptr) continue;
        for (const DocData& data : TRY(reader->all_rows())) out.push_back(data.entry);
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

Status remove_shard(Fs& fs, const Path& index_dir, ShardId id) {
    const ShardFiles files = shard_files(index_dir, id);
    TRY(remove_tree(fs, files.open_dir));
    TRY(remove_tree(fs, files.making));
    for (const Path& path : {files.glass, files.glass_new, files.words, files.state}) TRY(remove_if_there(fs, path));
    return fs.exists(index_dir) ? fs.sync_dir(index_dir) : ok_status();
}

}  // namespace kustos::search
