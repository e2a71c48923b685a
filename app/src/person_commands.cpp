#include "app/person_commands.h"

#include <nlohmann/json.hpp>

#include "access/matters.h"
#include "app/person_desk.h"
#include "app/src/person_intake.h"
#include "app/src/present.h"
#include "app/src/source_call.h"

namespace kustos::app {

using access::Handle;
using access::KnownPerson;
using nlohmann::json;

namespace {

const char* kind_word(Handle::Kind kind) {
    switch (kind) {
        case Handle::Kind::email:
            return "email";
        case Handle::Kind::id:
            return "id";
        case Handle::Kind::login:
            return "login";
        case Handle::Kind::phone:
            return "phone";
    }
    return "";
}

json person_json(House& house, const KnownPerson& p, bool with_cards) {
    json handles = json::array(), conflicts = json::array();
    for (const Handle& h : p.handles) {
        json j = {{"kind", kind_word(h.kind)}, {"text", h.text}, {"from", nullptr}, {"until", nullptr}};
        if (h.from) j["from"] = format_rfc3339(*h.from);
        if (h.until) j["until"] = format_rfc3339(*h.until);
        handles.push_back(std::move(j));
    }
    for (const access::PersonConflict& c : p.conflicts)
        conflicts.push_back({{"code", c.code}, {"cards", {c.a.value, c.b.value}}});
    json j = {{"person", access::person_id(p.id)},
              {"names", p.names},
              {"handles", std::move(handles)},
              {"numbers", p.numbers},
              {"gone", p.gone},
              {"conflicts", std::move(conflicts)}};
    if (const access::DatedCard* newest = p.newest()) {
        j["organisation"] = newest->card.organisation;
        j["unit"] = newest->card.unit;
        j["title"] = newest->card.title;
    }
    if (!with_cards) return j;
    json cards = json::array();
    for (const access::DatedCard& c : p.cards) {
        const auto source = house.archive().find_source(c.source);
        cards.push_back({{"record", c.entry.value},
                         {"source", source ? source->name : ""},
                         {"sealed", format_rfc3339(c.sealed)},
                         {"key", c.card.key},
                         {"uid", c.card.uid},
                         {"gone", c.card.gone}});
    }
    j["cards"] = std::move(cards);
    return j;
}

std::string period(const Handle& h, const SourceCall& c) {
    std::string out;
    if (h.from) out += c.say(" ab ", " from ") + day_text(civil_date(*h.from));
    if (h.until) out += c.say(" bis ", " until ") + day_text(civil_date(*h.until));
    return out;
}

void print(const SourceCall& c, const KnownPerson& p, bool with_cards) {
    c.out << access::person_id(p.id) << "  " << plain_text(p.name());
    if (const access::DatedCard* newest = p.newest(); newest != nullptr && !newest->card.unit.empty())
        c.out << ", " << plain_text(newest->card.unit);
    if (p.gone) c.out << c.say("  (in keinem Adressbuch mehr)", "  (in no address book any more)");
    c.out << "\n";
    for (std::size_t i = 1; with_cards && i < p.names.size(); ++i)
        c.out << "    " << c.say("auch: ", "also: ") << plain_text(p.names[i]) << "\n";
    for (const Handle& h : p.handles)
        c.out << "    " << kind_word(h.kind) << " " << plain_text(h.text) << period(h, c) << "\n";
    for (const std::string& number : p.numbers)
        c.out << "    " << c.say("Personalnummer ", "employee number ") << plain_text(number) << "\n";
    for (const access::PersonConflict& x : p.conflicts)
        c.out << "    " << c.say("Widerspruch ", "contradiction ") << x.code << ": P" << x.a.value << ", P" << x.b.value
              << c.say(" (kustos person join oder split entscheidet)\n", " (kustos person join or split decides)\n");
    for (const access::DatedCard& card : p.cards) {
        if (!with_cards) break;
        const auto source = c.house.archive().find_source(card.source);
        c.out << "    " << c.say("Karte ", "card ") << card.entry.value << ", " << format_rfc3339(card.sealed) << ", "
              << (source ? source->name : "")
              << (card.card.gone ? c.say(": nicht mehr darin", ": not in it any more") : "") << "\n";
    }
}

Result<int> answer(const SourceCall& c, const std::vector<KnownPerson>& persons, bool with_cards) {
    if (c.call.json) {
        json list = json::array();
        for (const KnownPerson& p : persons) list.push_back(person_json(c.house, p, with_cards));
        c.out << json{{"persons", std::move(list)}}.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
        return 0;
    }
    for (const KnownPerson& p : persons) print(c, p, with_cards);
    if (persons.empty()) c.out << c.say("niemand\n", "nobody\n");
    return 0;
}

// --at: who had it then. Handles that were somebody else's then are left out, and persons without one.
Result<std::vector<KnownPerson>> at_day(const SourceCall& c, const std::string& who, std::vector<KnownPerson> persons) {
    const std::string text = c.one("at");
    if (text.empty()) return persons;
    const auto day = access::parse_day(text);
    if (!day) return Error(Code::usage, "--at takes a day: 2026-03-31 or 31.03.2026");
    const UtcTime time = TRY(utc_midnight(*day));
    std::vector<KnownPerson> out;
    for (KnownPerson& p : persons) {
        const auto asked = std::any_of(p.handles.begin(), p.handles.end(),
                                       [&](const Handle& h) { return access::folded(h.text) == access::folded(who); });
        std::erase_if(p.handles, [&](const Handle& h) { return !h.holds_at(time); });
        const auto held = std::any_of(p.handles.begin(), p.handles.end(),
                                      [&](const Handle& h) { return access::folded(h.text) == access::folded(who); });
        if (!p.handles.empty() && (held || !asked)) out.push_back(std::move(p));
    }
    return out;
}

Result<int> decide(const SourceCall& c, PersonDesk& desk, bool joined) {
    const auto pair = c.call.given.find("persons");
    if (pair == c.call.given.end() || pair->second.size() != 2) return Error(Code::usage, "which two persons? P12 P34");
    const EntryIndex entry = TRY(desk.decide(pair->second[0], pair->second[1], joined, c.call.ground));
    if (c.call.json)
        c.out << json{{"entry", entry.value}, {"joined", joined}}.dump() << "\n";
    else
        c.out << c.say("vermerkt in Eintrag ", "noted in entry ") << entry.value
              << c.say("; die neueste Entscheidung gilt\n", "; the newest decision counts\n");
    return 0;
}

}  // namespace

bool is_person_command(const std::string& name) {
    return name.rfind("person ", 0) == 0;
}

Result<int> person_command(House& house, const Call& call, const std::string& actor, Streams streams) {
    const SourceCall c{house, call, actor, streams.out};
    const std::string what = call.command.substr(call.command.find(' ') + 1);
    if (what == "import") return import_persons(c, streams);
    if (call.matter.empty()) return Error(Code::usage, "for which case is this?").with_hint("--matter ID");
    PersonDesk desk(house, actor, TRY(access::parse_matter_id(call.matter)));
    if (what == "list") return answer(c, TRY(desk.list(call.limit)).meant, false);
    if (what == "find") return answer(c, TRY(at_day(c, call.query, TRY(desk.find(call.query)).meant)), false);
    if (what == "show") return answer(c, TRY(at_day(c, call.query, TRY(desk.one(call.query)).meant)), true);
    if (what == "join" || what == "split") return decide(c, desk, what == "join");
    return Error(Code::not_in_version, "`kustos " + call.command + "` is not in this version");
}

}  // namespace kustos::app
