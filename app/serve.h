// `kustos serve`: pages and push ingest over https, the indexer, checkpoints and time stamps, until asked to stop.
#pragma once

#include "app/commands.h"
#include "app/house.h"

namespace kustos::app {

// port 0: config.yaml's. Ends 0 on SIGINT or SIGTERM after the last batch, index commit and checkpoint.
Result<int> serve(House& house, int port, Streams streams);

}  // namespace kustos::app
