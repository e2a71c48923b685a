// Who was in a room at a time, from joins and leaves. Pure; threads: values.
#pragma once

#include <string>
#include <vector>

#include "vault/message.h"
#include "web/context.h"

namespace kustos::app {

// One join or leave: the member is the message's sender.
struct RoomEvent {
    UtcTime time;  // sent; received, where the source gave none
    EntryIndex entry;
    bool joins = false;
    vault::Person who;
};

// "Anna Schmidt <anna@example.org>", else the name, the address or the id.
std::string person_text(const vault::Person& person);

// What the message says counts before what events say; where neither says anything, it is not known. Who wrote it was
// there in any case. events: ascending by time, then entry.
web::RoomThen room_then(const vault::Message& message, EntryIndex entry, const std::vector<RoomEvent>& events);

}  // namespace kustos::app
