// One message of Slack, as exports and slackdump have it; a part of slack.cpp.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/src/chat_out.h"

namespace kustos::ingest {

struct SlackPlace {
    vault::Conversation where;
    std::string folder;                  // of the container, for files
    std::vector<vault::Person> members;  // of direct messages; empty: too many, or not told
};

// What the export's indexes say.
struct SlackNames {
    std::map<std::string, vault::Person, std::less<>> people;
    std::map<std::string, std::string, std::less<>> channels;  // id to name
    std::string team;
    void add_person(const JsonValue& user, const Limits& limits);
};

// Slack's own markup as people read it: "<@U1> &amp; <https://x.example|here>" -> "@Anna & here (https://x.example)".
std::string slack_text(std::string_view text, const SlackNames& names);

class SlackReader {
public:
    SlackReader(const SlackNames& names, ChatOut& out) : names_(names), out_(out) {}
    // json: one message's exact bytes. Reactions, and replies that slackdump puts into it, become events of their own
    // and are cut out of its raw. Errors: of the sink and the disk.
    Status read(std::string_view json, const SlackPlace& place);

private:
    Status read_at(std::string_view json, const SlackPlace& place, int depth);
    Status read_message(const JsonValue& root, std::string_view json, const SlackPlace& place, Bytes raw);
    Status read_changed(const JsonValue& root, std::string_view json, const SlackPlace& place);
    Status read_reactions(const JsonValue& root, std::string_view json, const SlackPlace& place);
    ParsedItem start(vault::MessageKind kind, std::string_view ts, const SlackPlace& place) const;
    vault::Person person(const JsonValue& message) const;
    vault::Person person(std::string_view id) const;
    std::string text_of(const JsonValue& message, vault::Message& m) const;
    void put_files(const JsonValue& message, const SlackPlace& place, vault::Message& m);
    void put_subtype(const JsonValue& root, vault::Message& m);
    void put_thread(const JsonValue& root, std::string_view ts, const SlackPlace& place, vault::Message& m) const;

    const SlackNames& names_;
    ChatOut& out_;
    JsonParser parser_;
};

}  // namespace kustos::ingest
