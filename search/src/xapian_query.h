// A query's tree as a Xapian query over one shard's keyed terms.
#pragma once

#include <xapian.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "search/query.h"
#include "search/searcher.h"
#include "search/src/positions.h"
#include "search/src/shard_reader.h"
#include "search/src/sought.h"

namespace kustos::search {

// The words that each wildcard or fuzzy word of the query stands for in one shard, by its node.
using Expansions = std::map<const Node*, std::vector<std::string>>;
void collect_open_words(const Node& node, std::vector<const Node*>& out);

// What one shard alone can't know: ids (id_text()) of what was edited or deleted, by an event in whatever shard.
struct Linked {
    std::vector<std::string> edited, deleted;
};

class QueryBuilder {
public:
    // sought, expansions: of the tree that is built.
    QueryBuilder(ShardReader& shard, const SearchOptions& options, const Sought& sought, const Expansions& expansions,
                 const Linked& linked)
        : shard_(shard), options_(options), sought_(sought), expansions_(expansions), linked_(linked) {}
    // What it returns reads from the shard and must not outlive this builder.
    Result<Xapian::Query> build(const Node& node);

private:
    Xapian::Query one(Space space, const std::string& text) const;
    Xapian::Query any_of(const std::vector<Xapian::Query>& queries) const;
    Xapian::Query from(std::unique_ptr<Xapian::PostingSource> source);
    Xapian::Query word(const Node& node) const;
    void add_form(Field field, const std::string& form, const std::vector<std::string>& stems,
                  std::vector<Xapian::Query>& out) const;
    const SoughtWord& sought(const Node& node) const;
    Xapian::Query phrase(Field field, const std::vector<std::string>& forms) const;
    Xapian::Query forms(const Node& node) const;
    Result<Operand> operand(const Node& node) const;
    Result<Xapian::Query> words(const Node& node);
    Result<Xapian::Query> placed(Band band, const Operand& operand, const Xapian::Query& among);
    Result<Xapian::Query> near(const Node& node);
    Result<Xapian::Query> date(const Node& node);
    Xapian::Query size(const Node& node);
    Result<Xapian::Query> entries(const Node& node);
    Result<Xapian::Query> sums(const Node& node) const;
    Result<Xapian::Query> thread(const Node& node) const;
    Xapian::Query ids(const std::vector<std::string>& ids) const;
    Result<Xapian::Query> all_of(const std::vector<Node>& children);

    ShardReader& shard_;
    const SearchOptions& options_;
    const Sought& sought_;
    const Expansions& expansions_;
    const Linked& linked_;
    std::vector<std::unique_ptr<Xapian::PostingSource>> sources_;
};

}  // namespace kustos::search
