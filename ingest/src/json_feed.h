// A file of JSON events: each is sealed as the exact bytes that stand there, what stands around them too.
#pragma once

#include <functional>
#include <initializer_list>
#include <string_view>

#include "ingest/format.h"

namespace kustos::ingest {

// Gives each event (json_scan.h says which) to `give`. Cut off ones and those above Limits::line are quarantined
// ("truncated", "too-large"). What stands around them is sealed as kind file, note "rest-of-export", unless it is
// punctuation and `keys` alone; frame gets a look at it first. Errors: of the source, of give, of the sink.
Status read_json_feed(ByteSource& source, std::initializer_list<std::string_view> keys, std::string_view format,
                      const ReadContext& context, ItemSink& sink, const std::function<Status(Bytes)>& give,
                      const std::function<void(std::string_view)>& frame = {});

}  // namespace kustos::ingest
