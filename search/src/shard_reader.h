// One shard, open for asking. Holds its key while it lives.
// Threads: one at a time.
#pragma once

#include <xapian.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "search/src/doc_data.h"
#include "search/src/index_files.h"
#include "search/src/term.h"
#include "search/src/term_sketch.h"
#include "search/src/word_match.h"

namespace kustos::search {

// What a shard's words log tells.
struct ShardWords {
    std::vector<std::string> plain;                          // sorted
    std::vector<std::pair<std::string, std::string>> forms;  // form, plain; sorted; only where they differ
    std::vector<std::pair<std::string, std::string>> parts;  // stem of a part of a compound, its form; sorted
    std::map<Space, std::vector<std::string>> texts;         // of the spaces that can be counted or followed
};
// By its stems, which words of a shard are one word inflected; made when it is first needed.
struct ShardStems {
    std::vector<std::pair<std::string, std::string>> forms;  // stem, form; sorted; both differ
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
    Xapian::Database open_again() const;  // of a closed shard, for another thread; throws Xapian's errors
    UtcTime earliest() const { return earliest_; }
    UtcTime latest() const { return latest_; }

    // false: no document has the term. Of a small closed shard this is known without reading from it: of hundreds of
    // such, most do not have the word that is looked for.
    bool may_have(const std::string& term) const { return sketch_.may_have(term); }

    Status refresh();  // an open shard may have grown
    Result<DocData> row(Xapian::docid id);
    // After read_rows() of many, known_row() of each.
    Status read_rows(const std::vector<Xapian::docid>& ids);
    const DocData& known_row(Xapian::docid id) const { return rows_[id - 1]; }
    Result<std::vector<DocData>> all_rows();
    // Forms of all words that begin with the letters, at most `most` + 1 of them.
    Result<std::vector<std::string>> expand(const std::string& plain_letters, const std::string& form_letters,
                                            std::size_t most);
    // Forms of all words that match, at most `most` + 1 of them.
    Result<std::vector<std::string>> matching(const WordPattern& pattern, std::size_t most);
    // Forms of all words that a search for these stems finds in free text: with one of them, of one of them, or with a
    // part that has one. Ascending.
    Result<std::vector<std::string>> inflected(const std::vector<std::string>& stems);
    // What stands in a space that is kept as a whole: sources, senders, what was edited. Ascending.
    Result<const std::vector<std::string>*> texts(Space space);

private:
    ShardReader(Fs& fs, ShardFiles files, ShardId id, bool closed, SecretBytes key);
    Status check_whole() const;
    Status load_numbers();
    void load_terms();
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
    TermSketch sketch_;          // of a small closed shard alone
    std::optional<ShardWords> words_;
    std::optional<ShardStems> stems_;
    std::uint64_t words_read_ = 0;  // bytes of the log
};

}  // namespace kustos::search
