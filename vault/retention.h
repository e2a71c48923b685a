// Codes of retention classes. What a class means stands in ClassBook (retention_plan.h): signed, versioned data.
//
// Codes 1 to 4 are the archive's own entries, 100 is built in (and may be defined anew); an authority's own classes are
// 101 and up.
#pragma once

#include "base/ids.h"

namespace kustos::vault {

inline constexpr ClassCode kControlClass{1};
inline constexpr ClassCode kAccessClass{2};         // access entries and matters: readers and retention of their own
inline constexpr ClassCode kConfigurationClass{3};  // what config.yaml said before and after a change
inline constexpr ClassCode kErasureClass{4};  // grounds, approvers and records of erasures, holds and dispositions
inline constexpr ClassCode kDefaultClass{100};

}  // namespace kustos::vault
