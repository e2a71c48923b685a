// What a format's messages can prove, in people's words: shown wherever such messages are.
#pragma once

#include <string>
#include <string_view>

#include "ingest/format.h"

namespace kustos::ingest {

// "high: carries ids, edits, deletions, times with zone, membership, attachments"; "low: ...; lacks edits, ..."
std::string value_words(const EvidentialValue& value, bool german);
// Of a message of that format ("mattermost-csv/20"). One that this version does not know: "not known".
std::string value_words(std::string_view format, bool german);
std::string level_words(EvidentialLevel level, bool german);

}  // namespace kustos::ingest
