// kustos person import: a file or a directory server, into its source.
#pragma once

#include "app/src/source_call.h"

namespace kustos::app {

Result<int> import_persons(const SourceCall& c, Streams streams);

}  // namespace kustos::app
