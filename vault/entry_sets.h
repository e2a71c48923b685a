// Arithmetic of entry sets. Threads: free functions.
#pragma once

#include "base/entry_set.h"

namespace kustos::vault {

EntrySet intersection(const EntrySet& a, const EntrySet& b);
EntrySet united(const EntrySet& a, const EntrySet& b);  // linear, where EntrySet::add is for few numbers
bool overlap(const EntrySet& a, const EntrySet& b);
EntrySet difference(const EntrySet& a, const EntrySet& b);

}  // namespace kustos::vault
