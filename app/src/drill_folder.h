// Where a restore drill puts its archive: a folder below TMPDIR of which the keys and the signer's store stand in
// memory (app/src/memory_folders.h). On the disk there is what a backup holds, ciphertext and ledger, and nothing that
// opens it; a drill that is killed leaves that behind until the next one, or the next `kustos serve`, takes it away.
// Threads: one.
#pragma once

#include <memory>

#include "app/src/memory_folders.h"
#include "base/environment.h"

namespace kustos::app {

class DrillFolder {
public:
    // Takes away what killed drills have left, then makes one. Code::environment: there is no place.
    static Result<std::unique_ptr<DrillFolder>> make(Environment environment);
    ~DrillFolder();  // takes it away
    DrillFolder(const DrillFolder&) = delete;
    DrillFolder& operator=(const DrillFolder&) = delete;

    Path archive() const { return path_ / "archive"; }
    Path state() const { return path_ / "state"; }
    Environment environment() { return {disk_, environment_.clock, environment_.random}; }

private:
    DrillFolder(Environment environment, Path path, FileLock lock);

    Environment environment_;
    Path path_;
    FileLock lock_;  // as long as it is held, nobody takes the folder for a left-over
    MemoryFolders disk_;
};

// The folders of this user's drills below TMPDIR that nobody runs any more. How many there were. e_n in them, of
// versions that wrote it, is overwritten first.
std::size_t remove_killed_drills(Environment environment);

}  // namespace kustos::app
