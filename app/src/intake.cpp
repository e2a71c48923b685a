#include "app/intake.h"

#include "app/house.h"
#include "base/crypto.h"
#include "vault/payload.h"
#include "vault/retention.h"

namespace kustos::app {

using audit::Body;
using audit::ControlAction;
using audit::Tag;

namespace {

// Sealed records wait for the indexer while the vault is closed; a stream goes no faster than that.
constexpr std::size_t kWaiting = 15'000;
constexpr std::int64_t kHeartbeatEvery = 3600 * 1000;  // ms

constexpr std::int64_t kPromiseEvery = 20 * 3600 * 1000;

// What a finding or a promise is about: a room, a mailbox, a position. Nobody's business in the ledger.
vault::Composed sealed_about(std::string_view about) {
    vault::DecisionText text;
    text.scope = about;
    return vault::compose_decision(text);
}

}  // namespace

HouseIntake::HouseIntake(House& house, SourceId source, std::function<bool()> stopping)
    : house_(house),
      source_(source),
      memory_(house.stream_memory()),
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
    const auto answers = TRY(house_.door_of(source_).seal(std::move(sealing)));
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i].dropped = answers[i].left_out.has_value();
        out[i].entry = answers[i].receipt.index;
        out[i].record = answers[i].receipt.record;
        out[i].leaf = answers[i].receipt.leaf;
        out[i].duplicate = answers[i].receipt.duplicate;
    }
    return out;
}

Hash HouseIntake::about_mac(std::string_view code, std::string_view about) const {
    return hmac_sha256(key_.view(), as_bytes("kustos1/finding/" + std::string(code) + "/" + std::string(about)));
}

Status HouseIntake::finding(std::string_view code, std::uint64_t count, std::string_view about) {
    const std::lock_guard lock(finding_mutex_);
    const Hash mac = about_mac(code, about);
    const auto book = house_.archive().source_book();
    for (const vault::FindingInfo& f : book->of(source_).findings)
        if (f.about == mac && !f.resolved) return {};  // known, and open
    TRY(house_.archive().record_control(
        ControlAction::finding,
        [&](Body& body) {
            body.put_u64(Tag::entry, source_.value).put_text(Tag::code, code).put_u64(Tag::count, count);
            body.put_hash(Tag::related_hash, mac);
        },
        vault::kConfigurationClass, sealed_about(about)));
    return {};
}

Status HouseIntake::resolve(std::string_view code, std::string_view about) {
    const std::lock_guard lock(finding_mutex_);
    const Hash mac = about_mac(code, about);
    const auto book = house_.archive().source_book();
    for (const vault::FindingInfo& f : book->of(source_).findings) {
        if (f.about != mac || f.resolved) continue;
        TRY(house_.archive().record_control(ControlAction::finding_resolved, [&](Body& body) {
            body.put_u64(Tag::entry, source_.value).put_text(Tag::code, code).put_u64(Tag::count, f.count);
            body.put_hash(Tag::related_hash, mac);
        }));
        return {};
    }
    return {};
}

// An entry a day for each part, and whenever what is missing changes.
Status HouseIntake::promise(const ingest::Promise& promise) {
    const Hash mac = promise.part.empty() ? Hash{} : about_mac("promise", promise.part);
    const std::uint64_t missing = promise.count > promise.taken ? promise.count - promise.taken : 0;
    const auto book = house_.archive().source_book();
    const auto& promises = book->of(source_).promises;
    const auto last = promises.find(mac);
    const UtcTime now = environment_.clock.now();
    const auto missed = [](const vault::PromiseInfo& p) { return p.promised > p.sealed ? p.promised - p.sealed : 0; };
    if (last == promises.end() || missed(last->second) != missing || now.ms - last->second.time.ms >= kPromiseEvery) {
        TRY(house_.archive().record_control(
            ControlAction::promise_made,
            [&](Body& body) {
                body.put_u64(Tag::entry, source_.value).put_u64(Tag::count, promise.count);
                body.put_u64(Tag::total, promise.taken);
                if (!mac.is_zero()) body.put_hash(Tag::related_hash, mac);
            },
            vault::kConfigurationClass, sealed_about(promise.part + " " + promise.position)));
    }
    return missing > 0 ? finding("source:missing", missing, promise.part) : resolve("source:missing", promise.part);
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
