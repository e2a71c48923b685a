// What machines push: who may, what becomes of a batch, and the tokens.
#include <algorithm>

#include "app/house.h"
#include "audit/entry.h"
#include "base/crypto.h"
#include "ingest/format.h"
#include "vault/payload.h"
#include "vault/retention.h"
#include "web/push_json.h"

namespace kustos::app {

namespace {

// Keys of sealed records wait for the indexer while the vault is closed; a sender goes no faster than that.
constexpr std::size_t kWaiting = 15'000;
constexpr std::size_t kSealedAtOnce = 512;

// What a repeated key must come with: the lines and the parts, whatever boundary lay between them this time.
Hash content_hash(const web::PushRequest& request) {
    if (request.parts.empty()) return sha256(request.body);
    Bytes all;
    const auto add = [&](ByteView bytes) {
        const Hash hash = sha256(bytes);
        put(all, hash.view());
    };
    add(request.body);
    for (const auto& [name, content] : request.parts) {
        add(as_bytes(name));
        add(content);
    }
    return sha256(all);
}

// Takes parsed items in order and seals them in runs.
class Sealing {
public:
    explicit Sealing(SourceDoor door) : door_(std::move(door)) {}

    Status take(std::uint64_t line, ingest::ParsedItem parsed) {
        web::PushReceipt receipt;
        receipt.line = line;
        receipt.quarantined = parsed.message.kind == vault::MessageKind::unreadable;
        receipts_.push_back(receipt);
        ingest::PortItem item;
        item.dedupe_identity = ingest::dedupe_identity(parsed.message, parsed.update_type);
        item.message = std::move(parsed.message);
        items_.push_back(std::move(item));
        return items_.size() == kSealedAtOnce ? flush() : ok_status();
    }

    Status flush() {
        if (items_.empty()) return {};
        const auto sealed = TRY(door_.seal(std::move(items_)));
        items_.clear();
        for (std::size_t i = 0; i < sealed.size(); ++i) {
            web::PushReceipt& r = receipts_[receipts_.size() - sealed.size() + i];
            const vault::Receipt& receipt = sealed[i].receipt;
            r.left_out = sealed[i].left_out.has_value();
            r.entry = receipt.index;
            r.record = receipt.record;
            r.leaf = receipt.leaf;
            r.duplicate = receipt.duplicate;
        }
        return {};
    }

