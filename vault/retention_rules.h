// Which class a message gets at sealing: an ordered list, and the first rule that fits decides.
//
// A rule may name a source and a kind in the clear, and a participant or a conversation by a keyed hash: personal data
// stand nowhere readable, and a closed vault can still evaluate them. Who has the key (keys/duplicates.key) can test
// guesses; docs/threat-model.md says so. Pure. Threads: values.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/crypto.h"
#include "base/ids.h"
#include "vault/message.h"

namespace kustos::vault {

struct AssignmentRule {
    enum class Who : std::uint8_t { anybody = 0, participant = 1, conversation = 2 };
    ClassCode to;
    SourceId source;                  // 0: any
    std::optional<MessageKind> kind;  // absent: any
    Who who = Who::anybody;
    Hash mac{};  // of the participant or conversation
    // Of the ledger, not of the rule: the entry that brought it; its text is sealed there.
    EntryIndex added;
    bool operator==(const AssignmentRule&) const = default;
};
inline constexpr std::size_t kRuleSize = 40;
inline constexpr std::size_t kMaxRules = 1'000;

Bytes encode(const AssignmentRule& rule);            // without `added`
Result<AssignmentRule> decode_rule(ByteView bytes);  // Code::bad_input

// What is hashed: an address or a conversation's id, folded. The MAC is Archive::duplicate_mac of source 0, which no
// record has.
Bytes rule_identity(AssignmentRule::Who who, std::string_view text);
using RuleMac = std::function<Hash(ByteView identity)>;

// The class of the first rule that fits; absent: none does.
std::optional<ClassCode> assign_class(const std::vector<AssignmentRule>& rules, SourceId source, const Message& message,
                                      const RuleMac& mac);

}  // namespace kustos::vault
