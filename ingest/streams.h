// Streams: how bytes arrive. A stream belongs to one source, runs in the server, and is made of the source's settings
// (sources/NAME.yaml in the archive: flat keys, no secrets in it; a secret is named by a file of its own).
//
// Threads: a stream has its own; start(), stop() and status() are called by one thread. After stop() has returned
// nothing of it runs. Errors of make: Code::usage with the key that is wrong. Errors while it runs are in status() and
// as findings; a stream never gives up by itself, it tries again later each time (1 s to 5 minutes).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "ingest/intake.h"

namespace kustos::ingest {

struct StreamStatus {
    enum class State : std::uint8_t { stopped, running, waiting, failing };
    State state = State::stopped;
    std::string problem;     // while waiting or failing, in words that name no content: "the mailbox can't be reached"
    std::uint16_t port = 0;  // that it listens on; 0: it listens on none
    std::optional<UtcTime> last;           // that something was taken
    std::uint64_t taken = 0, refused = 0;  // since start: messages sealed; refused for the time being
};

class Stream {
public:
    virtual ~Stream() = default;
    virtual Status start() = 0;
    virtual void stop() = 0;
    virtual StreamStatus status() const = 0;
    // One round now instead of at its time (a pull, a look into a folder); what only listens does nothing.
    virtual Status poke() { return ok_status(); }
};

struct StreamSettings {
    Path folder;  // where sources/NAME.yaml stands: relative paths in it are looked up from here
    Config config;
};

struct StreamKind {
    std::string_view name;               // "lmtp": as in kustos source add --kind
    std::vector<std::string_view> keys;  // that may occur in its settings
    std::string_view settings;           // a commented file to begin with
    Result<std::unique_ptr<Stream>> (*make)(const StreamSettings& settings, Intake& intake);
};
const std::vector<const StreamKind*>& stream_kinds();
const StreamKind* find_stream_kind(std::string_view name);  // nullptr: none; "import" and "http" are none
Result<StreamSettings> read_stream_settings(const StreamKind& kind, const Path& file, Fs& fs);
// The content of a file that a setting names, without its last line end. Code::usage: others may read it; absent.
Result<SecretBytes> read_secret(const StreamSettings& settings, std::string_view key, Fs& fs);

}  // namespace kustos::ingest
