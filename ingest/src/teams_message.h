// One chatMessage of Microsoft Graph, and the events that stand in it; a part of teams.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ingest/format.h"
#include "ingest/src/json_value.h"

namespace kustos::ingest {

// A key in Graph's spelling ("createdDateTime") or in that of its .NET library ("CreatedDateTime").
JsonValue graph_value(const JsonValue& object, std::string_view key);

class TeamsMessage {
public:
    // json: the message's exact bytes, of which root is the tree; both must outlive read().
    TeamsMessage(std::string_view json, const JsonValue& root, const Limits& limits, ItemSink& sink)
        : json_(json), root_(root), limits_(limits), sink_(sink) {}
    Status read();

private:
    ParsedItem start(vault::MessageKind kind, std::string_view id_end = {}, bool whole_raw = true) const;
    vault::Person person(const JsonValue& identity_set) const;
    std::string scoped(std::string_view id) const;
    std::optional<UtcTime> time(std::string_view key) const;
    void take_body(vault::Message& message) const;
    void take_attachments(vault::Message& message) const;
    Status read_message();
    Status read_reactions();
    Status read_history();
    Status read_system_event();
    Status read_members(std::string_view event, const JsonValue& detail);
    Status read_call(std::string_view event, const JsonValue& detail);

    std::string_view json_;
    const JsonValue& root_;
    const Limits& limits_;
    ItemSink& sink_;
    vault::Conversation where_;
    std::string id_;
};

}  // namespace kustos::ingest
