// The lines of a Mattermost bulk export as they come, whoever brings them (a file, a zip's member).
#pragma once

#include <memory>

#include "ingest/src/single_formats.h"

namespace kustos::ingest {

class BulkReader {
public:
    // All three must outlive it.
    BulkReader(const ExportFiles& files, const ReadContext& context, ItemSink& sink);
    ~BulkReader();
    // Errors: of the sink and of files.ready, handed through.
    Status feed(ByteView bytes);
    Status end();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace kustos::ingest
