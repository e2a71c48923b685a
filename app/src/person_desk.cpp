#include "app/person_desk.h"

#include <algorithm>
#include <map>
#include <set>

#include "search/analysis.h"
#include "search/persons.h"
#include "vault/payload.h"
#include "vault/retention.h"

namespace kustos::app {

using access::DatedCard;
using access::Handle;
using access::KnownPerson;

namespace {

constexpr std::size_t kTextsOfOneQuery = 100;

std::string phrase(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '"' || static_cast<unsigned char>(c) < 0x20; }, ' ');
    return "\"" + text + "\"";
}

using Parts = std::vector<std::string>;
Parts parts_of(const std::string& text) {
    return search::query_word(text).parts;
}

// By the same folding as the index: Müller is Mueller.
bool is_meant(const KnownPerson& person, const std::string& who) {
    const Parts asked = parts_of(who);
    if (asked.empty()) return false;
    for (const Handle& h : person.handles) {
        if (parts_of(h.text) == asked) return true;
        const std::size_t colon = h.text.find(':');  // of "matrix:@anna:example.org"
        if (h.kind == Handle::Kind::id && colon != std::string::npos && parts_of(h.text.substr(colon + 1)) == asked)
            return true;
    }
    for (const DatedCard& c : person.cards) {
        for (const std::string* id : {&c.card.key, &c.card.uid, &c.card.number})
            if (!id->empty() && parts_of(*id) == asked) return true;
        for (const std::string& name : c.card.names) {
            const Parts has = parts_of(name);
            if (std::all_of(asked.begin(), asked.end(),
                            [&](const auto& a) { return std::find(has.begin(), has.end(), a) != has.end(); }))
                return true;
        }
    }
    return false;
}

PersonDesk::Found chosen(std::vector<KnownPerson> all, const std::function<bool(const KnownPerson&)>& meant) {
    PersonDesk::Found found;
    std::copy_if(all.begin(), all.end(), std::back_inserter(found.meant), meant);
    found.all = std::move(all);
    return found;
}

bool has_card(const KnownPerson& person, EntryIndex card) {
    return std::any_of(person.cards.begin(), person.cards.end(), [&](const DatedCard& c) { return c.entry == card; });
}

}  // namespace

// All versions of these cards, whoever may be the same person, and whoever was decided to be.
Result<std::vector<KnownPerson>> PersonDesk::whole(std::vector<DatedCard> seeds) {
    std::map<EntryIndex, DatedCard> cards;
    std::set<std::string> asked;
    std::set<EntryIndex> named;
    const auto book = house_.archive().source_book();
    const auto& decisions = book->persons().decisions();
    const auto add = [&](std::vector<DatedCard> more) {
        for (DatedCard& c : more) cards.try_emplace(c.entry, std::move(c));
    };
    add(std::move(seeds));
    for (;;) {
        std::vector<std::string> texts;
        for (const auto& [entry, c] : cards) {
            std::vector<std::string> wanted = access::joining_texts(c.card);
            wanted.push_back(c.card.key);
            for (std::string& text : wanted)
                if (!parts_of(text).empty() && asked.insert(text).second) texts.push_back(std::move(text));
        }
        std::vector<EntryIndex> partners;
        for (const vault::PersonDecision& d : decisions) {
            if (cards.count(d.a) == 0 && cards.count(d.b) == 0) continue;
            for (const EntryIndex card : {d.a, d.b})
                if (cards.count(card) == 0 && named.insert(card).second) partners.push_back(card);
        }
        if (texts.empty() && partners.empty()) break;
        if (!partners.empty()) add(TRY(house_.cards_named(actor_, matter_, partners)));
        for (std::size_t at = 0; at < texts.size(); at += kTextsOfOneQuery) {
            std::string query;
            for (std::size_t i = at; i < std::min(at + kTextsOfOneQuery, texts.size()); ++i)
                query += (query.empty() ? "" : " OR ") + phrase(texts[i]);
            add(TRY(house_.cards_found(actor_, matter_, "kind:person (" + query + ")", kMostCards)));
        }
        if (cards.size() > kMostCards)
            return Error(Code::limit, "too many cards of address books belong together here")
                .with_hint("an address that many have joins nobody; ask by P and a number (kustos person find)");
    }
    std::vector<DatedCard> list;
    for (auto& [entry, c] : cards) list.push_back(std::move(c));
    return access::gather(std::move(list), decisions);
}

Result<PersonDesk::Found> PersonDesk::find(const std::string& who) {
    if (const auto id = access::parse_person_id(who)) {
        auto cards = TRY(house_.cards_named(actor_, matter_, {*id}));
        return chosen(TRY(whole(std::move(cards))), [&](const KnownPerson& p) { return has_card(p, *id); });
    }
    const Parts words = parts_of(who);
    if (words.empty()) return Error(Code::usage, "who is meant? A name, an address, or P and a number");
    std::string all;
    for (const std::string& word : words) all += " " + phrase(word);
    auto cards = TRY(house_.cards_found(actor_, matter_, "kind:person (" + all + ")", kMostCards));
    return chosen(TRY(whole(std::move(cards))), [&](const KnownPerson& p) { return is_meant(p, who); });
}

Result<PersonDesk::Found> PersonDesk::one(const std::string& who) {
    Found found = TRY(find(who));
    if (found.meant.empty())
        return Error(Code::usage, "no address book knows this person")
            .with_hint("kustos person find searches; kustos person import brings an address book");
    if (found.meant.size() > 1)
        return Error(Code::usage, std::to_string(found.meant.size()) + " persons are meant by this")
            .with_hint("kustos person find shows them; then name one: P and its number");
    return found;
}

