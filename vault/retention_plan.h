// The planner: whether one record may go, and why or why not. Pure: no clock, no disk, no keys; the same facts give the
// same decision on an auditor's machine. Why it is so: docs/architecture/retention.md.
//
// A decision carries its chain of reasons in order (vault/retention_words.h prints it). What a hold covers is found
// outside and comes in as a list. Threads: values.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "vault/retention_dates.h"

namespace kustos::vault {

inline constexpr std::uint32_t kMaxPeriodMonths = 1'200;

// Start points of DIN 66398.
enum class Start : std::uint8_t {
    created,       // the day of sealing, or of an event `created`
    process_end,   // an event says when
    relation_end,  // likewise: the end of the relation to the person
};
enum class AtEnd : std::uint8_t { erase, offer_then_erase };  // offered to the public archive first

struct ClassDefinition {
    ClassCode code;
    std::uint32_t version = 0;  // 0: built in
    EntryIndex defined;         // the entry that says so
    std::string name;
    std::uint32_t months = 0;
    Start start = Start::created;
    Counted counted = Counted::year_end;
    AtEnd at_end = AtEnd::erase;
    std::string legal_basis;
    std::string office;  // who is responsible
    bool operator==(const ClassDefinition&) const = default;
};

// All versions of all classes.
class ClassBook {
public:
    ClassBook();  // with the built-in ones
    void add(ClassDefinition definition);
    const ClassDefinition* newest(ClassCode code) const;
    const ClassDefinition* in_force(ClassCode code, EntryIndex at) const;  // the newest that was defined before
    const ClassDefinition* find(std::string_view name) const;              // by its newest name
    const std::map<ClassCode, std::vector<ClassDefinition>>& all() const { return classes_; }
    bool operator==(const ClassBook&) const = default;

private:
    std::map<ClassCode, std::vector<ClassDefinition>> classes_;  // ascending versions
};

struct StartEvent {
    Start start = Start::process_end;
    CivilDate day;
    EntryIndex entry;
    bool operator==(const StartEvent&) const = default;
};

// How far a disposition list that holds the record has come.
struct Listed {
    enum class Answer : std::uint8_t { none, offered, taken, declined, unanswered };
    EntryIndex list;
    Answer answer = Answer::none;
    CivilDate day;  // of the answer, or the offer
    bool operator==(const Listed&) const = default;
};

struct PlanInput {
    EntryIndex record;
    ClassCode sealed_class;
    // Sealed on one of these days; the later one counts. Equal where it is known.
    CivilDate sealed_from, sealed_until;
    std::optional<EntryIndex> dates_of;  // it succeeds this record, and the days are that one's
    struct Reclassified {
        ClassCode to;
        EntryIndex entry;
        bool record_relevant = false;
    };
    std::optional<Reclassified> reclassified;  // the latest
    std::vector<StartEvent> events;
    std::vector<EntryIndex> holds;  // all that cover it
    std::optional<EntryIndex> restriction;
    std::optional<Listed> listed;
    bool released = false;  // its key is destroyed
};

enum class Outcome : std::uint8_t {
    kept,               // until `end`
    due,                // may be put on a list, or released if it is on one and was offered where it must be
    to_offer,           // due, but the public archive must be asked first
    offered,            // due, and its answer is awaited
    held,               // a hold covers it, whatever its period says
    restricted,         // Art. 18: storage goes on
    waiting_for_event,  // no start event yet: never due
    undefined_class,    // nobody has defined the class: never due
    released,
};
inline constexpr std::size_t kOutcomes = 9;

struct PlanStep {
    enum class What : std::uint8_t {
        class_at_sealing,  // code
        reclassified,      // code, entry
        record_relevant,   // code, entry
        built_in,          // code: its definition
        defined_by,        // code, version, entry
        no_definition,     // code
        started,           // start, day, entry (absent: by sealing)
        days_of,           // entry: days of the record that this one succeeds
        no_event,          // start
        ends,              // months, counted, day: the last one
        newer_version,     // version: the later end is this one's
        older_version,     // version: the later end is this one's, not the newest's
        not_over,          // day
        over,              // day: since
        hold,              // entry
        restriction,       // entry
        listed,            // entry
        must_be_offered,
        offered,   // entry, day
        answered,  // entry, day, answer
        released,
    };
    What what;
    ClassCode code{};
    std::uint32_t version = 0, months = 0;
    std::optional<EntryIndex> entry = {};
    CivilDate day = {};
    Start start = Start::created;
    Counted counted = Counted::year_end;
    Listed::Answer answer = Listed::Answer::none;
    bool operator==(const PlanStep&) const = default;
};

struct Decision {
    Outcome outcome = Outcome::kept;
    ClassCode retention_class;     // the latest
    std::optional<CivilDate> end;  // the last day of the period; none: no start, or no definition
    AtEnd at_end = AtEnd::erase;
    std::vector<PlanStep> chain;
};

Decision plan(const PlanInput& input, const ClassBook& classes, CivilDate today);

// The year of the key tree: of the last day, as far as it is known at sealing; for classes that wait for an event, of
// the earliest possible one. Undefined classes: as the default class.
std::uint16_t expiry_year(const ClassBook& classes, ClassCode retention_class, UtcTime sealed_at);

}  // namespace kustos::vault
