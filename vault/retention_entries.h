// Entries of retention, holds, restriction and disposition, ready to be sealed (docs/format/retention.md). What people
// typed is sealed in class 4; numbers, days and words of the program stand in the public body.
//
// All drafts of one call must be handed to one Archive::seal(): a long list goes on in the next entries.
// Threads: free functions.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "vault/archive.h"
#include "vault/retention_plan.h"

namespace kustos::vault {

inline constexpr std::size_t kRangesPerEntry = 3'500;

using Fill = std::function<void(audit::Body&)>;

// An entry without a list.
std::vector<Draft> decision_draft(audit::ControlAction action, const Fill& fill, const DecisionText& text);
// One with a list of entry numbers, in as many parts as it needs; adds count and list_root.
std::vector<Draft> list_drafts(audit::ControlAction action, const EntrySet& entries, const Fill& fill,
                               const DecisionText& text);
std::vector<Draft> class_draft(const ClassDefinition& definition, const DecisionText& text);

// The hash that list_root rows carry: SHA-256 of the numbers, u64 each, ascending.
Hash list_root(const EntrySet& entries);

// Code::usage, naming the field: empty, too long, control characters, ill-formed.
Status check_public_text(const char* what, const std::string& text, std::size_t most);

}  // namespace kustos::vault
