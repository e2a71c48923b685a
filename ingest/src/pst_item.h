// One item of an Outlook mailbox file, as a dump of its MAPI properties (docs/format/pst.md). Pure and bounded.
#pragma once

#include "ingest/format.h"

namespace kustos::ingest {

// Always gives a message; raw is the dump. What is no dump is kind unreadable.
ParsedItem parse_pst_item(Bytes dump, const Limits& limits = {});

}  // namespace kustos::ingest
