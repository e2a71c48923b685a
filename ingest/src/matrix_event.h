// A Matrix event (Matrix specification 1.13, client-server API, "Events") as one message, wherever it comes from: the
// application service's transactions, a room's export, a server's export. docs/format/matrix.md says what becomes what.
//
// Pure: no clock, no keys, bounded by Limits and a depth of 64. Threads: free functions are safe from any thread; a
// MatrixNames belongs to one.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/format.h"

namespace kustos::ingest {

// What rooms and persons are called, as the events so far have said. Holds at most kMost of each; later ones go
// unnamed.
class MatrixNames {
public:
    static constexpr std::size_t kMost = 200'000;
    void room(std::string_view room_id, std::string_view title);
    void person(std::string_view room_id, std::string_view user_id, std::string_view name);
    std::string title(std::string_view room_id) const;  // empty: not known
    std::string name(std::string_view room_id, std::string_view user_id) const;

private:
    std::map<std::string, std::string, std::less<>> rooms_, persons_;
};

struct MatrixContext {
    std::string_view format = "matrix";  // Message::format
    std::string_view room_id;            // of events that do not say theirs (a server's export)
    std::string_view own_server;         // persons of it have no home; empty: every person has one
    MatrixNames* names = nullptr;        // asked, and taught by m.room.name, m.room.member
};

// What the event only links. The caller may fetch it: attachments[attachment].content, missing = false.
struct MatrixMedia {
    std::size_t attachment = 0;  // index in Message::attachments
    std::string url;             // "mxc://server/id"; foreign text, checked to have that form
    bool encrypted = false;      // the bytes at url are ciphertext, their key is in raw
};

// Always gives a message. What is no event (not JSON, no object, without a type) is kind unreadable, note
// "quarantine:<reason>". raw is the bytes given. Findings: "matrix:no-event-id", "matrix:bad-time".
ParsedItem parse_matrix_event(ByteView json, const MatrixContext& context = {}, const Limits& limits = {},
                              Findings* findings = nullptr, std::vector<MatrixMedia>* media = nullptr);

}  // namespace kustos::ingest
