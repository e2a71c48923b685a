// What stood around a record: messages before and after it in its conversation or thread, who was in the room then, and
// mails that may belong to it.
//
// What is not known is said to be unknown, and what is guessed is apart and marked. Source: the index for what belongs
// together, opened records for all else; nothing here is stored. Threads: values and free functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace kustos::web {

enum class Language { english, german };

// Who was in the room at the time of a message, and how that is known.
struct RoomThen {
    // The message itself names them; from joins and leaves sealed so far; nothing says it.
    enum class Basis { message, events, unknown };
    Basis basis = Basis::unknown;
    std::vector<std::string> people;  // the sender too; at most kMostPeople
    std::uint64_t more = 0;           // above that
    // Who joined behind it, by joins sealed so far; likewise. Whether they could read it is not known: no source says
    // what a room shows of its past.
    std::vector<std::string> later;
    std::uint64_t more_later = 0;
};

struct ContextMessage {
    EntryIndex entry;
    std::string kind;
    std::optional<UtcTime> sent_at;
    std::string sender, subject;
    std::string text;  // how its body begins, on one line
    RoomThen room;
    // Of a guessed one, what speaks for it: days between the two, people whom both name.
    std::uint64_t days_apart = 0, shared_people = 0;
};

struct ContextAsk {
    static constexpr std::uint64_t kMost = 50;
    std::uint64_t before = 5, after = 5;  // messages
};

struct ContextReport {
    static constexpr std::size_t kMostPeople = 50;
    EntryIndex entry;
    bool thread = false;                            // of a mail; else of a conversation
    std::string conversation;                       // its title or id
    std::vector<ContextMessage> messages;           // the record itself among them; by time, then entry
    std::uint64_t more_before = 0, more_after = 0;  // further ones that may be shown
    std::uint64_t outside_scope = 0;                // of the whole conversation or thread
    std::uint64_t restricted = 0;                   // likewise; counted, not opened (GDPR Art. 18)
    // Of the source, among the 10,000 erased last: an erased record leaves nothing that says to which conversation it
    // belonged.
    std::uint64_t erased_of_source = 0;
    std::uint64_t events = 0;             // joins and leaves that were opened for the rooms
    std::uint64_t events_left_out = 0;    // outside the scope, restricted, or too many: rooms by events may be wrong
    std::vector<ContextMessage> guessed;  // mails that are not tied to the thread and may belong to it; by time
    std::uint64_t not_looked_at = 0;      // further mails with the same words in their subject
};

// For people, one line of plain text each.
std::string room_words(const RoomThen& room, Language language);
std::string later_words(const RoomThen& room, Language language);  // empty: nobody joined later
std::string guess_words(const ContextMessage& guessed, Language language);
std::vector<std::string> context_notes(const ContextReport& report, Language language);  // what is not shown, and why

}  // namespace kustos::web
