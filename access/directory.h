// Who is who: cards of address books put together to persons, at the time of asking. Nothing that was sealed changes;
// each card stays a record of its own.
//
// The rules (docs/format/persons.md, "Who is who"), strongest first; a decision by hand wins over each of them:
//   1. cards of one source with one key are one person's, in time one after another;
//   2. cards of different sources with the same UUID as uid;
//   3. cards of different sources with the same employee number;
//   4. cards of different sources that had the same e-mail address or messenger id at the same time.
// 2 to 4 never join where the persons would then have two employee numbers, or two keys of one source: a source knows
// its people. (Keys of one source that one import replaced by the other are no contradiction.) What contradicts so is
// left apart and told as a conflict.
//
// Pure: no keys, no disk, no clock. Threads: values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "access/person_card.h"
#include "base/ids.h"
#include "base/time.h"
#include "vault/person_book.h"

namespace kustos::access {

struct DatedCard {
    EntryIndex entry;  // the record
    SourceId source;
    UtcTime sealed;
    PersonCard card;
};

// Something by which messages name a person, and when it was this person's, as far as address books say. Absent: it is
// not known to begin or end. `until` is the first moment at which it is not this person's any more.
struct Handle {
    enum class Kind : std::uint8_t { email, id, login, phone };
    Kind kind = Kind::email;
    std::string text;
    std::optional<UtcTime> from, until;
    EntryIndex card;  // the newest that says so
    bool holds_at(UtcTime time) const { return (!from || *from <= time) && (!until || time < *until); }
};
std::string folded(const Handle& handle);

struct PersonConflict {
    std::string code;  // "person:address-shared", "person:number-shared", "person:number-differs", "person:uid-twice"
    EntryIndex a, b;   // cards
    bool operator==(const PersonConflict&) const = default;
};

struct KnownPerson {
    EntryIndex id;                   // the oldest card: "P12"
    std::vector<DatedCard> cards;    // of all sources, ascending
    std::vector<std::string> names;  // newest first
    std::vector<Handle> handles;
    std::vector<std::string> numbers;
    bool gone = false;  // no source has this person any more
    std::vector<PersonConflict> conflicts;
    const std::string& name() const;
    const DatedCard* newest() const;  // that is not "gone"; nullptr: none
};

// All persons of these cards, by id. decisions: of the ledger; those about cards that are not here are passed over.
std::vector<KnownPerson> gather(std::vector<DatedCard> cards, const std::vector<vault::PersonDecision>& decisions);

// What a search for a person looks for among senders and recipients.
struct SearchHandle {
    std::string text;  // as messages may have it
    Handle handle;
    // Where somebody else had it before or after: from here, until there. What address books say of the beginning and
    // the end alone takes nothing out: they tell it late.
    std::optional<UtcTime> from, until;
    bool shared = false;    // somebody else had it at the same time
    bool left_out = false;  // a short word or a name: it would find half the house
};
std::vector<SearchHandle> search_handles(const KnownPerson& person, const std::vector<KnownPerson>& all);

// What others must be asked for so that a person is whole: handles, numbers and UUIDs that may join, as folded text.
std::vector<std::string> joining_texts(const PersonCard& card);

std::string person_id(EntryIndex card);                            // "P12"
std::optional<EntryIndex> parse_person_id(std::string_view text);  // "P12", "p12"

}  // namespace kustos::access
