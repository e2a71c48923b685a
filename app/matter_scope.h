// What a matter's scope may be: a query whose meaning does not hang on an address book or on what somebody who works on
// the matter can change by himself.
//
// Pure. Threads: a free function.
#pragma once

#include <string>

#include "app/call.h"
#include "base/result.h"

namespace kustos::app {

// The scope as it is stored; empty: the whole archive (the query *). Code::usage: no query, or one that names persons,
// labels, codes or lists of sums.
Result<std::string> checked_scope(const std::string& query, Language language);

}  // namespace kustos::app
