// Retention classes of this version; a later issue makes them signed, versioned data. The class and the year in which
// it is expected to end choose the key tree at sealing.
#pragma once

#include <string_view>

#include "base/ids.h"
#include "base/time.h"

namespace kustos::vault {

inline constexpr ClassCode kControlClass{1};
inline constexpr ClassCode kAccessClass{2};         // access entries and matters: readers and retention of their own
inline constexpr ClassCode kConfigurationClass{3};  // what config.yaml said before and after a change
inline constexpr ClassCode kErasureClass{4};  // grounds, approvers and records of erasures, holds and dispositions
inline constexpr ClassCode kDefaultClass{100};

// "default". Code::not_in_version for any other name.
Result<ClassCode> class_by_name(std::string_view name);
// The calendar year (UTC) after which the class's period, counted from the end of the year of sealing, is over.
std::uint16_t expiry_year(ClassCode retention_class, UtcTime sealed_at);

}  // namespace kustos::vault
