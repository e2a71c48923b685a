#include "vault/retention_desk.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "vault/retention.h"
#include "vault/retention_words.h"

namespace kustos::vault {

using audit::Body;
using audit::ControlAction;
using audit::Tag;

namespace {

constexpr std::size_t kMostName = 64, kMostBasis = 500, kMostReference = 200;

Status check_sealed_text(const char* what, const std::string& text, std::size_t most, bool may_be_empty = false) {
    if ((text.empty() && !may_be_empty) || text.size() > most || !is_valid_utf8(text))
        return Error(Code::usage, std::string(what) + " has " + (may_be_empty ? "at most " : "1 to ") +
                                      std::to_string(most) + " bytes of UTF-8");
    return {};
}

// What two spellings of one name have in common.
std::string same_person(const std::string& name) {
    std::string out;
    for (const char c : fold(name)) {
        if (c == ' ' || c == '\t') {
            if (!out.empty() && out.back() != ' ') out += ' ';
        } else {
            out += c;
        }
    }
    if (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

std::string rule_text(const RuleOrder& order) {
    if (!order.participant.empty()) return "participant: " + order.participant;
    if (!order.conversation.empty()) return "conversation: " + order.conversation;
    return {};
}

}  // namespace

Status need_two(const std::vector<std::string>& approvers) {
    std::set<std::string> people;
    for (const std::string& name : approvers) {
        TRY(check_sealed_text("an approver's name", name, kMostReference));
        if (!people.insert(same_person(name)).second)
            return Error(Code::denied, "the same person can't approve twice").with_hint("--approver A --approver B");
    }
    people.erase("");
    if (people.size() < 2)
        return Error(Code::denied, "two people must approve this").with_hint("--approver A --approver B");
    return {};
}

DecisionText RetentionDesk::text(const std::string& ground, const std::string& query) const {
    DecisionText t;
    t.actor = actor_;
    t.ground = ground;
    t.query = query;
    return t;
}

Result<EntryIndex> RetentionDesk::seal(std::vector<Draft> drafts) {
    return TRY(archive_.seal(std::move(drafts))).front().index;
}

Status RetentionDesk::need_class(ClassCode code) const {
    const auto book = archive_.retention();
    if (code < kDefaultClass || book->classes().newest(code) == nullptr)
        return Error(Code::usage, "there is no such retention class").with_hint("kustos retention class shows all");
    return {};
}

Status RetentionDesk::need_records(const EntrySet& records) const {
    if (records.empty()) return Error(Code::usage, "no record was found or named");
    const std::uint64_t size = archive_.head().size.value;
    for (const EntrySet::Interval& i : records.intervals()) {
        for (std::uint64_t n = i.first.value;; ++n) {
            if (n >= size || TRY(archive_.ledger().header(EntryIndex(n))).kind != audit::Kind::record)
                return Error(Code::usage, "entry " + std::to_string(n) + " is no record")
                    .with_hint("search prints the numbers of records");
            if (n == i.last.value) break;
        }
    }
    return {};
}

Result<ClassDefinition> RetentionDesk::define(ClassDefinition d, std::vector<std::string> approvers) {
    const auto book = archive_.retention();
    TRY(check_public_text("a class's name", d.name, kMostName));
    TRY(check_public_text("a legal basis", d.legal_basis, kMostBasis));
    TRY(check_public_text("an office", d.office, kMostBasis));
    if (approvers.empty())
        return Error(Code::usage, "who approved this class?").with_hint("--approver NAME; may repeat");
    for (const std::string& name : approvers) TRY(check_sealed_text("an approver's name", name, kMostReference));
    const auto& all = book->classes().all();
    if (d.code.value == 0) d.code = ClassCode(static_cast<std::uint16_t>(all.rbegin()->first.value + 1));
    if (d.code < kDefaultClass)
        return Error(Code::usage, "codes below 100 are the archive's own").with_hint("--code 101 and up");
    const ClassDefinition* same_name = book->classes().find(d.name);
    if (same_name != nullptr && same_name->code != d.code)
        return Error(Code::usage, "class " + std::to_string(same_name->code.value) + " has this name already");
    const ClassDefinition* before = book->classes().newest(d.code);
    d.version = before == nullptr ? 1 : before->version + 1;
    DecisionText t = text({});
    t.approvers = std::move(approvers);
    d.defined = TRY(seal(class_draft(d, t)));
    return d;
}

Result<std::vector<AssignmentRule>> RetentionDesk::seal_rules(const std::vector<AssignmentRule>& rules,
                                                              const std::string& scope) {
    DecisionText t = text({});
    t.scope = scope;
    TRY(seal(decision_draft(
        ControlAction::rules_set,
        [&rules](Body& body) {
            body.put_u64(Tag::count, rules.size());
            for (const AssignmentRule& rule : rules) body.put_bytes(Tag::rule, encode(rule));
        },
        t)));
    return archive_.retention()->rules();
}

Result<std::vector<AssignmentRule>> RetentionDesk::add_rule(const RuleOrder& order) {
    TRY(need_class(order.to));
    AssignmentRule rule;
    rule.to = order.to;
    if (!order.source.empty()) {
        const auto source = archive_.find_source(order.source);
        if (!source) return Error(Code::usage, "there is no source of that name").with_hint("kustos source list");
        rule.source = source->id;
    }
    if (!order.kind.empty()) {
        rule.kind = parse_kind(order.kind);
        if (!rule.kind || *rule.kind == MessageKind::notice)
            return Error(Code::usage, "there is no such kind of message").with_hint("mail, chat, file, call, ...");
    }
    if (!order.participant.empty() && !order.conversation.empty())
        return Error(Code::usage, "a rule names a participant or a conversation, not both");
    TRY(check_sealed_text("a participant", order.participant, kMostBasis, true));
    TRY(check_sealed_text("a conversation", order.conversation, kMostBasis, true));
    const bool person = !order.participant.empty();
    if (person || !order.conversation.empty()) {
        rule.who = person ? AssignmentRule::Who::participant : AssignmentRule::Who::conversation;
        rule.mac = archive_.duplicate_mac(SourceId(0),
                                          rule_identity(rule.who, person ? order.participant : order.conversation));
    }
    std::vector<AssignmentRule> rules = archive_.retention()->rules();
    if (rules.size() >= kMaxRules) return Error(Code::limit, "there are 1,000 rules already");
    if (order.place > rules.size() + 1) return Error(Code::usage, "there are not so many rules");
    rules.insert(order.place == 0 ? rules.end() : rules.begin() + static_cast<std::ptrdiff_t>(order.place - 1), rule);
    return seal_rules(rules, rule_text(order));
}

Result<std::vector<AssignmentRule>> RetentionDesk::remove_rule(std::size_t place) {
    std::vector<AssignmentRule> rules = archive_.retention()->rules();
    if (place == 0 || place > rules.size())
        return Error(Code::usage, "there is no rule of that number").with_hint("kustos retention assign shows all");
    rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(place - 1));
    return seal_rules(rules, {});
}

Result<EntryIndex> RetentionDesk::reclassify(const EntrySet& records, ClassCode to, const std::string& ground,
                                             const std::string& query) {
    TRY(need_class(to));
    TRY(need_records(records));
    TRY(check_sealed_text("a reason", ground, kMaxGround));
    return seal(list_drafts(
        ControlAction::record_reclassified, records,
        [&](Body& body) { body.put_u16(Tag::retention_class, to.value).put_text(Tag::method, "reclassified"); },
        text(ground, query)));
}

Result<EntryIndex> RetentionDesk::mark(const EntrySet& records, const MarkOrder& order) {
    TRY(need_class(order.to));
    TRY(need_records(records));
    TRY(check_sealed_text("a file reference", order.reference, kMostReference));
    TRY(check_sealed_text("a place in the file plan", order.plan, kMostReference, true));
    if (order.questions.empty())
        return Error(Code::usage, "to belong into the file, at least one of the four questions is answered by yes")
            .with_hint("--question 1 (why), 2 (who, when, how), 3 (options), 4 (decision); may repeat");
    DecisionText t = text({});
    t.reference = order.reference;
    t.plan = order.plan;
    t.questions = order.questions;
    std::sort(t.questions.begin(), t.questions.end());
    t.questions.erase(std::unique(t.questions.begin(), t.questions.end()), t.questions.end());
    if (t.questions.front() < 1 || t.questions.back() > kQuestions)
        return Error(Code::usage, "--question takes 1, 2, 3 or 4");
    return seal(list_drafts(
        ControlAction::record_reclassified, records,
        [&](Body& body) {
            body.put_u16(Tag::retention_class, order.to.value).put_text(Tag::method, "record_relevant");
        },
        t));
}

Result<EntryIndex> RetentionDesk::enter_event(const EntrySet& records, Start start, CivilDate day,
                                              const std::string& ground, const std::string& query) {
    TRY(need_records(records));
    TRY(check_sealed_text("a reason", ground, kMaxGround));
    if (day > german_date(archive_.clock().now()))
        return Error(Code::usage, "this day has not come yet: enter the event when it has happened");
    return seal(list_drafts(
        ControlAction::start_event, records,
        [&](Body& body) { body.put_text(Tag::start, start_name(start)).put_u32(Tag::day, date_number(day)); },
        text(ground, query)));
}

Result<EntryIndex> RetentionDesk::restrict(const EntrySet& records, std::optional<EntryIndex> matter,
                                           const std::string& ground, const std::string& query) {
    TRY(need_records(records));
    TRY(check_sealed_text("a reason", ground, kMaxGround));
    return seal(list_drafts(
        ControlAction::restriction_set, records,
        [&](Body& body) {
            if (matter) body.put_u64(Tag::matter, matter->value);
        },
        text(ground, query)));
}

Status RetentionDesk::lift(EntryIndex restriction, const std::string& ground) {
    const auto book = archive_.retention();
    const auto found = book->restrictions().find(restriction);
    if (found == book->restrictions().end())
        return Error(Code::usage, "there is no restriction " + std::to_string(restriction.value))
            .with_hint("kustos restrict --list shows all");
    if (found->second.lifted)
        return Error(Code::usage, "restriction " + std::to_string(restriction.value) + " is lifted already");
    TRY(check_sealed_text("a reason", ground, kMaxGround));
    TRY(seal(decision_draft(
        ControlAction::restriction_lifted, [&](Body& body) { body.put_u64(Tag::entry, restriction.value); },
        text(ground))));
    return {};
}

}  // namespace kustos::vault
