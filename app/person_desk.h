// Who is who, for one matter: finds cards of address books, puts them together (access/directory.h), and keeps what
// people decide about them. Cards are records: whatever is opened here stands in access entries.
//
// Errors: usage (nobody or several persons where one is meant), closed, denied, limit (more than kMostCards cards would
// have to be opened). Threads: one at a time.
#pragma once

#include <string>
#include <vector>

#include "access/directory.h"
#include "app/house.h"
#include "search/query.h"

namespace kustos::app {

class PersonDesk {
public:
    static constexpr std::size_t kMostCards = 2'000;  // of one question

    PersonDesk(House& house, std::string actor, EntryIndex matter)
        : house_(house), actor_(std::move(actor)), matter_(matter) {}

    struct Found {
        std::vector<access::KnownPerson> meant;
        std::vector<access::KnownPerson> all;  // and those who share something with them
    };
    // who: "P12", an address, id, number or key, or words of a name, in any order.
    Result<Found> find(const std::string& who);
    Result<Found> one(const std::string& who);  // exactly one; Code::usage otherwise
    // Everybody who has, or had, one of these addresses or ids.
    Result<Found> holders(const std::vector<std::string>& handles);
    // Persons of the newest cards, at most `most` cards.
    Result<Found> list(std::size_t most);
    // The entry. Code::usage: no reason; cards of one person of one source; no cards.
    Result<EntryIndex> decide(const std::string& a, const std::string& b, bool joined, const std::string& ground);

private:
    Result<std::vector<access::KnownPerson>> whole(std::vector<access::DatedCard> cards);
    House& house_;
    std::string actor_;
    EntryIndex matter_;
};

// The query with persons resolved; taken, if given, gets what was looked for in their place.
Result<search::Query> with_persons(House& house, const std::string& actor, EntryIndex matter,
                                   const search::Query& query, std::vector<web::PersonTaken>* taken);
// Whom address books name for a message's sender and recipients (the first 50), at its time. Without address books, and
// where too many would have to be opened: nobody.
Result<std::vector<web::PersonNamed>> name_persons(House& house, const std::string& actor, EntryIndex matter,
                                                   const vault::Message& message);

}  // namespace kustos::app
