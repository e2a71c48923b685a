// Outlook's .msg ([MS-OXMSG]): one message in a compound file.
#pragma once

#include "ingest/format.h"

namespace kustos::ingest {

// Always gives a message, as parse_mail() does; raw is the file.
ParsedItem parse_outlook_msg(Bytes raw, const Limits& limits = {});

}  // namespace kustos::ingest
