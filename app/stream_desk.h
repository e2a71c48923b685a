// The streams of a running server: one for each source whose kind is a stream's, with its settings from
// sources/NAME.yaml. One that can't be started says so in its status; the others run.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/intake.h"
#include "ingest/streams.h"

namespace kustos::app {

class StreamDesk {
public:
    struct Seat {
        SourceId source;
        std::string name, kind;
        ingest::StreamStatus status;
    };
    // Errors: of the archive only.
    static Result<std::unique_ptr<StreamDesk>> start(House& house, std::function<bool()> stopping);
    ~StreamDesk();
    void stop();
    // Starts what was added since and stops what is gone; called now and then by one thread.
    Status look();
    std::vector<Seat> seats() const;  // safe from any thread

private:
    struct Running;
    StreamDesk(House& house, std::function<bool()> stopping);
    void start_one(const SourceId& id, Running& running);
    House& house_;
    std::function<bool()> stopping_;
    mutable std::mutex mutex_;
    std::map<SourceId, std::unique_ptr<Running>> running_;
};

// Writes sources/NAME.yaml, the kind's settings to begin with, where there is none. Its path; empty: not a stream's.
Result<Path> begin_stream_settings(Fs& fs, const Path& archive, const std::string& source, const std::string& kind);
Path stream_settings_file(const Path& archive, const std::string& source);

}  // namespace kustos::app
