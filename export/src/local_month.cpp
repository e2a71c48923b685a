#include "export/local_month.h"

#include <unordered_map>

#include "export/src/wording.h"

namespace kustos::exporting {

// Months change at quarters of an hour in every zone there is.
struct LocalMonths::State {
    explicit State(const std::string& wanted) : zone(wanted, Language::en), name(zone.known() ? wanted : "UTC") {}
    Zone zone;
    std::string name;
    std::unordered_map<std::int64_t, std::string> known;
};

LocalMonths::LocalMonths(const std::string& zone) : state_(std::make_unique<State>(zone)) {}
LocalMonths::~LocalMonths() = default;

const std::string& LocalMonths::zone() const {
    return state_->name;
}

std::string LocalMonths::of(UtcTime time) const {
    constexpr std::int64_t kQuarter = 15 * 60 * 1000;
    const std::int64_t quarter = time.ms / kQuarter - (time.ms % kQuarter < 0 ? 1 : 0);
    std::string& month = state_->known[quarter];
    if (month.empty()) {
        const std::string date = state_->zone.local(time).date;  // "2026-03-02"; "?" outside the years 1 to 9999
        month = (date.size() == 10 ? date : format_rfc3339(time)).substr(0, 7);
    }
    return month;
}

}  // namespace kustos::exporting
