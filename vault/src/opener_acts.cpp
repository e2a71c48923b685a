// What changes the opener itself, or gives more away than records: each behind its control entry, as an opening is.
#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "vault/erasure.h"
#include "vault/retention.h"
#include "vault/src/key_file.h"
#include "vault/src/opener_state.h"
#include "vault/src/rekeyed.h"

namespace kustos::vault {

using audit::Body;
using audit::ControlAction;
using audit::Kind;
using audit::Tag;

namespace {

constexpr std::size_t kMostActor = 200, kMostGround = 2'000, kMostWhy = 100;  // bytes

Status check_actor(const std::string& actor) {
    if (!actor.empty() && actor.size() <= kMostActor && is_valid_utf8(actor)) return {};
    return Error(Code::denied, "nobody's name stands on this");
}

}  // namespace

// --- the state ---

// From here on it is closed, whatever becomes of the note.
void OpenerService::State::lock_now(std::string_view why) {
    holder->lock();
    next.reset();
    until_monotonic = until_wall = 0;
    ++opening;
    if (!mark || mark->owed()) return;
    mark->closed_ms = environment.clock.now().ms;
    mark->why = std::string(why);
    if (const Status noted = store_opening_mark(environment.fs, options.state, *mark); !noted.ok())
        log(LogLevel::warning, "the opener's closing was not noted on the disk", {{"code", noted.error().code()}});
}

Result<std::shared_ptr<Keyholder>> OpenerService::State::opened_anew(const UnlockSecret& secret) {
    TRY(look());
    std::shared_ptr<Keyholder> candidate =
        TRY(Keyholder::open(environment, options.archive / "keys", view->vault(), holder->generation(), nullptr));
    TRY(candidate->unlock(secret));
    // What an erasure has begun to destroy is gone for it, too.
    const GenerationPlan doomed = TRY(plan(OpenerRequest()));
    for (const auto& [tree, list] : doomed.punctured) candidate->puncture(tree, list);
    return candidate;
}

Status OpenerService::State::take_opened(const std::shared_ptr<Keyholder>& candidate, EntryIndex entry,
                                         std::uint32_t seconds) {
    if (candidate->generation() != holder->generation())
        return Error(Code::conflict, "the keyring has a new generation meanwhile").with_hint("ask again");
    const OpeningMark opened{view->vault(), entry, 0, ""};
    TRY(store_opening_mark(environment.fs, options.state, opened));
    mark = opened;
    holder = candidate;
    const std::int64_t ms = std::int64_t{seconds} * 1000;
    until_monotonic = ms == 0 ? 0 : environment.clock.monotonic_ms() + ms;
    until_wall = ms == 0 ? 0 : environment.clock.now().ms + ms;
    return {};
}

Status OpenerService::State::forget_mark() {
    mark.reset();
    return remove_opening_mark(environment.fs, options.state);
}

// --- a connection ---

std::string OpenerCaller::named(const std::string& actor) const {
    return peer_ ? actor + " (uid " + std::to_string(*peer_) + ")" : actor;
}

// A control entry that must stand in the ledger, exactly so, before the effect.
Bytes OpenerCaller::propose_control(Body body, std::optional<Composed> content, std::shared_ptr<Keyholder> opens,
                                    Effect effect) {
    Pending made;
    made.kind = Kind::control;
    made.draft.body = body.encode();
    if (content) made.draft.payload = encode(content->payload);
    made.opens = std::move(opens);
    made.effect = std::move(effect);
    made.from = state_.view->head().size;
    made.opening = state_.opening;
    made.made_ms = state_.environment.clock.monotonic_ms();
    pending_ = std::move(made);
    return encode(pending_->draft);
}

Body OpenerCaller::dated(ControlAction action) const {
    Body body(action);
    body.put_time(Tag::time, state_.environment.clock.now());
    return body;
}

Result<Bytes> OpenerCaller::unlock(const OpenerRequest& request) {
    pending_.reset();
    TRY(check_actor(request.actor));
    if (state_.mark && state_.mark->owed())
        return Error(Code::conflict, "the last closing of the vault has no entry yet")
            .with_hint("the archive's process writes it when it is asked to open");
    auto candidate = TRY(state_.opened_anew(TRY(decode_secret(request.secret.view()))));
    Body body = dated(ControlAction::vault_unlocked);
    body.put_text(Tag::method, candidate->method());
    const std::int64_t ms = std::int64_t{request.seconds} * 1000;
    if (ms != 0) body.put_time(Tag::until, UtcTime{state_.environment.clock.now().ms + ms});
    const std::uint32_t seconds = request.seconds;
    return propose_control(std::move(body), compose_access(named(request.actor), "", {}), candidate,
                           [this, candidate, seconds](EntryIndex entry) -> Result<Bytes> {
                               TRY(state_.take_opened(candidate, entry, seconds));
                               return Bytes();
                           });
}

Result<Bytes> OpenerCaller::lock(const OpenerRequest& request) {
    pending_.reset();
    if (request.why.empty() || request.why.size() > kMostWhy || !is_valid_utf8(request.why))
        return Error(Code::denied, "a closing says why");
    if (request.now) {
        state_.lock_now(request.why);
        return Bytes();
    }
    if (!state_.holder->is_open()) return owed();
    TRY(state_.look());
    std::optional<Composed> content;
    if (!request.actor.empty()) {
        TRY(check_actor(request.actor));
        content = compose_access(named(request.actor), "", {});
    }
    Body body = dated(ControlAction::vault_locked);
    body.put_text(Tag::method, request.why);
    return propose_control(std::move(body), std::move(content), state_.holder,
                           [this, why = request.why](EntryIndex) -> Result<Bytes> {
                               state_.lock_now(why);
                               TRY(state_.forget_mark());
                               return Bytes();
                           });
}

// The closing that stands out; nothing: there is none.
Result<Bytes> OpenerCaller::owed() {
    pending_.reset();
    if (!state_.mark || !state_.mark->owed()) return Bytes();
    TRY(state_.look());
    Body body = dated(ControlAction::vault_locked);
    body.put_text(Tag::method, state_.mark->why).put_time(Tag::until, UtcTime{state_.mark->closed_ms});
    const OpeningMark meant = *state_.mark;
    return propose_control(std::move(body), std::nullopt, nullptr, [this, meant](EntryIndex) -> Result<Bytes> {
        if (state_.mark && *state_.mark == meant) TRY(state_.forget_mark());
        return Bytes();
    });
}

Result<Bytes> OpenerCaller::rekey(const OpenerRequest& request) {
    pending_.reset();
    RekeyOrder order = TRY(decode_rekey_order(request.order.view()));
    TRY(check_actor(order.actor));
    const auto candidate = TRY(state_.opened_anew(TRY(decode_secret(order.secret.view()))));
    auto rekeyed = std::make_shared<Keyholder::Rekeyed>(TRY(candidate->rekey(order.add, order.remove)));
    const SecretBytes shares = encode(rekeyed->shares);
    rekeyed->shares.clear();
    Body body = dated(ControlAction::slots_changed);
    body.put_text(Tag::method, methods_of(*rekeyed)).put_hash(Tag::slots_hash, sha256(encode(rekeyed->slots)));
    const Bytes draft =
        propose_control(std::move(body), compose_access(named(order.actor), "", {}), candidate,
                        [this, rekeyed](EntryIndex) -> Result<Bytes> {
                            TRY(store_rekeyed(state_.environment, state_.options.archive / "keys", *rekeyed));
                            return Bytes();
                        });
    Bytes out;
    put_u32(out, static_cast<std::uint32_t>(draft.size()));
    put(out, draft);
    put(out, shares.view());
    return out;
}

// What the entry says of the records is counted here.
Result<Bytes> OpenerCaller::leave(const OpenerRequest& request) {
    pending_.reset();
    leaves_.reset();
    const LeaveOrder order = TRY(decode_leave_order(request.order.view()));
    TRY(check_actor(order.actor));
    TRY(two_people(order.approvers));
    if (order.ground.empty() || order.ground.size() > kMostGround || !is_valid_utf8(order.ground))
        return Error(Code::denied, "giving the archive away has a ground of 1 to 2000 bytes of UTF-8");
    const auto candidate = TRY(state_.opened_anew(TRY(decode_secret(order.secret.view()))));
    if (order.size > state_.view->head().size.value) return Error(Code::denied, "the ledger is not so long");
    const EntrySet erased = TRY(state_.erased_records());
    std::vector<EntryIndex> records;
    std::uint64_t gone = 0;
    for (std::uint64_t i = 0; i < order.size; ++i) {
        if (TRY(state_.view->unproven_header(EntryIndex(i))).kind != Kind::record) continue;
        if (erased.contains(EntryIndex(i))) {
            ++gone;
        } else {
            records.push_back(EntryIndex(i));
        }
    }
    Body body(audit::ControlAction::exit_exported);
    body.put_time(Tag::time, state_.environment.clock.now())
        .put_u64(Tag::checkpoint_size, order.size)
        .put_u64(Tag::count, records.size())
        .put_u64(Tag::total, gone)
        .put_hash(Tag::list_root, list_root(std::move(records)));
    return propose_control(std::move(body), compose_reason({order.ground, named(order.actor), order.approvers, ""}),
                           candidate, [this, candidate](EntryIndex) -> Result<Bytes> {
                               leaves_ = candidate;
                               return Bytes();
                           });
}

Result<Bytes> OpenerCaller::cover(std::uint32_t tree) const {
    if (!leaves_) return Error(Code::denied, "key trees are given away behind an entry exit_exported alone");
    const SecretBytes cover = TRY(leaves_->surviving(KeyTreeId(tree)));
    return to_bytes(cover.view());
}

Result<Bytes> OpenerCaller::escrow(const OpenerRequest& request) {
    if (!state_.options.escrow)
        return Error(Code::environment, "the opener was started without an escrow")
            .with_hint("kustos opener serve --escrow DIR");
    EscrowTarget& target = *state_.options.escrow;
    const EscrowOrder order = TRY(decode_escrow_order(request.order.view()));
    TRY(state_.look());
    // Whether the folder may be made is what the ledger says.
    const bool first = order.first && state_.view->catalog().escrowed() == 0;
    const UtcTime now = state_.environment.clock.now();
    switch (order.kind) {
        case EscrowOrder::Kind::reachable:
            TRY(target.reachable(first));
            break;
        case EscrowOrder::Kind::store: {
            const bool prepared = state_.next && state_.next->keyring.generation == order.generation;
            if (order.generation != state_.holder->generation() && !prepared)
                return Error(Code::denied, "this is neither the present generation nor the next one");
            const SecretBytes epoch = TRY(state_.holder->epoch(order.generation));
            TRY(target.store(order.generation, epoch.view(), now, first));
            break;
        }
        case EscrowOrder::Kind::refresh:
            TRY(target.refresh());
            break;
        case EscrowOrder::Kind::list:
            return encode(TRY(target.generations()));
        case EscrowOrder::Kind::remove_superseded:
            TRY(target.remove_superseded(std::min(order.time, now)));
            break;
    }
    return Bytes();
}

}  // namespace kustos::vault
