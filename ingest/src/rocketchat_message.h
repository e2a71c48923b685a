// One message of Rocket.Chat (IMessage), from its REST interface or its database; a part of rocketchat.cpp.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "ingest/src/chat_out.h"

namespace kustos::ingest {

class RocketchatReader {
public:
    explicit RocketchatReader(ChatOut& out) : out_(out) {}
    // json: one message's exact bytes. Errors: of the sink and the disk.
    Status read(std::string_view json);

private:
    ParsedItem start(vault::MessageKind kind, const JsonValue& root) const;
    Status read_message(const JsonValue& root, std::string_view json);
    Status read_reactions(const JsonValue& root, std::string_view json);
    void put_files(const JsonValue& root, vault::Message& message);
    bool put_type(const JsonValue& root, vault::Message& message) const;
    vault::Person person(const JsonValue& user);
    vault::Person known(std::string_view username) const;

    ChatOut& out_;
    JsonParser parser_;
    std::map<std::string, vault::Person, std::less<>> people_;  // by user name, of those who wrote so far
};

}  // namespace kustos::ingest
