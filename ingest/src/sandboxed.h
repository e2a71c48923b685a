// Starts a program inside bubblewrap: own user, process, network, mount, host name and IPC name spaces; an empty file
// system but /usr read-only and kustos-extract. Nothing of ours starts in any other way: where bubblewrap does not
// work, nothing starts.
#pragma once

#include <string>
#include <vector>

#include "ingest/extract.h"

namespace kustos::ingest {

// kustos-extract with these words behind its name. item: what is on the third descriptor becomes a file there, /item,
// in memory.
std::vector<std::string> sandboxed(const ExtractorOptions& options, const std::vector<std::string>& words,
                                   bool item = false);

struct ChildEnds {
    int input = -1;   // becomes descriptor 0
    int output = -1;  // 1
    int third = -1;   // wire::kArchiveDescriptor, if any
};
// Its process id, which is also its process group's. Descriptor 2 is /dev/null (parsers quote content in their
// warnings); no other is handed on, no signal is blocked, and the environment is a locale. The ends stay the caller's.
// Code::environment.
Result<int> spawn_sandboxed(const std::vector<std::string>& words, const ChildEnds& ends);
// Ends it by its process group: bubblewrap that has forked and not yet tied its child to itself leaves nobody behind.
// It is still to be waited for.
void kill_sandboxed(int pid);

}  // namespace kustos::ingest