    std::vector<web::PushReceipt> receipts() && { return std::move(receipts_); }

private:
    SourceDoor door_;
    std::vector<ingest::PortItem> items_;
    std::vector<web::PushReceipt> receipts_;
};

// What no line names is sealed as it came, in pieces where it is long.
class Unnamed final : public ingest::ItemSink {
public:
    explicit Unnamed(Sealing& sealing) : sealing_(sealing) {}
    Status item(ingest::ParsedItem item) override { return sealing_.take(0, std::move(item)); }
    void finding(std::string_view, std::uint64_t) override {}

private:
    Sealing& sealing_;
};

struct Line {
    std::uint64_t number = 0;  // from 1
    ByteView bytes;            // without its end; not empty
};

std::vector<Line> lines_of(ByteView body) {
    std::vector<Line> lines;
    std::uint64_t number = 0;
    for (std::size_t begin = 0; begin < body.size();) {
        const auto* found = std::find(body.data() + begin, body.data() + body.size(), std::uint8_t{'\n'});
        const auto end = static_cast<std::size_t>(found - body.data());
        ByteView line = body.subspan(begin, end - begin);
        begin = end + 1;
        ++number;
        if (!line.empty() && line.back() == '\r') line = line.first(line.size() - 1);
        if (!line.empty()) lines.push_back({number, line});
    }
    return lines;
}

}  // namespace

std::mutex& House::push_lane(SourceId source) {
    const std::lock_guard lock(push_mutex_);
    return push_lanes_[source];
}

Status House::may_push(const std::string& name, const std::string& token) {
    const auto source = archive_->find_source(name);
    // The same answer for an unknown source and a wrong token: names of sources are nobody's business outside.
    if (!source || source->kind != "http" ||
        !TRY(tokens_->check(source->id.value, token, environment_.clock.now().ms))) {
        return Error(Code::denied, "unknown source or wrong token")
            .with_hint("kustos source add NAME --kind http shows a token once, kustos source token NAME --new another");
    }
    if (source->paused)
        return Error(Code::overloaded, "this source is paused").with_hint("send again later; nothing was taken");
    if (!archive_->is_open() && archive_->waiting() > kWaiting)
        return Error(Code::overloaded, "the indexer is behind").with_hint("send again later; nothing was taken");
    return ok_status();
}

Result<web::PushAnswer> House::push(web::PushRequest request) {
    TRY(may_push(request.source, request.token));
    const auto source = archive_->find_source(request.source);
    const Hash content = content_hash(request);
    // One push of a source at a time: two with the same key must not both be new.
    const std::lock_guard lock(push_lane(source->id));
    if (!request.idempotency_key.empty()) {
        auto before = tokens_->remembered(source->id.value, request.idempotency_key, content);
        if (before.ok()) {
            web::PushAnswer answer = TRY(web::parse_push_answer(*before));
            answer.replayed = true;
            return answer;
        }
        if (before.error().code() != Code::not_found) return std::move(before).error();
    }
    Sealing sealing(door_of(source->id));
    ingest::Findings findings;
    ingest::StreamParts parts{std::move(request.parts), {}};
    for (const Line& line : lines_of(request.body)) {
        ingest::ParsedItem parsed = ingest::parse_stream_line(line.bytes, {}, {}, &findings, &parts);
        if (parsed.message.feed_position.empty()) parsed.message.feed_position = request.feed_position;
        TRY(sealing.take(line.number, std::move(parsed)));
    }
    Unnamed unnamed(sealing);
    for (auto& [name, bytes] : parts.contents)
        if (parts.named.count(name) == 0)
            TRY(ingest::quarantine(std::move(bytes), "stream", "part-without-message", {}, unnamed));
    TRY(sealing.flush());
    web::PushAnswer answer;
    for (const auto& [code, count] : findings) answer.unknown_keys += code == "stream:unknown-key" ? count : 0;
    answer.receipts = std::move(sealing).receipts();
    answer.checkpoint_size = archive_->head().size;
    if (!request.idempotency_key.empty())
        TRY(tokens_->remember(source->id.value, request.idempotency_key, content, web::push_answer_json(answer),
                              environment_.clock.now().ms));
    return answer;
}

// Before a token opens or no longer opens anything, an entry says so: who could send is part of what was sent.
Status House::note_token(SourceId source, std::string_view change, const std::string& actor) {
    TRY(archive_->record_control(
        audit::ControlAction::source_changed,
        [&](audit::Body& body) { body.put_u64(audit::Tag::entry, source.value).put_text(audit::Tag::code, change); },
        vault::kAccessClass, vault::compose_access(actor, "", {})));
    return {};
}

Result<std::string> House::issue_token(SourceId source, const std::string& actor, std::int64_t keep_ms) {
    const std::lock_guard one_at_a_time(decision_mutex_);
    TRY(note_token(source, "token_issued", actor));
    return tokens_->issue(source.value, environment_.clock.now().ms, keep_ms);
}

Status House::end_token(SourceId source, std::uint32_t number, const std::string& actor) {
    const std::lock_guard one_at_a_time(decision_mutex_);
    const std::int64_t now = environment_.clock.now().ms;
    const auto tokens = TRY(tokens_->list(source.value));
    const bool there = std::any_of(tokens.begin(), tokens.end(), [&](const access::PushTokens::Token& t) {
        return t.number == number && (!t.ends_ms || *t.ends_ms > now);
    });
    if (there) TRY(note_token(source, "token_ended", actor));
    return tokens_->end(source.value, number, environment_.clock.now().ms);
}

Result<std::vector<access::PushTokens::Token>> House::push_tokens(SourceId source) {
    return tokens_->list(source.value);
}

}  // namespace kustos::app
