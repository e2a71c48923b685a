// TNEF (winmail.dat, [MS-OXTNEF]): what Outlook sends where others send MIME parts. Our own reader: bounded, pure, and
// lenient with what is cut off or followed by garbage.
#pragma once

#include <optional>

#include "ingest/src/mapi.h"

namespace kustos::ingest {

bool is_tnef(ByteView content);  // by its signature
// nullopt: not TNEF. What stands before damage is given, with `damaged` set. Embedded messages at most 8 deep.
std::optional<mapi::MapiMessage> parse_tnef(ByteView content);

}  // namespace kustos::ingest
