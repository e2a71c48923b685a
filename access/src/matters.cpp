#include "access/matters.h"

#include <charconv>

#include "base/text.h"
#include "vault/retention.h"

namespace kustos::access {

using audit::Body;
using audit::ControlAction;
using audit::Tag;

std::string matter_id(EntryIndex entry) {
    return "M" + std::to_string(entry.value);
}

Result<EntryIndex> parse_matter_id(const std::string& text) {
    std::string_view digits = text;
    if (!digits.empty() && (digits[0] == 'M' || digits[0] == 'm')) digits.remove_prefix(1);
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
        return Error(Code::usage, "a matter is named like M12").with_hint("kustos matter list shows all");
    }
    return EntryIndex(n);
}

Result<Matter> Matters::open_new(const std::string& reference, const std::string& ground) {
    if (reference.empty() || reference.size() > kMaxReference || !is_valid_utf8(reference)) {
        return Error(Code::usage, "a matter's reference has 1 to 200 bytes of UTF-8");
    }
    if (ground.empty() || ground.size() > kMaxGround || !is_valid_utf8(ground)) {
        return Error(Code::usage, "a matter's legal ground has 1 to 2000 bytes of UTF-8");
    }
    vault::Draft draft;
    draft.kind = audit::Kind::control;
    draft.retention_class = vault::kAccessClass;
    Body body;
    body.put_u16(Tag::action, static_cast<std::uint16_t>(ControlAction::matter_opened));
    draft.body = body.encode();
    draft.content = vault::compose_matter(reference, ground);
    std::vector<vault::Draft> drafts;
    drafts.push_back(std::move(draft));
    const auto receipts = TRY(archive_.seal(std::move(drafts)));
    if (archive_.keys().apart()) TRY(archive_.settle());  // it reads the files
    Matter matter;
    matter.entry = receipts.front().index;
    matter.reference = reference;
    matter.ground = ground;
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
        return check_restrictions(archive_, purpose.matter, ids);
    }
    return Error(Code::denied, "there is no matter " + matter_id(purpose.matter))
        .with_hint("kustos matter list shows all");
}

Status Matters::allow_trail(const vault::Purpose& purpose, ClassCode) {
    if (purpose.query.empty() || purpose.query.size() > kMaxGround || !is_valid_utf8(purpose.query))
        return Error(Code::denied, "who reads who read what says why: a ground of 1 to 2000 bytes of UTF-8")
            .with_hint("--ground TEXT");
    return {};
}

}  // namespace kustos::access
