#include "vault/retention_rules.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace kustos::vault {

namespace {

using Who = AssignmentRule::Who;

void add_person(std::set<Hash>& all, const Person& person, const RuleMac& mac) {
    for (const std::string* name : {&person.address, &person.id}) {
        if (!name->empty()) all.insert(mac(rule_identity(Who::participant, *name)));
    }
}

// Computed once, and only if a rule asks.
class Identities {
public:
    Identities(const Message& message, const RuleMac& mac) : message_(message), mac_(mac) {}
    bool fits(const AssignmentRule& rule) {
        switch (rule.who) {
            case Who::anybody:
                return true;
            case Who::participant:
                return people().count(rule.mac) != 0;
            case Who::conversation:
                return !message_.conversation.id.empty() && rule.mac == conversation();
        }
        return false;
    }

private:
    const std::set<Hash>& people() {
        if (!people_) {
            people_.emplace();
            add_person(*people_, message_.sender, mac_);
            for (const Recipient& r : message_.recipients) add_person(*people_, r.person, mac_);
        }
        return *people_;
    }
    Hash conversation() {
        if (!conversation_) conversation_ = mac_(rule_identity(Who::conversation, message_.conversation.id));
        return *conversation_;
    }
    const Message& message_;
    const RuleMac& mac_;
    std::optional<std::set<Hash>> people_;
    std::optional<Hash> conversation_;
};

}  // namespace

Bytes encode(const AssignmentRule& rule) {
    Bytes out;
    put_u16(out, rule.to.value);
    put_u32(out, rule.source.value);
    put_u8(out, rule.kind ? static_cast<std::uint8_t>(*rule.kind) : 0);
    put_u8(out, static_cast<std::uint8_t>(rule.who));
    put(out, rule.mac.view());
    return out;
}

Result<AssignmentRule> decode_rule(ByteView bytes) {
    const Error wrong(Code::bad_input, "not an assignment rule");
    if (bytes.size() != kRuleSize) return wrong;
    ByteReader in(bytes);
    AssignmentRule rule;
    rule.to = ClassCode(TRY(in.u16()));
    rule.source = SourceId(TRY(in.u32()));
    const std::uint8_t kind = TRY(in.u8()), who = TRY(in.u8());
    if (kind > static_cast<std::uint8_t>(MessageKind::unreadable) || who > 2) return wrong;
    if (kind != 0) rule.kind = static_cast<MessageKind>(kind);
    rule.who = static_cast<Who>(who);
    rule.mac = TRY(Hash::from(TRY(in.take(Hash::kSize))));
    if ((rule.who == Who::anybody) != rule.mac.is_zero()) return wrong;
    return rule;
}

Bytes rule_identity(Who who, std::string_view text) {
    Bytes out = to_bytes(
        std::string_view(who == Who::participant ? "kustos1/rule/participant/" : "kustos1/rule/conversation/"));
    put(out, as_bytes(fold(text)));
    return out;
}

std::optional<ClassCode> assign_class(const std::vector<AssignmentRule>& rules, SourceId source, const Message& message,
                                      const RuleMac& mac) {
    Identities identities(message, mac);
    for (const AssignmentRule& rule : rules) {
        if (rule.source.value != 0 && rule.source != source) continue;
        if (rule.kind && *rule.kind != message.kind) continue;
        if (identities.fits(rule)) return rule.to;
    }
    return std::nullopt;
}

}  // namespace kustos::vault