Result<PersonDesk::Found> PersonDesk::holders(const std::vector<std::string>& handles) {
    std::string query;
    std::set<Parts> wanted;
    for (const std::string& handle : handles) {
        Parts parts = parts_of(handle);
        if (parts.empty() || !wanted.insert(std::move(parts)).second) continue;
        query += (query.empty() ? "" : " OR ") + phrase(handle);
    }
    if (query.empty()) return Found();
    auto cards = TRY(house_.cards_found(actor_, matter_, "kind:person (" + query + ")", kMostCards));
    return chosen(TRY(whole(std::move(cards))), [](const KnownPerson&) { return true; });
}

Result<PersonDesk::Found> PersonDesk::list(std::size_t most) {
    auto cards = TRY(house_.cards_found(actor_, matter_, "kind:person", most, true));
    const auto book = house_.archive().source_book();
    return chosen(access::gather(std::move(cards), book->persons().decisions()),
                  [](const KnownPerson&) { return true; });
}

Result<EntryIndex> PersonDesk::decide(const std::string& a, const std::string& b, bool joined,
                                      const std::string& ground) {
    if (ground.empty()) return Error(Code::usage, "why is that so?").with_hint("--ground TEXT");
    const auto card_of = [&](const std::string& text) -> Result<DatedCard> {
        const auto id = access::parse_person_id(text);
        if (!id) return Error(Code::usage, "a person is named by P and a number here").with_hint("kustos person find");
        const auto cards = TRY(house_.cards_named(actor_, matter_, {*id}));
        if (cards.empty()) return Error(Code::usage, "there is no card " + access::person_id(*id));
        return cards.front();
    };
    const DatedCard first = TRY(card_of(a)), second = TRY(card_of(b));
    if (first.source == second.source && first.card.key == second.card.key)
        return Error(Code::usage, "these are cards of one person of one address book")
            .with_hint("to split two address books' persons, name a card of each: kustos person show");
    EntrySet pair;
    pair.add(first.entry);
    pair.add(second.entry);
    vault::DecisionText text;
    text.actor = actor_;
    text.ground = ground;
    const std::lock_guard one_at_a_time(house_.decisions());
    const vault::Receipt receipt = TRY(house_.archive().record_control(
        joined ? audit::ControlAction::persons_joined : audit::ControlAction::persons_split,
        [&](audit::Body& body) { body.put_entry_ranges(pair.intervals()); }, vault::kConfigurationClass,
        vault::compose_decision(text)));
    return receipt.index;
}

namespace {

std::optional<CivilDate> day_of(const std::optional<UtcTime>& time) {
    return time ? std::optional(civil_date(*time)) : std::nullopt;
}

}  // namespace

Result<search::Query> with_persons(House& house, const std::string& actor, EntryIndex matter,
                                   const search::Query& query, std::vector<web::PersonTaken>* taken) {
    PersonDesk desk(house, actor, matter);
    return search::with_persons(query, [&](const std::string& who) -> Result<std::vector<search::PersonHandle>> {
        const PersonDesk::Found found = TRY(desk.one(who));
        const KnownPerson& person = found.meant.front();
        web::PersonTaken told;
        told.asked = who;
        told.id = access::person_id(person.id);
        told.name = person.name();
        told.conflicts = person.conflicts.size();
        std::vector<search::PersonHandle> handles;
        for (const access::SearchHandle& h : access::search_handles(person, found.all)) {
            const search::DateRange days{day_of(h.from), day_of(h.until)};
            told.handles.push_back({h.text, days.first, days.last, h.shared, h.left_out});
            if (!h.left_out) handles.push_back({h.text, days});
        }
        if (taken != nullptr) taken->push_back(std::move(told));
        return handles;
    });
}

Result<std::vector<web::PersonNamed>> name_persons(House& house, const std::string& actor, EntryIndex matter,
                                                   const vault::Message& message) {
    constexpr std::size_t kMostHandles = 50;
    std::vector<web::PersonNamed> out;
    if (!house.has_persons() || message.kind == vault::MessageKind::person) return out;
    std::vector<std::string> texts;
    const auto take = [&](const vault::Person& person) {
        for (const std::string* text : {&person.address, &person.id})
            if (!text->empty() && texts.size() < kMostHandles &&
                std::find(texts.begin(), texts.end(), *text) == texts.end())
                texts.push_back(*text);
    };
    take(message.sender);
    for (const vault::Recipient& r : message.recipients) take(r.person);
    auto found = PersonDesk(house, actor, matter).holders(texts);
    if (!found.ok()) {
        if (found.error().code() == Code::limit) return out;
        return std::move(found).error();
    }
    const UtcTime when = message.sent_at.value_or(message.received_at);
    for (const std::string& text : texts) {
        const Parts wanted = parts_of(text);
        for (const KnownPerson& p : found->all) {
            const bool held = std::any_of(p.handles.begin(), p.handles.end(), [&](const Handle& h) {
                const std::size_t colon = h.kind == Handle::Kind::id ? h.text.find(':') : std::string::npos;
                const std::string written = colon == std::string::npos ? h.text : h.text.substr(colon + 1);
                return h.holds_at(when) && (parts_of(h.text) == wanted || parts_of(written) == wanted);
            });
            if (held) out.push_back({text, access::person_id(p.id), p.name()});
        }
    }
    return out;
}

}  // namespace kustos::app
