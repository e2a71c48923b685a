#include "app/src/room.h"

#include <doctest/doctest.h>

namespace kustos::app {
namespace {

using Basis = web::RoomThen::Basis;
using Names = std::vector<std::string>;

vault::Person person(const std::string& name) {
    vault::Person out;
    out.name = name;
    return out;
}

RoomEvent event(std::int64_t ms, bool joins, const std::string& who) {
    return {UtcTime{ms}, EntryIndex(static_cast<std::uint64_t>(ms)), joins, person(who)};
}

vault::Message said(std::int64_t ms, const std::string& who) {
    vault::Message message;
    message.sent_at = UtcTime{ms};
    message.sender = person(who);
    return message;
}

}  // namespace

TEST_CASE("joins and leaves up to a message say who was in the room, and who joined later") {
    const std::vector<RoomEvent> events = {event(1, true, "anna"), event(2, true, "bert"), event(4, false, "anna"),
                                           event(6, true, "carla"), event(8, true, "anna")};
    auto room = room_then(said(3, "bert"), EntryIndex(3), events);
    CHECK(room.basis == Basis::events);
    CHECK(room.people == Names{"anna", "bert"});
    CHECK(room.later == Names{"carla"});
    room = room_then(said(5, "bert"), EntryIndex(5), events);
    CHECK(room.people == Names{"bert"});
    CHECK(room.later == Names{"anna", "carla"});
    // The same instant: what has the smaller entry number came first.
    CHECK(room_then(said(2, "anna"), EntryIndex(1), events).people == Names{"anna"});
    CHECK(room_then(said(2, "anna"), EntryIndex(3), events).people == Names{"anna", "bert"});
}

TEST_CASE("whom the message names counts before events") {
    vault::Message message = said(3, "bert");
    message.recipients = {{vault::Role::member, person("dora")}, {vault::Role::reply_to, person("list")}};
    const auto room = room_then(message, EntryIndex(3), {event(1, true, "anna")});
    CHECK(room.basis == Basis::message);
    CHECK(room.people == Names{"bert", "dora"});
}

TEST_CASE("where neither message nor events say it, it is not known") {
    CHECK(room_then(said(3, "bert"), EntryIndex(3), {}).basis == Basis::unknown);
    const auto room = room_then(said(3, "bert"), EntryIndex(3), {event(5, true, "anna")});
    CHECK(room.basis == Basis::unknown);
    CHECK(room.people.empty());
}

TEST_CASE("of a large room the first fifty are named and the others counted") {
    std::vector<RoomEvent> events;
    for (std::int64_t i = 0; i < 120; ++i) events.push_back(event(i, true, "p" + std::to_string(i)));
    const auto room = room_then(said(500, "p7"), EntryIndex(500), events);
    CHECK(room.people.size() == web::ContextReport::kMostPeople);
    CHECK(room.more == 70);
}

}  // namespace kustos::app
