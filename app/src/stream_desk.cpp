#include "app/stream_desk.h"

#include "app/house.h"
#include "base/log.h"

namespace kustos::app {

struct StreamDesk::Running {
    std::string name, kind;
    std::unique_ptr<HouseIntake> intake;
    std::unique_ptr<ingest::Stream> stream;  // ends before its intake
    std::string problem;                     // why there is no stream
};

StreamDesk::StreamDesk(House& house, std::function<bool()> stopping) : house_(house), stopping_(std::move(stopping)) {}

StreamDesk::~StreamDesk() {
    stop();
}

Result<std::unique_ptr<StreamDesk>> StreamDesk::start(House& house, std::function<bool()> stopping) {
    auto desk = std::unique_ptr<StreamDesk>(new StreamDesk(house, std::move(stopping)));
    TRY(desk->look());
    return desk;
}

void StreamDesk::stop() {
    const std::lock_guard lock(mutex_);
    for (auto& [id, running] : running_)
        if (running->stream) running->stream->stop();
    running_.clear();
}

void StreamDesk::start_one(const SourceId& id, Running& running) {
    const ingest::StreamKind* kind = ingest::find_stream_kind(running.kind);
    const auto begin = [&]() -> Status {
        const Path file = stream_settings_file(house_.archive().dir(), running.name);
        const auto settings = TRY(ingest::read_stream_settings(*kind, file, house_.environment().fs));
        running.intake = std::make_unique<HouseIntake>(house_, id, stopping_);
        running.stream = TRY(kind->make(settings, *running.intake));
        return running.stream->start();
    };
    const Status begun = begin();
    if (begun.ok()) return;
    running.stream.reset();
    running.intake.reset();
    running.problem = begun.error().message();
    log(LogLevel::error, "a stream can't be started", {{"source", id.value}, {"code", begun.error().code()}});
}

Status StreamDesk::look() {
    const std::lock_guard lock(mutex_);
    for (const vault::SourceInfo& source : house_.archive().sources()) {
        if (!ingest::find_stream_kind(source.kind) || running_.count(source.id) != 0) continue;
        auto running = std::make_unique<Running>();
        running->name = source.name;
        running->kind = source.kind;
        start_one(source.id, *running);
        running_.emplace(source.id, std::move(running));
    }
    return {};
}

std::vector<StreamDesk::Seat> StreamDesk::seats() const {
    const std::lock_guard lock(mutex_);
    std::vector<Seat> out;
    for (const auto& [id, running] : running_) {
        Seat seat{id, running->name, running->kind, {}};
        if (running->stream) {
            seat.status = running->stream->status();
        } else {
            seat.status.state = ingest::StreamStatus::State::failing;
            seat.status.problem = running->problem;
        }
        out.push_back(std::move(seat));
    }
    return out;
}

Path stream_settings_file(const Path& archive, const std::string& source) {
    return archive / "sources" / (source + ".yaml");
}

Result<Path> begin_stream_settings(Fs& fs, const Path& archive, const std::string& source, const std::string& kind) {
    const ingest::StreamKind* known = ingest::find_stream_kind(kind);
    if (!known) return Path();
    const Path file = stream_settings_file(archive, source);
    if (fs.exists(file)) return file;
    TRY(make_dirs_synced(fs, archive / "sources"));
    TRY(replace_file(fs, file, as_bytes(known->settings)));
    return file;
}

}  // namespace kustos::app
