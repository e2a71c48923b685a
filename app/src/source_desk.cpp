#include "app/source_desk.h"

#include "vault/retention.h"
#include "vault/retention_desk.h"

namespace kustos::app {

using audit::Body;
using audit::ControlAction;
using audit::Tag;

Result<vault::SourceInfo> SourceDesk::find(const std::string& name) const {
    const auto source = house_.archive().find_source(name);
    if (!source) return Error(Code::usage, "there is no source of that name").with_hint("kustos source list");
    return *source;
}

vault::RuleMac SourceDesk::mac() const {
    return [this](ByteView identity) { return house_.archive().duplicate_mac(SourceId(0), identity); };
}

Result<EntryIndex> SourceDesk::set_profile(const ProfileOrder& order) {
    const vault::SourceInfo source = TRY(find(order.source));
    if (order.ground.empty()) return Error(Code::usage, "a profile needs a reason").with_hint("--ground TEXT");
    TRY(vault::two_people(order.approvers));
    const vault::CaptureProfile profile = TRY(parse_profile(order.yaml, mac()));
    const std::lock_guard one_at_a_time(house_.decisions());
    const std::uint32_t version = house_.archive().source_book()->of(source.id).profile.version + 1;
    vault::DecisionText text;
    text.actor = actor_;
    text.approvers = order.approvers;
    text.ground = order.ground;
    text.scope = order.yaml;
    const vault::Receipt receipt = TRY(house_.archive().record_control(
        ControlAction::profile_set,
        [&](Body& body) {
            body.put_u64(Tag::entry, source.id.value).put_u32(Tag::version, version);
            body.put_bytes(Tag::profile, vault::encode(profile));
        },
        vault::kConfigurationClass, vault::compose_decision(text)));
    return receipt.index;
}

Result<EntryIndex> SourceDesk::resolve(const std::string& name, EntryIndex finding, const std::string& ground) {
    const vault::SourceInfo source = TRY(find(name));
    if (ground.empty()) return Error(Code::usage, "why is it settled?").with_hint("--ground TEXT");
    const std::lock_guard one_at_a_time(house_.decisions());
    const auto book = house_.archive().source_book();
    const vault::FindingInfo* found = nullptr;
    for (const vault::FindingInfo& f : book->of(source.id).findings)
        if (f.entry == finding) found = &f;
    if (found == nullptr)
        return Error(Code::usage, "this source has no finding of that number").with_hint("kustos source findings NAME");
    if (found->resolved) return Error(Code::conflict, "this finding is resolved already");
    vault::DecisionText text;
    text.actor = actor_;
    text.ground = ground;
    const vault::Receipt receipt = TRY(house_.archive().record_control(
        ControlAction::finding_resolved,
        [&](Body& body) {
            body.put_u64(Tag::entry, source.id.value)
                .put_text(Tag::code, found->code)
                .put_u64(Tag::count, found->count);
            body.put_u64(Tag::finding, finding.value);
        },
        vault::kConfigurationClass, vault::compose_decision(text)));
    return receipt.index;
}

// Archive::pause_source turns it round.
Result<bool> SourceDesk::pause(const std::string& name, bool paused) {
    const std::lock_guard one_at_a_time(house_.decisions());
    const vault::SourceInfo source = TRY(find(name));
    if (source.paused == paused) return false;
    TRY(house_.archive().pause_source(name));
    return true;
}

}  // namespace kustos::app
