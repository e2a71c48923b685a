// One conversation that every chat format tells in its own way (tests/data/ingest/chat/truth.json), and how to compare
// what a format gave with it.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "ingest/format.h"
#include "tests/ingest/collect.h"

namespace kustos::test {

// tests/data/ingest/<path>
Path ingest_data(std::string_view path);

// What an archive of the events knows about one message at the end.
struct KnownMessage {
    std::string text, user, room, thread;
    std::int64_t sent_ms = 0, deleted_ms = 0;
    bool edited = false, deleted = false;
    std::vector<std::pair<std::int64_t, std::string>> edits;  // when it was replaced, and the text before
    std::map<std::string, std::string> files;                 // name to SHA-256; empty where it is missing
    std::multiset<std::string> reactions;                     // "user text"
};
// By native id. Joins, leaves, statuses and the rest of an export are left out.
std::map<std::string, KnownMessage> replay_chat(const std::vector<ingest::ParsedItem>& items);

struct ChatTruth {
    nlohmann::json json;
    static ChatTruth load();
    // What the format's table says it can't carry. Each is a statement that the test checks, too: what can't be carried
    // must not appear.
    struct Cannot {
        bool deleted_messages = false;  // they are left out
        bool deleted_text = false;      // that it was deleted, but not what it said
        bool deletion_time = false;
        bool deleted_user = false;  // whose message was deleted
        bool edit_text = false;     // the text before an edit
        bool edit_time = false;     // of each edit; false: the last one's at least
        bool edits = false;         // that there was one
        bool threads = false;
        bool thread_root = false;  // replies are known, but to another id
        bool reactions = false;
        bool file_bytes = false;
        bool files = false;            // which message a file belongs to
        bool carriage_return = false;  // line ends are line feeds
        bool tab = false;              // a tab is a blank
    };
    // id_of: the native id that the format has for a message of the truth. room_of, user_of: likewise.
    void compare(const std::vector<ingest::ParsedItem>& items, const Cannot& cannot,
                 const std::function<std::string(const nlohmann::json&)>& id_of,
                 const std::function<std::string(const std::string&)>& room_of,
                 const std::function<std::string(const std::string&)>& user_of) const;
};

// Reads what is at `path`, by its content alone, and checks that it was recognised as `format` for sure.
Collect read_as(const Path& path, std::string_view format, ingest::ReadContext context = {});
// As a second import would: how many of the items are new (import.h's identity).
std::size_t new_on_second_import(const std::vector<ingest::ParsedItem>& first,
                                 const std::vector<ingest::ParsedItem>& second);
// Bytes of the input that are in no item.
std::uint64_t raw_bytes(const std::vector<ingest::ParsedItem>& items);
std::string read_text(const Path& path);
void write_text(const Path& path, std::string_view text);

}  // namespace kustos::test
