// What the commands of retention, holds and disposition have in common.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/decision_commands.h"
#include "app/hold_desk.h"
#include "vault/disposition.h"
#include "vault/retention_words.h"

namespace kustos::app {

class DecisionCall {
public:
    DecisionCall(House& house_, const Call& call_, std::string actor_, Streams streams)
        : house(house_),
          call(call_),
          actor(std::move(actor_)),
          out(streams.out),
          err(streams.err),
          search(house_.record_search()) {}

    House& house;
    const Call& call;
    std::string actor;
    std::ostream& out;
    std::ostream& err;
    std::unique_ptr<RecordSearch> search;

    vault::Archive& archive() const { return house.archive(); }
    HoldDesk holds() const { return {archive(), *search, actor}; }
    vault::RetentionDesk desk() const { return {archive(), actor}; }
    bool german() const { return call.language == Language::german; }
    vault::Words words() const { return german() ? vault::Words::german : vault::Words::english; }
    const char* say(const char* de, const char* en) const { return german() ? de : en; }

    // An option as it was given; empty if it was not.
    const std::string& one(const std::string& name) const;
    std::vector<std::string> many(const std::string& name) const;
    bool flag(const std::string& name) const { return !one(name).empty(); }
    Result<EntryIndex> number(const std::string& name, const char* what) const;
    Result<EntrySet> records() const;                              // --record, --records; may be empty
    Result<CivilDate> day(const std::string& name) const;          // today, if it was not given
    Result<ClassCode> class_named(const std::string& name) const;  // of --class: name or code
    // Scope by list, query, person, ...; whoever searches does it for an open matter.
    Result<ScopeOrder> scope() const;
    void print(const nlohmann::json& json) const { out << json.dump() << "\n"; }
};

nlohmann::json decision_json(const DecisionCall& call, const vault::Planned& planned, const vault::ClassBook& classes);
// CSV for people with a spreadsheet, JSON lines for programs; by the file's ending.
class DecisionFile {
public:
    static Result<std::unique_ptr<DecisionFile>> create(const DecisionCall& call, const std::string& file);
    virtual ~DecisionFile() = default;
    virtual Status add(const vault::Planned& planned, const vault::ClassBook& classes) = 0;
    virtual Status close() = 0;
};

Result<int> retention_command(DecisionCall& call);
Result<int> hold_command(DecisionCall& call);
Result<int> restrict_command(DecisionCall& call);
Result<int> disposition_command(DecisionCall& call);

}  // namespace kustos::app
