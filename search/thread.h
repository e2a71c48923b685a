// What belongs together: the ids by which messages of one thread know each other. The index keeps them keyed, so a
// thread is found without opening any record but the one that was asked about.
//
// Pure. Threads: free functions.
#pragma once

#include <string>
#include <vector>

#include "search/query.h"
#include "vault/message.h"

namespace kustos::search {

// A message's own id at its source, the thread's, what it answers or changes, and a mail's References and In-Reply-To
// (RFC 5322, 3.6.4); each once, at most 50.
std::vector<std::string> thread_ids(const vault::Message& message);

// Every record of this source that knows one of these ids. One step: who answered only an answer, without naming what
// began the thread, is found from that answer.
Query related_to(const std::vector<std::string>& ids, const std::string& source);

// "4711": a record's entry number; any other text of a thread condition is an id at a source.
bool is_entry_number(const std::string& text);

}  // namespace kustos::search
