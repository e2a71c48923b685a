#include "vault/retention_survey.h"

#include <algorithm>
#include <optional>

namespace kustos::vault {

using audit::ControlAction;
using audit::Kind;
using audit::Tag;

namespace {

class Survey {
public:
    Survey(const RetentionBook& book, const EntrySet& erased, const std::function<Status(const RecordFacts&)>& record)
        : book_(book), erased_(erased), record_(record) {}

    Status take(EntryIndex index, ByteView bytes) {
        const audit::EntryHeader h = TRY(audit::decode_header(bytes));
        if (h.tree.value != 0 && !erased_.contains(index)) ++trees_[h.tree].entries;
        if (h.kind == Kind::blob) {
            if (!erased_.contains(index)) blobs_[h.source].push_back({index, h.tree});
            return {};
        }
        if (h.kind == Kind::record) {
            note_record(index, h);
            return {};
        }
        const auto body = TRY(audit::BodyReader::parse(bytes.subspan(audit::kHeaderSize)));
        if (h.kind == Kind::control &&
            body.find_u16(Tag::action) == static_cast<std::uint16_t>(ControlAction::tree_opened))
            note_tree(body);
        if (const auto time = body.find_time(Tag::time)) return pass(*time);
        return {};
    }
    // A clock that was set back must not make anything due earlier.
    Status pass(UtcTime time) {
        const CivilDate day = german_date(time);
        for (RecordFacts& facts : waiting_) {
            facts.sealed_until = std::max(day, last_);
            TRY(tell(facts));
        }
        waiting_.clear();
        last_ = std::max(day, last_);
        return {};
    }
    TreeTable trees() { return std::move(trees_); }

private:
    void note_tree(const audit::BodyReader& body) {
        const auto tree = body.find_u32(Tag::tree);
        if (!tree) return;
        TreeFacts& facts = trees_[KeyTreeId(*tree)];
        facts.retention_class = ClassCode(body.find_u16(Tag::retention_class).value_or(0));
        facts.year = body.find_u16(Tag::year).value_or(0);
    }

    void note_record(EntryIndex index, const audit::EntryHeader& h) {
        RecordFacts facts;
        facts.record = index;
        facts.sealed_class = h.retention_class;
        facts.source = h.source;
        facts.leaves.push_back({index, h.tree});
        facts.sealed_from = last_;
        std::vector<RecordFacts::Leaf>& own = blobs_[h.source];
        // What a successor still refers to goes with the last of the line.
        if (const EntryIndex heir = book_.last_successor(index); heir != index) {
            std::vector<RecordFacts::Leaf>& inherited = inherited_[heir];
            inherited.insert(inherited.end(), own.begin(), own.end());
        } else {
            facts.leaves.insert(facts.leaves.end(), own.begin(), own.end());
        }
        own.clear();
        if (const auto mine = inherited_.find(index); mine != inherited_.end()) {
            facts.leaves.insert(facts.leaves.end(), mine->second.begin(), mine->second.end());
            inherited_.erase(mine);
        }
        waiting_.push_back(std::move(facts));
    }

    // Where a turn of the year lies in the bracket, the tree says which side it was, if its class counted from the
    // year's end.
    void narrow(RecordFacts& facts, KeyTreeId tree) const {
        if (facts.sealed_from.year == facts.sealed_until.year) return;
        const ClassDefinition* d = book_.classes().in_force(facts.sealed_class, facts.record);
        const auto found = trees_.find(tree);
        if (d == nullptr || found == trees_.end() || d->counted != Counted::year_end || d->months % 12 != 0) return;
        const int year = static_cast<int>(found->second.year) - static_cast<int>(d->months / 12);
        if (year < facts.sealed_from.year || year > facts.sealed_until.year) return;
        facts.sealed_from = std::max(facts.sealed_from, CivilDate{year, 1, 1});
        facts.sealed_until = std::min(facts.sealed_until, CivilDate{year, 12, 31});
    }

    Status tell(RecordFacts& facts) {
        narrow(facts, facts.leaves.front().tree);
        const std::vector<EntryIndex> line = book_.line_of(facts.record);
        if (line.size() > 1) {
            if (const auto first = days_.find(line.back()); first != days_.end())
                std::tie(facts.sealed_from, facts.sealed_until) = first->second;
        } else if (book_.last_successor(facts.record) != facts.record) {
            days_[facts.record] = {facts.sealed_from, facts.sealed_until};
        }
        return erased_.contains(facts.record) ? Status() : record_(facts);
    }

    const RetentionBook& book_;
    const EntrySet& erased_;
    const std::function<Status(const RecordFacts&)>& record_;
    TreeTable trees_;
    std::map<SourceId, std::vector<RecordFacts::Leaf>> blobs_;        // of a record that comes
    std::map<EntryIndex, std::vector<RecordFacts::Leaf>> inherited_;  // by the successor
    std::map<EntryIndex, std::pair<CivilDate, CivilDate>> days_;      // of records with successors
    std::vector<RecordFacts> waiting_;                                // for the next timed entry
    CivilDate last_{1, 1, 1};
};

}  // namespace

Result<TreeTable> survey(const audit::LedgerReader& ledger, TreeSize size, const RetentionBook& book,
                         const EntrySet& erased, UtcTime now, const std::function<Status(const RecordFacts&)>& record) {
    Survey pass(book, erased, record);
    TRY(ledger.for_each(EntryIndex(0), EntryIndex(size.value),
                        [&](EntryIndex index, ByteView bytes) { return pass.take(index, bytes); }));
    TRY(pass.pass(now));
    return pass.trees();
}

PlanInput plan_input(const RetentionBook& book, const RecordFacts& facts) {
    PlanInput in = book.input_of(facts.record, facts.sealed_class);
    in.sealed_from = facts.sealed_from;
    in.sealed_until = facts.sealed_until;
    return in;
}

}  // namespace kustos::vault
