#include "access/matters.h"

#include <charconv>

#include "base/text.h"
#include "vault/retention.h"

namespace kustos::access {

using audit::Body;
using audit::ControlAction;
using audit::Tag;

namespace {
Result<EntryIndex> parse_id(const std::string& text, char letter, const Error& wrong) {
    std::string_view digits = text;
    if (!digits.empty() && (digits[0] == letter || digits[0] == letter + ('a' - 'A'))) digits.remove_prefix(1);
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return wrong;
    return EntryIndex(n);
}
}  // namespace

std::string matter_id(EntryIndex entry) {
    return "M" + std::to_string(entry.value);
}
std::string result_id(EntryIndex entry) {
    return "R" + std::to_string(entry.value);
}

Result<EntryIndex> parse_matter_id(const std::string& text) {
    return parse_id(text, 'M',
                    Error(Code::usage, "a matter is named like M12").with_hint("kustos matter list shows all"));
}
Result<EntryIndex> parse_result_id(const std::string& text) {
    return parse_id(text, 'R',
                    Error(Code::usage, "a result set is named like R15")
                        .with_hint("kustos result list --matter ID shows those of a matter"));
}

namespace {
Status check_scope_text(const std::string& scope) {
    if (scope.size() <= kMaxScope && is_valid_utf8(scope)) return {};
    return Error(Code::usage, "a matter's scope has at most 8192 bytes of UTF-8");
}
}  // namespace

Result<Matter> Matters::open_new(const std::string& reference, const std::string& ground, const std::string& scope) {
    if (reference.empty() || reference.size() > kMaxReference || !is_valid_utf8(reference)) {
        return Error(Code::usage, "a matter's reference has 1 to 200 bytes of UTF-8");
    }
    if (ground.empty() || ground.size() > kMaxGround || !is_valid_utf8(ground)) {
        return Error(Code::usage, "a matter's legal ground has 1 to 2000 bytes of UTF-8");
    }
    TRY(check_scope_text(scope));
    vault::Draft draft;
    draft.kind = audit::Kind::control;
    draft.retention_class = vault::kAccessClass;
    Body body;
    body.put_u16(Tag::action, static_cast<std::uint16_t>(ControlAction::matter_opened));
    draft.body = body.encode();
    draft.content = vault::compose_matter(reference, ground, scope);
    std::vector<vault::Draft> drafts;
    drafts.push_back(std::move(draft));
    const auto receipts = TRY(archive_.seal(std::move(drafts)));
    if (archive_.keys().apart()) TRY(archive_.settle());  // it reads the files
    Matter matter;
    matter.entry = receipts.front().index;
    matter.reference = reference;
    matter.ground = ground;
    matter.scope = scope;
    matter.opened = archive_.clock().now();
    return matter;
}

Status Matters::close(EntryIndex matter) {
    const Matter found = TRY(find(matter));
    if (found.closed) return Error(Code::usage, matter_id(matter) + " is closed already");
    TRY(archive_.record_control(ControlAction::matter_closed,
                                [&](Body& body) { body.put_u64(Tag::matter, matter.value); }));
    return {};
}

Result<EntryIndex> Matters::change_scope(EntryIndex matter, const std::string& scope, const std::string& reason,
                                         const std::string& actor) {
    const Matter found = TRY(find(matter));
    if (found.closed) return Error(Code::usage, matter_id(matter) + " is closed");
    if (reason.empty() || reason.size() > kMaxGround || !is_valid_utf8(reason))
        return Error(Code::usage, "why is the scope changed? A reason of 1 to 2000 bytes").with_hint("--reason TEXT");
    TRY(check_scope_text(scope));
    vault::MatterText text;
    text.actor = actor;
    text.ground = reason;
    text.scope = scope;
    const vault::Receipt receipt = TRY(archive_.record_control(
        ControlAction::matter_scoped, [&](Body& body) { body.put_u64(Tag::matter, matter.value); }, vault::kAccessClass,
        vault::compose_matter_text(text)));
    if (archive_.keys().apart()) TRY(archive_.settle());
    return receipt.index;
}

Result<std::string> Matters::scope(EntryIndex matter) const {
    const auto book = archive_.matter_book();
    const auto& changes = book->scopes(matter);
    const EntryIndex at = changes.empty() ? matter : changes.back();
    auto payload = archive_.open_payload(at, TRY(archive_.entry(at)));
    if (!payload.ok() && payload.error().code() == Code::closed)
        return Error(Code::closed, "the vault is closed: a key holder must open it")
            .with_hint("kustos unlock; for this command alone: --passphrase-file, --share-file, --tpm or --token");
    return vault::field_text(TRY(std::move(payload)), vault::PathCode::scope);
}

Result<std::vector<ScopeChange>> Matters::scope_history(EntryIndex matter) const {
    TRY(find(matter));
    const auto book = archive_.matter_book();
    std::vector<EntryIndex> entries = {matter};
    entries.insert(entries.end(), book->scopes(matter).begin(), book->scopes(matter).end());
    std::vector<ScopeChange> history;
    for (const EntryIndex at : entries) {
        const audit::Entry entry = TRY(archive_.entry(at));
        ScopeChange change{at, {}, {}, {}, {}};
        change.time = TRY(audit::BodyReader::parse(entry.body)).find_time(Tag::time).value_or(UtcTime{});
        auto payload = archive_.open_payload(at, entry);
        if (payload.ok()) {
            const vault::MatterText text = vault::matter_text(*payload);
            change.scope = text.scope;
            if (at != matter) change.actor = text.actor, change.reason = text.ground;
        } else if (payload.error().code() != Code::closed) {
            return std::move(payload).error();
        }
        history.push_back(std::move(change));
    }
    return history;
}

Result<Matter> Matters::read(const vault::MatterInfo& info) const {
    Matter m;
    m.entry = info.entry;
    m.opened = info.opened;
    m.closed = info.closed;
    const audit::Entry entry = TRY(archive_.entry(info.entry));
    auto payload = archive_.open_payload(info.entry, entry);
    if (payload.ok()) {
        m.reference = vault::field_text(*payload, vault::PathCode::reference);
        m.ground = vault::field_text(*payload, vault::PathCode::legal_ground);
        m.scope = TRY(scope(info.entry));
    } else if (payload.error().code() != Code::closed) {
        return std::move(payload).error();
    }
    return m;
}

Result<std::vector<Matter>> Matters::list() const {
    std::vector<Matter> all;
    for (const vault::MatterInfo& info : archive_.matters()) all.push_back(TRY(read(info)));
    return all;
}

Result<Matter> Matters::find(EntryIndex matter) const {
    for (const vault::MatterInfo& info : archive_.matters()) {
        if (info.entry == matter) return read(info);
    }
    return Error(Code::denied, "there is no matter " + matter_id(matter))
        .with_hint("kustos matter list shows all; kustos matter new --reference R --ground TEXT makes one");
}

namespace {
// Art. 18 GDPR: for the matter that the restriction names, and for no other.
Status check_restrictions(const vault::Archive& archive, EntryIndex matter, std::span<const EntryIndex> ids) {
    const auto book = archive.retention();
    for (const EntryIndex id : ids) {
        if (const auto restriction = book->restriction_for(id, matter))
            return Error(Code::denied, "processing of record " + std::to_string(id.value) +
                                           " is restricted (GDPR Art. 18, entry " + std::to_string(restriction->value) +
                                           ")")
                .with_hint("it opens for the matter that the restriction names, or when it is lifted");
    }
    return {};
}
}  // namespace

Status Matters::allow(const vault::Purpose& purpose, std::span<const EntryIndex> ids) {
    for (const vault::MatterInfo& info : archive_.matters()) {
        if (info.entry != purpose.matter) continue;
        if (info.closed) {
            return Error(Code::denied, matter_id(purpose.matter) + " is closed")
                .with_hint("open a new matter: kustos matter new --reference R --ground TEXT");
        }
        TRY(check_restrictions(archive_, purpose.matter, ids));
        return check_scope(purpose, ids);
    }
    return Error(Code::denied, "there is no matter " + matter_id(purpose.matter))
        .with_hint("kustos matter list shows all");
}

// With an opener apart the opener decides it, by the ledger and before its entry.
Status Matters::check_scope(const vault::Purpose& purpose, std::span<const EntryIndex> ids) const {
    if (ids.empty() || purpose.scope_decided || archive_.keys().apart()) return {};
    const std::string bounds = TRY(scope(purpose.matter));
    if (bounds.empty()) return {};
    if (!scope_check_) return Error(Code::denied, "nobody here can tell what is in the matter's scope");
    return scope_check_(bounds, ids);
}

Status Matters::allow_trail(const vault::Purpose& purpose, ClassCode) {
    if (purpose.query.empty() || purpose.query.size() > kMaxGround || !is_valid_utf8(purpose.query))
        return Error(Code::denied, "who reads who read what says why: a ground of 1 to 2000 bytes of UTF-8")
            .with_hint("--ground TEXT");
    return {};
}

}  // namespace kustos::access
