#include "app/intake.h"

#include "app/house.h"
#include "base/crypto.h"

namespace kustos::app {

using audit::Body;
using audit::ControlAction;
using audit::Tag;

namespace {

// Sealed records wait for the indexer while the vault is closed; a stream goes no faster than that.
constexpr std::size_t kWaiting = 15'000;
constexpr std::int64_t kHeartbeatEvery = 3600 * 1000;  // ms

std::string finding_name(std::string_view code, std::string_view about) {
    return "finding/" + std::string(code) + "/" + std::string(about);
}

}  // namespace

HouseIntake::HouseIntake(House& house, SourceId source, vault::StreamMemory& memory, std::function<bool()> stopping)
    : house_(house),
      source_(source),
      memory_(memory),
      stopping_(std::move(stopping)),
      environment_(house.environment()),
      key_(house.archive().stream_key(source)) {}

Status HouseIntake::room() const {
    const auto source = house_.archive().find_source(source_);
    if (!source) return Error(Code::not_found, "the source is gone");
    if (source->paused) return Error(Code::overloaded, "this source is paused");
    if (!house_.archive().is_open() && house_.archive().waiting() > kWaiting)
        return Error(Code::overloaded, "the indexer is behind; send again later");
    return {};
}

Result<std::vector<ingest::Taken>> HouseIntake::take(std::vector<ingest::ParsedItem> items) {
    TRY(room());
    const auto source = house_.archive().find_source(source_);
    std::vector<ingest::Taken> out;
    std::vector<ingest::PortItem> sealing;
    for (ingest::ParsedItem& item : items) {
        ingest::Taken taken;
        taken.quarantined = item.message.kind == vault::MessageKind::unreadable;
        out.push_back(taken);
        ingest::PortItem entry;
        entry.dedupe_identity = ingest::dedupe_identity(item.message, item.update_type);
        entry.message = std::move(item.message);
        sealing.push_back(std::move(entry));
    }
    const auto receipts = TRY(house_.seal_items(*source, std::move(sealing)));
    std::size_t at = 0;
    for (ingest::Taken& taken : out) {
        if (taken.dropped) continue;
        const vault::Receipt& receipt = receipts[at++];
        taken.entry = receipt.index;
        taken.record = receipt.record;
        taken.leaf = receipt.leaf;
        taken.duplicate = receipt.duplicate;
    }
    return out;
}

Status HouseIntake::finding(std::string_view code, std::uint64_t count, std::string_view about) {
    const std::lock_guard lock(finding_mutex_);
    const std::string name = finding_name(code, about);
    if (TRY(recall(name))) return {};  // known, and not resolved yet
    TRY(house_.archive().record_control(ControlAction::finding, [&](Body& body) {
        body.put_u64(Tag::entry, source_.value).put_text(Tag::code, code).put_u64(Tag::count, count);
    }));
    return remember(name, std::to_string(count));
}

Status HouseIntake::resolve(std::string_view code, std::string_view about) {
    const std::lock_guard lock(finding_mutex_);
    const std::string name = finding_name(code, about);
    const auto known = TRY(recall(name));
    if (!known) return {};
    TRY(house_.archive().record_control(ControlAction::finding_resolved, [&](Body& body) {
        body.put_u64(Tag::entry, source_.value).put_text(Tag::code, code);
        body.put_u64(Tag::count, std::strtoull(known->c_str(), nullptr, 10));
    }));
    return forget(name);
}

Status HouseIntake::promise(const ingest::Promise& promise) {
    const auto source = house_.archive().find_source(source_);
    if (!source) return Error(Code::not_found, "the source is gone");
    if (!promise.part.empty()) return {};  // of parts: counted by who knows them
    const auto answer = house_.heartbeat(source->name, promise.count);
    return answer.ok() ? ok_status() : Status(answer.error());
}

Status HouseIntake::heard() {
    const auto source = house_.archive().find_source(source_);
    if (!source) return Error(Code::not_found, "the source is gone");
    if (source->heard && environment_.clock.now().ms - source->heard->ms < kHeartbeatEvery) return {};
    const auto answer = house_.heartbeat(source->name, source->records);
    return answer.ok() ? ok_status() : Status(answer.error());
}

Result<std::optional<std::string>> HouseIntake::recall(std::string_view name) {
    return memory_.recall(key_.view(), source_, name);
}

Status HouseIntake::remember(std::string_view name, std::string_view value) {
    return memory_.remember(key_.view(), source_, name, value);
}

Status HouseIntake::forget(std::string_view name) {
    return memory_.forget(key_.view(), source_, name);
}

Result<std::unique_ptr<ingest::Extractor>> HouseIntake::sandbox() {
    ingest::ExtractorOptions options;
    options.program = ingest::default_extractor_program();
    return ingest::Extractor::create(options);
}

Path HouseIntake::spool_folder() const {
    return house_.archive().dir() / "staging";
}

}  // namespace kustos::app
