// What an entry's public part says, in the words of docs/format/ledger.md: for lists, exports and people who debug.
// Nothing here is content: public bodies have none. Threads: pure functions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "audit/entry.h"

namespace kustos::audit {

std::string_view kind_name(Kind kind);  // "record", ...
// "search", "source_added", ...; "action 77" for one that this version does not know; empty: the kind has none.
std::string action_name(const Entry& entry);
// Name and text of each row but action, in the body's order: numbers decimal, times RFC 3339, hashes and bytes hex.
std::vector<std::pair<std::string, std::string>> describe_body(const Entry& entry);

}  // namespace kustos::audit
