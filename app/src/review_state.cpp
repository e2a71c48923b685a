#include "app/review_state.h"

#include "vault/entry_sets.h"

namespace kustos::app {

namespace {

constexpr std::size_t kFew = 16;  // intervals that are put into a set one by one

template <typename Map>
typename Map::mapped_type& named(Map& map, const std::string& name) {
    auto& found = map[review_key(name)];
    if (found.name.empty()) found.name = name;
    return found;
}

template <typename Map>
const typename Map::mapped_type* find_in(const Map& map, const std::string& name) {
    const auto found = map.find(review_key(name));
    return found == map.end() ? nullptr : &found->second;
}

}  // namespace

void ReviewState::add(EntrySet& set, const EntrySet& records) {
    runs_ -= set.intervals().size();
    if (records.intervals().size() <= kFew)
        set.add(records);
    else
        set = vault::united(set, records);
    runs_ += set.intervals().size();
}

bool ReviewState::take(EntrySet& set, const EntrySet& records) {
    if (!vault::overlap(set, records)) return false;  // as nearly always, and cheap
    runs_ -= set.intervals().size();
    set = vault::difference(set, records);
    runs_ += set.intervals().size();
    return true;
}

void ReviewState::apply(EntryIndex entry, const ReviewDecision& d) {
    if (d.change == ReviewChange::tag || d.change == ReviewChange::untag) {
        Marked& label = named(labels_, d.name);
        label.changed = entry;
        if (d.change == ReviewChange::tag)
            add(label.records, d.records);
        else
            take(label.records, d.records);
        return;
    }
    Group& group = named(groups_, d.name);
    Marked* wanted = d.change == ReviewChange::code ? &named(group.values, d.value) : nullptr;
    for (auto& [key, value] : group.values) {
        if (&value != wanted && take(value.records, d.records)) value.changed = entry;
    }
    if (wanted == nullptr) return;
    add(wanted->records, d.records);
    wanted->changed = entry;
}

// Each interval that is put in or taken out splits one other at most.
Status ReviewState::check_room(const ReviewDecision& d) const {
    if (runs_ + 2 * d.records.intervals().size() > kMaxReviewRuns)
        return Error(Code::limit, "the labels and codes of this matter would take too much memory")
            .with_hint("a new matter, or fewer labels on records that lie far apart");
    std::size_t names = labels_.size() + groups_.size();
    for (const auto& [key, group] : groups_) names += group.values.size();
    if (names + 2 > kMaxReviewNames)
        return Error(Code::limit, "a matter has at most 2,000 labels, groups and values")
            .with_hint("kustos tag list, kustos code list show them");
    return {};
}

std::uint64_t ReviewState::changed_by(const ReviewDecision& d) const {
    const auto has = [&d](const EntrySet& set) { return vault::intersection(set, d.records).count(); };
    if (d.change == ReviewChange::tag || d.change == ReviewChange::untag) {
        const Marked* label = find_label(d.name);
        const std::uint64_t there = label != nullptr ? has(label->records) : 0;
        return d.change == ReviewChange::untag ? there : d.records.count() - there;
    }
    const Group* group = find_group(d.name);
    const auto* there = d.change == ReviewChange::clear ? nullptr
                        : group != nullptr              ? find_in(group->values, d.value)
                                                        : nullptr;
    if (d.change == ReviewChange::code) return d.records.count() - (there != nullptr ? has(there->records) : 0);
    return group != nullptr ? has(all_of(*group)) : 0;
}

const ReviewState::Marked* ReviewState::find_label(const std::string& name) const {
    return find_in(labels_, name);
}

const ReviewState::Group* ReviewState::find_group(const std::string& name) const {
    return find_in(groups_, name);
}

std::vector<std::string> ReviewState::labels_of(EntryIndex record) const {
    std::vector<std::string> out;
    for (const auto& [key, label] : labels_)
        if (label.records.contains(record)) out.push_back(label.name);
    return out;
}

std::vector<std::string> ReviewState::codes_of(EntryIndex record) const {
    std::vector<std::string> out;
    for (const auto& [key, group] : groups_)
        for (const auto& [of, value] : group.values)
            if (value.records.contains(record)) out.push_back(group.name + "=" + value.name);
    return out;
}

EntrySet all_of(const ReviewState::Group& group) {
    EntrySet out;
    for (const auto& [key, value] : group.values) out = vault::united(out, value.records);
    return out;
}

}  // namespace kustos::app
