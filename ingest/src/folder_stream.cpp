// A watched folder: what others put into it (a daily compliance export, a scanner's mails) is taken in.
//
//   FOLDER/incoming/   others put files and folders here; best: write elsewhere on the same disk, then rename
//   FOLDER/done/       what was sealed whole
//   FOLDER/failed/     what was not clean: sealed as it came, or with findings; NAME.report.json says why in counts
//
// A file with a sidecar beside it (NAME and NAME.json, docs/format/kustos-sidecar.md) is one thing with it. Where the
// format is kustos-sidecar a file waits for its sidecar.
//
// A thing is taken when nothing in it has changed for settle_seconds; names that begin with '.' or end in .part, .tmp,
// .filepart, .crdownload are left alone. After a crash what was half taken is taken again: what is sealed is a
// duplicate then. Nothing is ever removed here.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/log.h"
#include "ingest/extract.h"
#include "ingest/src/all_formats.h"
#include "ingest/src/all_streams.h"
#include "ingest/src/files.h"
#include "ingest/src/intake_sink.h"
#include "ingest/src/sidecar.h"

namespace kustos::ingest {

namespace {

constexpr std::string_view kSettings =
    "# A watched folder. In it the trays incoming, done and failed are made.\n"
    "folder: \"\"              # where they are; relative to this file, or absolute\n"
    "format: auto            # or the name of one format (kustos ingest --help)\n"
    "# time_zone: Europe/Berlin  # for formats whose times have no zone\n"
    "look_seconds: 10        # how often it is looked at\n"
    "settle_seconds: 30      # a thing is taken when it has not changed for so long\n"
    "sidecar_wait_seconds: 3600  # with format kustos-sidecar: so long a file waits for NAME.json\n";

constexpr int kMaxDepth = 32;

// What tells whether something is still being written.
struct Shape {
    std::uint64_t files = 0, bytes = 0;
    std::int64_t newest_ms = 0;
    bool operator==(const Shape&) const = default;
};

Shape shape_of(const Path& path, int depth = 0) {
    Shape out;
    struct stat info {};
    if (depth > kMaxDepth || ::lstat(path.c_str(), &info) != 0) return out;
    out.newest_ms = std::max(info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1'000'000,
                             info.st_ctim.tv_sec * 1000 + info.st_ctim.tv_nsec / 1'000'000);
    if (!S_ISDIR(info.st_mode)) {
        out.files = 1;
        out.bytes = static_cast<std::uint64_t>(info.st_size);
        return out;
    }
    RealFs fs;
    const auto names = fs.list(path);
    if (!names.ok()) return out;
    for (const std::string& name : *names) {
        const Shape child = shape_of(path / name, depth + 1);
        out.files += child.files;
        out.bytes += child.bytes;
        out.newest_ms = std::max(out.newest_ms, child.newest_ms);
    }
    return out;
}

bool is_unfinished(std::string_view name) {
    if (name.empty() || name.front() == '.') return true;
    for (const std::string_view ending : {".part", ".tmp", ".filepart", ".crdownload"})
        if (name.size() >= ending.size() && name.substr(name.size() - ending.size()) == ending) return true;
    return false;
}

class FolderStream final : public Stream {
public:
    FolderStream(Path folder, const FormatInfo* format, std::string zone, std::int64_t look_ms, std::int64_t settle_ms,
                 std::int64_t sidecar_wait_ms, Intake& intake)
        : folder_(std::move(folder)),
          format_(format),
          zone_(std::move(zone)),
          look_ms_(look_ms),
          settle_ms_(settle_ms),
          sidecar_wait_ms_(sidecar_wait_ms),
          intake_(intake) {}
    ~FolderStream() override { stop(); }

    Status start() override {
        for (const char* tray : {"incoming", "done", "failed"}) TRY(intake_.environment().fs.make_dirs(folder_ / tray));
        thread_ = std::thread([this] { run(); });
        return {};
    }

    void stop() override {
        stop_ = true;
        if (thread_.joinable()) thread_.join();
    }

    StreamStatus status() const override {
        const std::lock_guard lock(mutex_);
        return status_;
    }

    Status poke() override {
        poke_ = true;
        return {};
    }

private:
    bool ends() const { return stop_ || intake_.stopping(); }

