#include "app/src/room.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace kustos::app {

namespace {

constexpr std::size_t kMost = web::ContextReport::kMostPeople;

using People = std::map<std::string, std::string>;  // who, and how they are shown

std::string key_of(const vault::Person& person) {
    return !person.id.empty() ? person.id : !person.address.empty() ? person.address : person.name;
}

void add(People& people, const vault::Person& person) {
    if (!person.empty()) people.emplace(key_of(person), person_text(person));
}

std::uint64_t put(const People& people, std::vector<std::string>& out) {
    for (const auto& [key, text] : people)
        if (out.size() < kMost) out.push_back(text);
    return people.size() - out.size();
}

}  // namespace

std::string person_text(const vault::Person& p) {
    if (!p.name.empty() && !p.address.empty()) return p.name + " <" + p.address + ">";
    if (!p.name.empty()) return p.name;
    return !p.address.empty() ? p.address : p.id;
}

web::RoomThen room_then(const vault::Message& message, EntryIndex entry, const std::vector<RoomEvent>& events) {
    using Basis = web::RoomThen::Basis;
    const UtcTime time = message.sent_at.value_or(message.received_at);
    const bool is_event = message.kind == vault::MessageKind::join || message.kind == vault::MessageKind::leave;
    web::RoomThen out;
    People present, later;
    bool any = false;
    for (const RoomEvent& event : events) {
        if (std::tie(event.time, event.entry) > std::tie(time, entry)) {
            if (event.joins && present.count(key_of(event.who)) == 0) add(later, event.who);
            continue;
        }
        any = true;
        if (event.joins) {
            add(present, event.who);
        } else {
            present.erase(key_of(event.who));
        }
    }
    People named;
    for (const vault::Recipient& recipient : message.recipients)
        if (recipient.role != vault::Role::reply_to && !is_event) add(named, recipient.person);
    if (!named.empty()) {
        out.basis = Basis::message;
        present = std::move(named);
    } else if (any) {
        out.basis = Basis::events;
    } else {
        return out;
    }
    if (message.kind != vault::MessageKind::leave) add(present, message.sender);
    for (const auto& [key, text] : present) later.erase(key);
    out.more = put(present, out.people);
    out.more_later = put(later, out.later);
    return out;
}

}  // namespace kustos::app
