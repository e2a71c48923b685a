// Writes one new shard from old ones, document by document, in pieces that fit into memory. It is written as small
// databases that are joined at the end, as a bulk one is (search/src/shard_writer.h).
// Threads: one calls; large pieces are read and written by two.
#pragma once

#include <array>
#include <optional>
#include <unordered_set>

#include "base/workers.h"
#include "search/rewrite.h"
#include "search/src/index_files.h"
#include "search/src/shard_reader.h"
#include "search/src/term_table.h"

namespace kustos::search {

class ShardCopy {
public:
    ShardCopy(Fs& fs, Path index_dir, const EntrySet& erased, const EntrySet& dropped, Random& random,
              const RewriteOptions& options);

    // Everything of `shard` that is not dropped. `fresh` is asked for a key once, when the first shard turned out to be
    // one that can be copied and has something to keep. false: nothing was copied, some term has no known text.
    Result<bool> add(ShardReader& shard, ByteView old_key, ShardKeys& fresh);
    // Durable and whole when this returns, in place of `old`. Without anything to keep no new shard is made.
    Status finish(const std::vector<ShardId>& old);
    // Removes what was made so far.
    Status give_up();
    std::uint64_t records() const { return numbers_.counts.total(); }
    std::optional<ShardId> id() const { return shard_ ? std::optional(shard_->id) : std::nullopt; }
    std::uint64_t words_dropped() const { return words_dropped_; }

private:
    Status begin(ShardKeys& fresh);
    Status copy(ShardReader& shard, TermTable& table, const std::vector<DocData>& rows);
    // Documents that are read and written at once.
    struct Pass {
        Xapian::docid from = 1, end = 1;
        std::uint64_t words = 0;  // about
        bool shared = false;      // worth two threads
        // By document, of the first and the other half of the terms:
        // {u32 row of the table, u32 occurrences, u32 number of positions, u32 each}*
        std::array<std::vector<Bytes>, 2> postings;
    };
    struct Copied {
        Xapian::docid old = 0, fresh = 0;
        std::string data;
    };
    Pass next_pass(ShardReader& shard, Xapian::docid from) const;
    void read_postings(ShardReader& shard, TermTable& table, const std::vector<DocData>& rows, Pass& pass);
    std::vector<Copied> count_in(const std::vector<DocData>& rows, const Pass& pass);
    Status write(Pass& pass, const TermTable& table, const std::vector<Copied>& documents);
    Status begin_part();
    void both(bool shared, const std::function<void(std::size_t half)>& work);
    std::map<std::string, std::uint64_t> count_reasons() const;
    void keep_words(const WordsRead& log, const TermTable& table);
    Status commit(const std::vector<ShardId>& old);
    void step(std::string_view what) const;

    Fs& fs_;
    Path index_dir_;
    const EntrySet& erased_;
    const EntrySet& dropped_;  // all of these, and more
    Random& random_;
    const RewriteOptions& options_;
    Stemmer stemmer_;

    std::optional<NewShard> shard_;  // once it is begun
    ShardFiles files_;
    std::optional<TermKey> terms_;
    std::optional<DocKey> docs_;
    std::optional<WordsWriter> words_;
    std::unordered_set<std::string> known_;  // u8 space, text; of the new words log
    Xapian::WritableDatabase database_;      // the newest part
    std::vector<Path> part_dirs_;
    std::uint64_t in_part_ = 0;      // words, about
    Xapian::docid last_ = 0;         // of all parts
    std::optional<Workers> helper_;  // once it is worth it
    ShardState numbers_;
    UtcTime earliest_, latest_;
    std::uint64_t words_dropped_ = 0;
};

}  // namespace kustos::search
