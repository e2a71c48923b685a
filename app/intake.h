// The intake of one source: what its stream takes goes through here into the archive (ingest/intake.h).
#pragma once

#include <atomic>
#include <functional>
#include <mutex>

#include "ingest/intake.h"
#include "vault/stream_memory.h"

namespace kustos::app {

class House;

// Threads: safe. Outlives its stream.
class HouseIntake final : public ingest::Intake {
public:
    HouseIntake(House& house, SourceId source, std::function<bool()> stopping);
    Status room() const override;
    Result<std::vector<ingest::Taken>> take(std::vector<ingest::ParsedItem> items) override;
    Status finding(std::string_view code, std::uint64_t count, std::string_view about) override;
    Status resolve(std::string_view code, std::string_view about) override;
    Status promise(const ingest::Promise& promise) override;
    Result<std::vector<ingest::Proof>> prove(const std::vector<EntryIndex>& entries) override;
    Status clearing(std::uint64_t count, std::string_view part, std::string_view what) override;
    Status heard() override;
    Result<std::optional<std::string>> recall(std::string_view name) override;
    Status remember(std::string_view name, std::string_view value) override;
    Status forget(std::string_view name) override;
    Result<std::unique_ptr<ingest::Extractor>> sandbox() override;
    ingest::Limits limits() const override { return {}; }
    Path spool_folder() const override;
    const Environment& environment() const override { return environment_; }
    bool stopping() const override { return stopping_(); }

private:
    Hash about_mac(std::string_view code, std::string_view about) const;
    House& house_;
    SourceId source_;
    vault::StreamMemory& memory_;
    std::function<bool()> stopping_;
    Environment environment_;
    SecretBytes key_;
    std::mutex finding_mutex_;
};

}  // namespace kustos::app
