// Which text stands behind each keyed term of a shard, as far as its words log, its state and its document data say;
// and the term of the same text under another key. Memory: about 80 bytes a term.
// Threads: one at a time.
#pragma once

#include <xapian.h>

#include <array>
#include <string>
#include <vector>

#include "search/src/doc_data.h"
#include "search/src/stemmer.h"
#include "search/src/words_log.h"

namespace kustos::search {

using TermBytes = std::array<char, kTermSize>;

class TermTable {
public:
    struct Row {
        TermBytes old{}, fresh{};
        Space space{};
        bool known = false;
        bool used = false;  // a document that stays holds it
        std::uint32_t text = 0;
    };
    // Throws Xapian's errors: within guarded().
    TermTable(const Xapian::Database& database, const TermKey& old);

    void add(const WordsRead& log, const Stemmer& stemmer);
    void add_reasons(const std::map<std::string, std::uint64_t>& reasons);
    void add_conditions(const std::vector<DocData>& rows);  // days, months, years, attachments
    std::uint64_t unknown() const;                          // terms without a text
    void rekey(const TermKey& fresh);                       // fills Row::fresh; the texts are forgotten

    std::vector<Row>& rows() { return rows_; }  // ascending by old term
    const std::vector<Row>& rows() const { return rows_; }
    // Whether a document that stays holds the text: words in any field, stems in either space.
    bool uses(const LoggedText& logged) const;

private:
    Row* find(Space space, std::string_view text);
    const Row* find(Space space, std::string_view text) const;
    void know(Space space, const std::string& text);

    const TermKey& old_;
    std::vector<Row> rows_;
    std::vector<std::string> texts_;
};

}  // namespace kustos::search
