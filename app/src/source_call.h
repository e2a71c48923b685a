// What the commands of sources have in common.
#pragma once

#include <string>

#include "app/source_commands.h"
#include "app/source_desk.h"

namespace kustos::app {

struct SourceCall {
    House& house;
    const Call& call;
    const std::string& actor;
    std::ostream& out;

    bool german() const { return call.language == Language::german; }
    const char* say(const char* de, const char* en) const { return german() ? de : en; }
    // An option as it was given; empty if it was not.
    std::string one(const std::string& name) const {
        const auto found = call.given.find(name);
        return found == call.given.end() || found->second.empty() ? "" : found->second.front();
    }
    Result<EntryIndex> entry(const std::string& text) const;  // Code::usage
    SourceDesk desk() const { return {house, actor}; }
};

Result<int> token_command(const SourceCall& c);
Result<int> profile_command(const SourceCall& c);
Result<int> findings_command(const SourceCall& c);
Result<int> resolve_command(const SourceCall& c);
Result<int> completeness_command(const SourceCall& c);

}  // namespace kustos::app