    void run() {
        say(StreamStatus::State::running, "");
        while (!ends()) {
            poke_ = false;
            if (const Status looked = look(); !looked.ok()) {
                if (looked.error().code() == Code::interrupted) break;
                say(StreamStatus::State::failing, looked.error().message());
                log(LogLevel::error, "a watched folder could not be read", {{"code", looked.error().code()}});
            }
            for (std::int64_t waited = 0; waited < look_ms_ && !ends() && !poke_; waited += 50) usleep(50'000);
        }
        say(StreamStatus::State::stopped, "");
    }

    Status look() {
        Fs& fs = intake_.environment().fs;
        const Path incoming = folder_ / "incoming";
        for (const std::string& name : TRY(fs.list(incoming))) {
            if (ends()) return {};
            if (is_unfinished(name) || !settled(incoming / name)) continue;
            const auto together = together_with(name);
            if (!together.empty()) TRY(take(together));
        }
        say(StreamStatus::State::running, "");
        return intake_.heard();
    }

    bool settled(const Path& path) {
        const Shape shape = shape_of(path);
        return shape.newest_ms + settle_ms_ <= intake_.environment().clock.now().ms;
    }

    // What is taken at once: a name, or a sidecar and its file. Empty: not now.
    std::vector<std::string> together_with(const std::string& name) {
        constexpr std::string_view kEnding = ".json";
        const Path path = folder_ / "incoming" / name;
        if (kind_of(path) != FileKind::file) return {name};
        const bool json = name.size() > kEnding.size() && name.substr(name.size() - kEnding.size()) == kEnding;
        const ReadContext plain;
        if (json && kind_of(folder_ / "incoming" / name.substr(0, name.size() - kEnding.size())) == FileKind::file &&
            is_sidecar_file(path, plain))
            return {};  // its file brings it
        const std::string beside = name + std::string(kEnding);
        if (kind_of(folder_ / "incoming" / beside) == FileKind::file &&
            is_sidecar_file(folder_ / "incoming" / beside, plain))
            return settled(folder_ / "incoming" / beside) ? std::vector<std::string>{beside, name}
                                                          : std::vector<std::string>{};
        const bool needs =
            format_ == &kSidecarFormat.info && !json && path.extension() != ".csv" && path.extension() != ".zip";
        const std::int64_t now = intake_.environment().clock.now().ms;
        if (needs && shape_of(path).newest_ms + sidecar_wait_ms_ > now) return {};
        return {name};
    }

    // names: read by the first one, and put away together.
    Status take(const std::vector<std::string>& names) {
        const std::string& name = names.front();
        const Path path = folder_ / "incoming" / name;
        const FileKind kind = kind_of(path);
        if (kind != FileKind::file && kind != FileKind::folder) return {};
        const auto sandbox = TRY(intake_.sandbox());
        ReadContext context;
        context.limits = intake_.limits();
        context.extractor = sandbox.get();
        context.spool_folder = intake_.spool_folder();
        context.time_zone = zone_;
        IntakeSink sink(intake_);
        Status done = read(path, format_, context, sink);
        if (done.ok() || done.error().code() == Code::interrupted) {
            const Status flushed = sink.flush();
            if (done.ok()) done = flushed;
        }
        note(sink.counts());
        TRY(std::move(done));
        const IntakeSink::Counts& counts = sink.counts();
        for (const auto& [code, count] : counts.findings) TRY(intake_.finding(code, count, name));
        const bool clean = counts.findings.empty() && counts.quarantined == 0;
        for (const std::string& one : names)
            TRY(put_away(folder_ / "incoming" / one, one, clean ? "done" : "failed", counts));
        return ok_status();
    }

    // A name that is taken already gets the time in front.
    Status put_away(const Path& path, const std::string& name, const char* tray, const IntakeSink::Counts& counts) {
        Fs& fs = intake_.environment().fs;
        std::string to = name;
        for (int n = 1; fs.exists(folder_ / tray / to); ++n)
            to = std::to_string(intake_.environment().clock.now().ms) + "-" + std::to_string(n) + "-" + name;
        if (std::string_view(tray) == "failed") {
            nlohmann::ordered_json findings = nlohmann::ordered_json::array();
            for (const auto& [code, count] : counts.findings) findings.push_back({{"code", code}, {"count", count}});
            const nlohmann::ordered_json report = {{"messages", counts.sealed},
                                                   {"duplicates", counts.duplicates},
                                                   {"quarantined", counts.quarantined},
                                                   {"findings", findings}};
            TRY(replace_file(fs, folder_ / tray / (to + ".report.json"), as_bytes(report.dump(2) + "\n")));
        }
        TRY(fs.rename(path, folder_ / tray / to));
        TRY(fs.sync_dir(folder_ / tray));
        return fs.sync_dir(folder_ / "incoming");
    }

    void note(const IntakeSink::Counts& counts) {
        const std::lock_guard lock(mutex_);
        status_.taken += counts.sealed;
        status_.last = intake_.environment().clock.now();
    }

    void say(StreamStatus::State state, std::string problem) {
        const std::lock_guard lock(mutex_);
        status_.state = state;
        status_.problem = std::move(problem);
    }

    Path folder_;
    const FormatInfo* format_;
    std::string zone_;
    std::int64_t look_ms_, settle_ms_, sidecar_wait_ms_;
    Intake& intake_;
    std::thread thread_;
    std::atomic<bool> stop_ = false, poke_ = false;
    mutable std::mutex mutex_;
    StreamStatus status_;
};

Result<std::unique_ptr<Stream>> make_folder(const StreamSettings& settings, Intake& intake) {
    const std::string name = settings.config.text("folder", "");
    if (name.empty()) return Error(Code::usage, "the settings lack folder");
    Path folder = Path(name).is_absolute() ? Path(name) : settings.folder / name;
    const FormatInfo* format = TRY(parse_format_name(settings.config.text("format", "auto")));
    const auto look = TRY(settings.config.number("look_seconds", 10, 1, 86'400));
    const auto settle = TRY(settings.config.number("settle_seconds", 30, 0, 86'400));
    const auto wait = TRY(settings.config.number("sidecar_wait_seconds", 3600, 0, 604'800));
    return std::unique_ptr<Stream>(std::make_unique<FolderStream>(std::move(folder), format,
                                                                  settings.config.text("time_zone", ""), look * 1000,
                                                                  settle * 1000, wait * 1000, intake));
}

}  // namespace

const StreamKind kFolderStream = {
    "folder",
    {"folder", "format", "time_zone", "look_seconds", "settle_seconds", "sidecar_wait_seconds"},
    kSettings,
    make_folder};

}  // namespace kustos::ingest
