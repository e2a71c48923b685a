// An archive with an opener apart in the same process, for tests. Threads: the opener serves in one of its own.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "tests/support/temp_dir.h"
#include "vault/archive.h"
#include "vault/opener.h"
#include "vault/opener_client.h"
#include "vault/opener_service.h"
#include "vault/retention.h"

namespace kustos::test::opener_world {

using namespace kustos;
using namespace kustos::vault;
using audit::AccessAction;
using audit::Body;
using audit::Tag;

struct AllowAll final : AccessCheck {
    Status allow(const Purpose&, std::span<const EntryIndex>) override { return {}; }
    Status allow_trail(const Purpose&, ClassCode) override { return {}; }
};

// Moves by hand; read by other threads.
class StepClock final : public Clock {
public:
    UtcTime now() const override { return UtcTime{1'800'000'000'000 + ms_}; }
    std::int64_t monotonic_ms() const override { return ms_; }
    void advance_ms(std::int64_t by) { ms_ += by; }

private:
    std::atomic<std::int64_t> ms_{1'000};
};

// An opener that serves in a thread, and can be ended as a kill would.
struct Serving {
    std::unique_ptr<OpenerService> service;
    std::atomic<bool> stop{false}, ready{false};
    std::thread thread;
    ~Serving() {
        stop = true;
        if (thread.joinable()) thread.join();
    }
};

struct World {
    RealFs fs;
    SystemClock clock;
    SystemRandom random;
    StepClock opener_clock;
    test::TempDir dir;
    AllowAll check;
    Path socket() const { return dir / "o.sock"; }
    Environment environment() { return {fs, clock, random}; }

    World() {
        CreateOptions options;
        options.unlock = "passphrase";
        options.passphrase = SecretBytes(as_bytes("geheim und lang"));
        const Status made = Archive::create(environment(), dir / "a", dir / "state", std::move(options));
        if (!made.ok()) FAIL(made.error().message());
    }
    Path escrow;  // of the opener; empty: none
    std::unique_ptr<OpenerService> opener(RateRules rules = {}, std::unique_ptr<Finder> finder = {}) {
        OpenerServiceOptions options;
        options.finder = std::move(finder);
        options.archive = dir / "a";
        options.state = dir / "opener";
        options.rules = rules;
        if (!escrow.empty())
            options.escrow =
                escrow_in_folder(escrow)(environment(), dir / "a" / "keys", Archive::vault_of(fs, dir / "a").value());
        auto service = OpenerService::open({fs, opener_clock, random}, std::move(options));
        if (!service.ok()) FAIL(service.error().message());
        return std::move(*service);
    }
    std::unique_ptr<Serving> serve(std::unique_ptr<OpenerService> service) {
        auto serving = std::make_unique<Serving>();
        serving->service = std::move(service);
        Serving* const s = serving.get();
        s->thread = std::thread([this, s] {
            const Status served = serve_opener(
                *s->service, socket(), std::nullopt,
                [s] {
                    s->ready = true;
                    return ok_status();
                },
                [s] { return s->stop.load(); });
            CHECK(served.ok());
        });
        while (!s->ready) std::this_thread::yield();
        return serving;
    }
    std::unique_ptr<Archive> open() {
        OpenOptions options;
        options.state = dir / "state";
        options.keys = std::make_unique<RemoteKeys>(socket());
        if (!escrow.empty()) options.escrow = escrow_in_folder(escrow);
        auto archive = Archive::open(environment(), dir / "a", std::move(options));
        if (!archive.ok()) FAIL(archive.error().message());
        return std::move(*archive);
    }
};

inline UnlockSecret passphrase(std::string_view text = "geheim und lang") {
    return PassphraseSecret{SecretBytes(as_bytes(text))};
}

inline std::vector<EntryIndex> fill(Archive& archive, int count, std::size_t attachment = 0) {
    const auto known = archive.find_source("chat");
    const SourceInfo source = known ? *known : archive.add_source("chat", "import", kDefaultClass).value();
    std::vector<Draft> drafts;
    for (int i = 0; i < count; ++i) {
        Message m;
        m.native_id = std::to_string(i);
        m.body = "Text " + std::to_string(i);
        m.received_at = UtcTime{1'772'445'600'000};
        m.raw = to_bytes("{\"body\":\"" + m.body + "\"}");
        if (attachment != 0) {
            Attachment a;
            a.name = "a.bin";
            a.media_type = "application/octet-stream";
            a.content = Bytes(attachment, static_cast<std::uint8_t>(i));
            m.attachments.push_back(std::move(a));
        }
        Draft d;
        d.source = source.id;
        d.retention_class = source.retention_class;
        d.content = compose(std::move(m)).value();
        drafts.push_back(std::move(d));
    }
    std::vector<EntryIndex> entries;
    const std::vector<Receipt> receipts = archive.seal(std::move(drafts)).value();
    for (const Receipt& r : receipts) entries.push_back(r.index);
    REQUIRE(archive.indexed_below(EntryIndex(entries.back().value + 1)).ok());
    return entries;
}

inline EntryIndex matter_of(Archive& archive) {
    return archive
        .record_control(
            audit::ControlAction::matter_opened, [](Body&) {}, kAccessClass, compose_matter("R", "G"))
        .value()
        .index;
}

inline Purpose purpose_of(EntryIndex matter, AccessAction action = AccessAction::open) {
    Purpose p;
    p.action = action;
    p.matter = matter;
    p.actor = "clerk";
    p.total = 1;
    return p;
}

// Speaks the protocol without the client, as somebody would who has taken the sealer over.
struct Hostile {
    explicit Hostile(OpenerService& service) : caller(service.connect()) {
        OpenerRequest hello;
        hello.version = kOpenerProtocol;
        REQUIRE(ask(hello).ok());
    }
    Result<Bytes> ask(const OpenerRequest& request) { return decode_opener_answer(caller->answer(encode(request))); }
    Result<Bytes> ask(OpenerAsk what, EntryIndex entry) {
        OpenerRequest request;
        request.ask = what;
        request.entry = entry;
        return ask(request);
    }
    Result<AccessDraft> begin(const Purpose& purpose, std::vector<EntryIndex> ids) {
        OpenerRequest request;
        request.ask = OpenerAsk::begin;
        request.search.purpose = purpose;
        request.entries = std::move(ids);
        return decode_access_draft(TRY(ask(request)));
    }
    std::unique_ptr<OpenerService::Caller> caller;
};

inline EntryIndex append(Archive& archive, Bytes body, const Bytes& payload) {
    Draft draft;
    draft.kind = audit::Kind::access;
    draft.retention_class = kAccessClass;
    draft.body = std::move(body);
    draft.content.emplace();
    draft.content->payload = decode_payload(payload).value();
    std::vector<Draft> drafts;
    drafts.push_back(std::move(draft));
    const EntryIndex entry = archive.seal(std::move(drafts)).value().front().index;
    REQUIRE(archive.settle().ok());
    return entry;
}

inline Code code_of(const Result<Bytes>& answer) {
    REQUIRE_FALSE(answer.ok());
    return answer.error().code();
}

}  // namespace kustos::test::opener_world
