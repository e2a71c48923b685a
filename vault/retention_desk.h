// Where people's decisions about retention become entries: classes, rules, reclassifications, marks, start events,
// restrictions.
//
// Errors: usage (what was asked for makes no sense; nothing is sealed), and those of Archive::seal(). Who may decide,
// and that nothing else is decided meanwhile, is the caller's business. Threads: one at a time.
#pragma once

#include <string>
#include <vector>

#include "vault/archive.h"
#include "vault/retention_entries.h"

namespace kustos::vault {

// The four questions of the Bundesarchiv to whether something belongs into the file.
inline constexpr std::size_t kQuestions = 4;

struct RuleOrder {
    ClassCode to;
    std::string source, kind;               // names; empty: any
    std::string participant, conversation;  // at most one
    std::size_t place = 0;                  // 1: first; 0: last
};

struct MarkOrder {
    ClassCode to;
    std::string reference, plan;           // Aktenzeichen; place in the file plan, may be empty
    std::vector<std::uint16_t> questions;  // 1 to 4, answered by yes; at least one
};

class RetentionDesk {
public:
    RetentionDesk(Archive& archive, std::string actor) : archive_(archive), actor_(std::move(actor)) {}

    // Code, version and entry are set here: code 0 is the next free one, an existing one makes a new version.
    Result<ClassDefinition> define(ClassDefinition wanted, std::vector<std::string> approvers);
    Result<std::vector<AssignmentRule>> add_rule(const RuleOrder& order);
    Result<std::vector<AssignmentRule>> remove_rule(std::size_t place);  // from 1
    Result<EntryIndex> reclassify(const EntrySet& records, ClassCode to, const std::string& ground,
                                  const std::string& query);
    Result<EntryIndex> mark(const EntrySet& records, const MarkOrder& order);
    // day: not after today.
    Result<EntryIndex> enter_event(const EntrySet& records, Start start, CivilDate day, const std::string& ground,
                                   const std::string& query);
    Result<EntryIndex> restrict(const EntrySet& records, std::optional<EntryIndex> matter, const std::string& ground,
                                const std::string& query);
    Status lift(EntryIndex restriction, const std::string& ground);

private:
    Result<EntryIndex> seal(std::vector<Draft> drafts);
    Result<std::vector<AssignmentRule>> seal_rules(const std::vector<AssignmentRule>& rules, const std::string& text);
    Status need_records(const EntrySet& records) const;
    Status need_class(ClassCode code) const;
    DecisionText text(const std::string& ground, const std::string& query = {}) const;

    Archive& archive_;
    std::string actor_;
};

// Two or more different people, by what they are called: case, spaces at the ends and in between do not make another
// one. Code::denied otherwise.
Status need_two(const std::vector<std::string>& approvers);
inline constexpr std::size_t kMaxGround = 2'000;

}  // namespace kustos::vault
