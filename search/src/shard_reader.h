// One shard, open for asking. Holds its key while it lives.
// Threads: one at a time.
#pragma once

#include <xapian.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "search/src/doc_data.h"
#include "search/src/index_files.h"
#include "search/src/term.h"

namespace kustos::search {

// The words of a shard, for prefixes.
struct ShardWords {
    std::vector<std::string> plain;                          // sorted
    std::vector<std::pair<std::string, std::string>> forms;  // form, plain; sorted; only where they differ
};

class ShardReader {
public:
    // nullptr: nothing was committed to it yet. Code kAskAgain (conflict): it was closed or removed meanwhile.
    static Result<std::unique_ptr<ShardReader>> open(Fs& fs, const Path& index_dir, const FoundShard& found,
                                                     SecretBytes key);

    ShardId id() const { return id_; }
    bool closed() const { return closed_; }
    const ShardState& state() const { return state_; }
    const TermKey& terms() const { return terms_; }
    const Xapian::Database& database() const { return database_; }
    UtcTime earliest() const { return earliest_; }
    UtcTime latest() const { return latest_; }

    Status refresh();  // an open shard may have grown
    Result<DocData> row(Xapian::docid id);
    Result<std::vector<DocData>> all_rows();
    // Forms of all words that begin with the letters, at most `most` + 1 of them.
    Result<std::vector<std::string>> expand(const std::string& plain_letters, const std::string& form_letters,
                                            std::size_t most);

private:
    ShardReader(Fs& fs, ShardFiles files, ShardId id, bool closed, SecretBytes key);
    Status check_whole() const;
    Status load_numbers();
    Status load_words();

    Fs& fs_;
    ShardFiles files_;
    ShardId id_;
    bool closed_;
    SecretBytes key_;
    TermKey terms_;
    DocKey docs_;
    Xapian::Database database_;
    ShardState state_;
    UtcTime earliest_, latest_;
    std::vector<DocData> rows_;  // by document id - 1; entry kNotRead: not read yet
    std::optional<ShardWords> words_;
    std::uint64_t words_read_ = 0;  // bytes of the log
};

}  // namespace kustos::search
