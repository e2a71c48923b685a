// What is due, lists of it, and their release: the only way in which retention destroys anything, and never by itself.
//
// release() asks holds and restrictions again, plans again, and destroys only what is still due; everything else stays
// and is named. Threads: one at a time; the caller keeps holds, restrictions and classes from changing meanwhile.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "vault/forgetter.h"
#include "vault/retention_desk.h"
#include "vault/retention_survey.h"

namespace kustos::vault {

struct Planned {
    RecordFacts facts;
    Decision decision;
    std::optional<EntryIndex> listed;  // on a list that is still open
};

struct ListOrder {
    std::optional<ClassCode> retention_class;
    std::optional<std::uint16_t> year;  // in which the last day of the period lies
};

struct Released {
    EntryIndex entry;  // disposition_released
    std::vector<Forgotten> forgotten;
    EntrySet records;
    std::vector<Planned> stopped;  // they stay, and why; at most kMostStopped
    std::uint64_t stopped_count = 0;
    std::uint64_t trees = 0;  // dropped whole
};
inline constexpr std::size_t kMostStopped = 1'000;

class Dispositions {
public:
    Dispositions(Archive& archive, HoldCheck& holds, Forgetter& forgetter, std::string actor)
        : archive_(archive), holds_(holds), forgetter_(forgetter), actor_(std::move(actor)) {}

    // Every record that is not erased, in order; with progress (base/progress.h). Code::closed: a standing hold needs
    // an open vault. Code::interrupted.
    Status plan_each(const std::function<Status(const Planned&)>& row) const;

    // An entry with everything due (or to be offered) that is on no open list. nullopt: there is nothing. Each row is
    // told, too.
    Result<std::optional<EntryIndex>> make_list(const ListOrder& order,
                                                const std::function<Status(const Planned&)>& row = {});
    Status take_out(EntryIndex list, const EntrySet& records, const std::string& ground);
    // `offered`, or the public archive's answer; day not after today. unanswered needs a ground: which law says that
    // silence is enough.
    Status answer(EntryIndex list, Listed::Answer answer, CivilDate day, const std::string& ground);
    // Code::denied: fewer than two people, or nothing on it is due any more.
    Result<Released> release(EntryIndex list, const std::vector<std::string>& approvers);

private:
    Result<DispositionInfo> find(EntryIndex list) const;
    Result<EntrySet> open_part(const DispositionInfo& list) const;
    Result<Released> replan(const DispositionInfo& list, ForgetOrder& order) const;
    Archive& archive_;
    HoldCheck& holds_;
    Forgetter& forgetter_;
    std::string actor_;
};

}  // namespace kustos::vault
