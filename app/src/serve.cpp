#include "app/serve.h"
#include "app/src/drill_folder.h"

#include <unistd.h>

#include <thread>

#include "app/remote.h"
#include "app/src/drill_folder.h"
#include "app/stream_desk.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/stack.h"
#include "web/server.h"

namespace kustos::app {

namespace {

// A live record's key waits for the indexer at most so long (docs/threat-model.md).
constexpr std::int64_t kKeyWaits = 15 * 60'000;
constexpr std::size_t kKeysWaiting = 20'000;
constexpr std::int64_t kFinishIndex = 10'000;  // ms
constexpr std::uint64_t kSaveTallies = 50;     // turns of 100 ms

// Waits in small steps, so that a stop is noticed.
void rest(std::int64_t ms) {
    for (; ms > 0 && !interrupt_requested(); ms -= 50) usleep(50'000);
}

// Takes what is new into the index; an idle second commits what was taken, and small shards are joined.
void index_loop(House& house) {
    constexpr std::int64_t kLookAtShards = 60'000;  // ms
    std::int64_t look = 0;
    while (!interrupt_requested()) {
        const StackWiper wiper;
        auto busy = house.index_step();
        if (!busy.ok()) {
            log(LogLevel::error, "indexer stopped a step", {{"code", busy.error().code()}});
            rest(5000);
            continue;
        }
        if (*busy) continue;
        if (const Status s = house.commit_index(); !s.ok())
            log(LogLevel::error, "index commit failed", {{"code", s.error().code()}});
        if (const std::int64_t now = house.environment().clock.monotonic_ms(); now >= look) {
            look = now + kLookAtShards;
            if (const Status joined = house.join_small_shards(); !joined.ok())
                log(LogLevel::warning, "small shards of the index were not joined", {{"code", joined.error().code()}});
        }
        rest(300);
    }
    // What waits is taken in before the end, for so long: with the vault closed its keys go with this process.
    const Clock& clock = house.environment().clock;
    const std::int64_t until = clock.monotonic_ms() + kFinishIndex;
    const auto late = [&clock, until] { return clock.monotonic_ms() > until; };
    while (!late()) {
        const auto busy = house.index_step(late);
        if (!busy.ok() || !*busy) break;
    }
    if (const Status s = house.close_index(); !s.ok())
        log(LogLevel::error, "index commit failed", {{"code", s.error().code()}});
}

// Of its own: neither a hanging indexer nor an authority that does not answer holds it up.
void forget_loop(House& house) {
    while (!interrupt_requested()) {
        // Of an open vault they can be had again.
        const std::size_t missed = house.archive().forget_older_than(kKeyWaits, kKeysWaiting);
        if (missed != 0 && !house.archive().is_open())
            log(LogLevel::warning, "keys did not wait for the indexer", {{"records", missed}});
        web::Server::wipe_buffers();
        rest(500);
    }
}

constexpr std::int64_t kLookAtCalendar = 24 * 3600 * 1000;  // ms

constexpr std::int64_t kLateTokens = 30 * 1000;  // ms

// Publishes a checkpoint at most every interval; an authority that does not answer is asked again between, later each
// time (audit/authority_book.h).
void anchor_loop(House& house, std::int64_t interval_ms) {
    const Clock& clock = house.environment().clock;
    std::int64_t calendar = clock.monotonic_ms(), publish = calendar + 1000;
    rest(1000);
    while (!interrupt_requested() && !house.archive().read_only()) {
        const bool now = clock.monotonic_ms() >= publish;
        const auto done = house.publish_and_anchor(now);
        if (!done.ok()) log(LogLevel::error, "checkpoint not published", {{"code", done.error().code()}});
        if (now) publish = clock.monotonic_ms() + (done.ok() ? interval_ms : std::min(interval_ms, kLateTokens));
        if (clock.monotonic_ms() >= calendar && !house.archive().read_only()) {
            if (const auto renewed = house.renew(false); !renewed.ok())
                log(LogLevel::error, "time stamps not renewed", {{"code", renewed.error().code()}});
            if (const Status counted = house.count_sources(); !counted.ok())
                log(LogLevel::error, "sources not counted", {{"code", counted.error().code()}});
            if (const Status forgotten = house.maintain(); !forgotten.ok())
                log(LogLevel::error, "what is erased was not cleared away", {{"code", forgotten.error().code()}});
            if (const Status kept = house.maintain_escrow(); !kept.ok())
                log(LogLevel::warning, "the escrow of keys was not brought up to date",
                    {{"code", kept.error().code()}});
            calendar = clock.monotonic_ms() + kLookAtCalendar;
        }
        rest(std::clamp<std::int64_t>(publish - clock.monotonic_ms(), 100, kLateTokens));
    }
}

}  // namespace

Result<int> serve(House& house, int port, Streams streams) {
    const auto configured = static_cast<int>(TRY(house.config().number("web.port", 8443, 1, 65535)));
    const std::int64_t interval = TRY(house.config().number("time_stamps.interval_seconds", 60, 1, 86'400)) * 1000;
    web::ServerOptions options;
    options.port = static_cast<std::uint16_t>(port == 0 ? configured : port);
    options.tls_dir = house.state_dir() / "tls";
    options.language = house.config().text("language", "de") == "en" ? web::Language::english : web::Language::german;
    if (!TRY(house.accounts().any())) {
        const std::string password = base64url(SecretBytes::random(house.environment().random, 12).view());
        TRY(house.accounts().set_password("admin", password));
        TRY(house.archive().record_control(audit::ControlAction::account_added, [](audit::Body&) {}));
        streams.out << "account admin, password (shown only now): " << password << "\n";
    }
    remove_killed_drills(house.environment());
    TRY(house.check_key_memory());
    TRY(house.keep_forward_state());
    install_interrupt_handler();
    auto server = TRY(web::Server::start(house.environment(), house, options));
    auto remote = TRY(RemoteServer::start(house));
    streams.out << "https://localhost:" << server->port() << "/  (certificate SHA-256 "
                << server->certificate_fingerprint() << ")\n"
                << std::flush;
    auto desk = TRY(StreamDesk::start(house, interrupt_requested));
    house.tell_of_streams([&desk] {
        std::map<SourceId, ingest::StreamStatus> out;
        for (const StreamDesk::Seat& seat : desk->seats()) out[seat.source] = seat.status;
        return out;
    });
    std::thread indexer([&house] { index_loop(house); });
    std::thread forgetting([&house] { forget_loop(house); });
    house.index_lives(true);
    std::thread anchors([&house, interval] { anchor_loop(house, interval); });
    std::uint64_t turns = 0;
    while (!interrupt_requested() && !house.archive().read_only()) {
        house.door().tick();
        TRY(desk->look());
        if (++turns % kSaveTallies == 0) TRY(house.tallies().save());
        usleep(100'000);
    }
    const bool failed = house.archive().read_only();
    request_interrupt();
    house.index_lives(false);
    server->stop();
    remote->stop();
    house.tell_of_streams({});
    desk->stop();
    TRY(house.tallies().save());
    indexer.join();
    forgetting.join();
    anchors.join();
    if (failed) {
        const auto why = house.archive().why_read_only();
        if (why && (why->code() == Code::rolled_back || why->code() == Code::conflict)) return Error(*why);
        return Error(Code::environment, "the writer ended: a write or sync failed, and nothing more was acknowledged" +
                                            (why ? " (" + why->message() + ")" : ""))
            .with_hint("check the disk, then start again; recovery runs by itself");
    }
    if (house.door().standing()) TRY(house.door().close("end"));
    if (auto done = house.publish_and_anchor(); !done.ok()) return std::move(done).error();
    return 0;
}

}  // namespace kustos::app
