#include "app/src/drill_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/log.h"
#include "vault/epoch.h"

namespace kustos::app {

namespace {

constexpr std::string_view kPrefix = "kustos-drill-";

Result<Path> temporary_folder() {
    std::error_code failed;
    Path place = std::filesystem::temp_directory_path(failed);
    if (failed) return Error(Code::environment, "no temporary folder").with_hint("TMPDIR names a folder");
    return place;
}

void take_away(Environment e, const Path& drill) {
    const Path keys = drill / "archive" / "keys";
    const auto names = e.fs.list(keys);
    const auto epochs = vault::file_epochs(e, keys);
    for (const std::string& name : names.ok() ? *names : std::vector<std::string>{}) {
        constexpr std::string_view kGeneration = "generation-";
        std::uint32_t number = 0;
        if (name.compare(0, kGeneration.size(), kGeneration) == 0 &&
            std::from_chars(name.data() + kGeneration.size(), name.data() + name.size(), number).ec == std::errc())
            (void)epochs->destroy(number).ok();
    }
    std::error_code ignored;
    std::filesystem::remove_all(drill, ignored);
}

// A folder, no link to one, and nobody else's: names below /tmp are anybody's.
bool is_own_folder(const Path& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == ::geteuid();
}

}  // namespace

std::size_t remove_killed_drills(Environment e) {
    const auto place = temporary_folder();
    if (!place.ok()) return 0;
    const auto names = e.fs.list(*place);
    std::size_t count = 0;
    for (const std::string& name : names.ok() ? *names : std::vector<std::string>{}) {
        const Path drill = *place / name;
        if (name.compare(0, kPrefix.size(), kPrefix) != 0 || !is_own_folder(drill)) continue;
        const auto lock = FileLock::acquire(drill / "lock");
        if (!lock.ok()) continue;  // it runs
        take_away(e, drill);
        ++count;
    }
    if (count != 0) log(LogLevel::info, "what a killed drill had left was removed", {{"folders", count}});
    return count;
}

Result<std::unique_ptr<DrillFolder>> DrillFolder::make(Environment e) {
    remove_killed_drills(e);
    const Path place = TRY(temporary_folder());
    // Somebody who clears up may be quicker than the lock.
    for (int tries = 0; tries < 8; ++tries) {
        std::string name = (place / (std::string(kPrefix) + "XXXXXX")).string();
        if (mkdtemp(name.data()) == nullptr) break;
        auto lock = FileLock::acquire(Path(name) / "lock");
        if (!lock.ok() || !e.fs.exists(Path(name) / "lock")) continue;
        return std::unique_ptr<DrillFolder>(new DrillFolder(e, name, std::move(*lock)));
    }
    return Error(Code::environment, "no temporary folder").with_hint("TMPDIR names a folder");
}

DrillFolder::DrillFolder(Environment e, Path path, FileLock lock)
    : environment_(e),
      path_(std::move(path)),
      lock_(std::move(lock)),
      disk_(e.fs, {path_ / "archive" / "keys", path_ / "state"}) {}

DrillFolder::~DrillFolder() {
    take_away(environment_, path_);
}

}  // namespace kustos::app
