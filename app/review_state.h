// What a matter's labels and codes are now: the replay of its decisions, in their order. A label stands on any number
// of records; of a group of codes each record has at most one value.
//
// Pure. Threads: a value.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/review_names.h"
#include "base/entry_set.h"

namespace kustos::app {

inline constexpr std::size_t kMaxReviewNames = 2'000;      // of a matter: labels, groups and values together
inline constexpr std::size_t kMaxReviewRuns = 10'000'000;  // of all its sets: 16 bytes each

enum class ReviewChange { tag, untag, code, clear };

struct ReviewDecision {
    ReviewChange change = ReviewChange::tag;
    std::string name;   // a label, or a group
    std::string value;  // of a code that is set
    EntrySet records;
};

class ReviewState {
public:
    struct Marked {
        std::string name;  // as it was typed first
        EntrySet records;
        EntryIndex changed;  // the last decision about it
    };
    struct Group {
        std::string name;
        std::map<std::string, Marked> values;  // by review_key
    };

    void apply(EntryIndex entry, const ReviewDecision& decision);
    // Code::limit: what apply() would then hold is too much.
    Status check_room(const ReviewDecision& decision) const;
    // How many of the records it would change.
    std::uint64_t changed_by(const ReviewDecision& decision) const;

    const Marked* find_label(const std::string& name) const;  // nullptr: was never given
    const Group* find_group(const std::string& name) const;
    const std::map<std::string, Marked>& labels() const { return labels_; }  // by review_key
    const std::map<std::string, Group>& groups() const { return groups_; }
    std::size_t runs() const { return runs_; }  // intervals held

    std::vector<std::string> labels_of(EntryIndex record) const;
    std::vector<std::string> codes_of(EntryIndex record) const;  // GROUP=VALUE

private:
    void add(EntrySet& set, const EntrySet& records);
    bool take(EntrySet& set, const EntrySet& records);
    std::map<std::string, Marked> labels_;
    std::map<std::string, Group> groups_;
    std::size_t runs_ = 0;
};

// Any value of the group.
EntrySet all_of(const ReviewState::Group& group);

}  // namespace kustos::app
