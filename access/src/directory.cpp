#include "access/directory.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <numeric>
#include <set>

namespace kustos::access {

namespace {

// All cards of one source with one key: one person, as this source knows it.
struct Slot {
    SourceId source;
    std::vector<std::size_t> cards;  // ascending
    std::vector<Handle> handles;
    std::string number, uuid;    // of the newest card that has one
    UtcTime begin;               // of the first card
    std::optional<UtcTime> end;  // gone since then
};

// A directory that was set up anew has new uids for everybody: the import that brings them sends the old ones away, and
// they stood beside each other for a moment only.
bool side_by_side(const Slot& a, const Slot& b) {
    constexpr std::int64_t kMoment = 24LL * 3600 * 1000;  // ms
    const auto before = [](const Slot& x, const Slot& y) { return x.end && x.end->ms <= y.begin.ms + kMoment; };
    return !before(a, b) && !before(b, a);
}

std::optional<UtcTime> day_begins(const std::optional<CivilDate>& day) {
    if (!day) return std::nullopt;
    auto time = utc_midnight(*day);
    return time.ok() ? std::optional(*time) : std::nullopt;
}
std::optional<UtcTime> day_ends(const std::optional<CivilDate>& day) {
    auto time = day_begins(day);
    if (time) time->ms += 24LL * 3600 * 1000;
    return time;
}

void add_handle(std::vector<Handle>& handles, std::set<std::string>& now, Handle::Kind kind, const std::string& text,
                const DatedCard& card, bool first) {
    Handle handle;
    handle.kind = kind;
    handle.text = text;
    handle.card = card.entry;
    const std::string name = folded(handle);
    if (name.empty() || !now.insert(name).second) return;
    for (Handle& h : handles) {
        if (folded(h) != name || (h.until && *h.until < card.sealed)) continue;
        h.until = day_ends(card.card.until);  // it goes on
        h.card = card.entry;
        return;
    }
    // What the first card of a person says held before: an address book tells what is, not since when.
    handle.from = card.card.from ? day_begins(card.card.from)
                  : first        ? std::optional<UtcTime>()
                                 : std::optional(card.sealed);
    handle.until = day_ends(card.card.until);
    handles.push_back(std::move(handle));
}

void read_handles(Slot& slot, const std::vector<DatedCard>& cards) {
    bool first = true;
    for (const std::size_t i : slot.cards) {
        const DatedCard& c = cards[i];
        std::set<std::string> now;
        for (const std::string& t : c.card.emails) add_handle(slot.handles, now, Handle::Kind::email, t, c, first);
        for (const std::string& t : c.card.ids) add_handle(slot.handles, now, Handle::Kind::id, t, c, first);
        for (const std::string& t : c.card.logins) add_handle(slot.handles, now, Handle::Kind::login, t, c, first);
        for (const std::string& t : c.card.phones) add_handle(slot.handles, now, Handle::Kind::phone, t, c, first);
        for (Handle& h : slot.handles)
            if (now.count(folded(h)) == 0 && (!h.until || *h.until > c.sealed)) h.until = c.sealed;
        if (!c.card.number.empty()) slot.number = folded(c.card.number);
        if (auto uuid = as_uuid(c.card.uid)) slot.uuid = *uuid;
        first = false;
    }
}

bool at_one_time(const Handle& a, const Handle& b) {
    return !(a.until && b.from && *a.until <= *b.from) && !(b.until && a.from && *b.until <= *a.from);
}

// An address that hundreds have says of nobody who he is.
constexpr std::size_t kNeighbours = 16;

bool joins(const Handle& h) {
    return h.kind == Handle::Kind::email || h.kind == Handle::Kind::id;
}

class Gathering {
public:
    Gathering(std::vector<DatedCard> cards, const std::vector<vault::PersonDecision>& decisions)
        : cards_(std::move(cards)) {
        std::sort(cards_.begin(), cards_.end(), [](const auto& a, const auto& b) { return a.entry < b.entry; });
        make_slots();
        parent_.resize(slots_.size());
        std::iota(parent_.begin(), parent_.end(), std::size_t{0});
        decide(decisions);
    }

    std::vector<KnownPerson> run() {
        for (const auto& [a, b] : by_hand_) join(a, b);
        by_text([](const Slot& s) { return s.uuid; }, "person:uid-twice");
        by_text([](const Slot& s) { return s.number; }, "person:number-shared");
        by_handle();
        return persons();
    }

private:
    void make_slots() {
        std::map<std::pair<std::uint64_t, std::string>, std::size_t> known;
        for (std::size_t i = 0; i < cards_.size(); ++i) {
            const auto [at, added] = known.try_emplace({cards_[i].source.value, cards_[i].card.key}, slots_.size());
            if (added) slots_.push_back({cards_[i].source, {}, {}, {}, {}, cards_[i].sealed, {}});
            slots_[at->second].cards.push_back(i);
            slot_of_[cards_[i].entry] = at->second;
        }
        for (Slot& slot : slots_) {
            read_handles(slot, cards_);
            const DatedCard& last = cards_[slot.cards.back()];
            if (last.card.gone) slot.end = last.sealed;
        }
    }

    // The newest decision on two persons of sources counts.
    void decide(const std::vector<vault::PersonDecision>& decisions) {
        std::map<std::pair<std::size_t, std::size_t>, bool> verdict;
        for (const vault::PersonDecision& d : decisions) {
            const auto a = slot_of_.find(d.a), b = slot_of_.find(d.b);
            if (a == slot_of_.end() || b == slot_of_.end() || a->second == b->second) continue;
            verdict[std::minmax(a->second, b->second)] = d.joined;
        }
        for (const auto& [pair, joined] : verdict) (joined ? by_hand_ : apart_).insert(pair);
    }

    std::size_t root(std::size_t i) {
        while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
        return i;
    }
    void join(std::size_t a, std::size_t b) {
        const std::size_t x = root(a), y = root(b);
        if (x != y && !kept_apart(x, y)) parent_[std::max(x, y)] = std::min(x, y);
    }
    bool kept_apart(std::size_t x, std::size_t y) {
        return std::any_of(apart_.begin(), apart_.end(), [&](const auto& pair) {
            const std::size_t a = root(pair.first), b = root(pair.second);
            return (a == x && b == y) || (a == y && b == x);
        });
    }
    // Why a rule may not join these two; empty: it may.
    std::string objection(std::size_t x, std::size_t y) {
        std::set<std::string> numbers_x, numbers_y;
        std::vector<const Slot*> of_x, of_y;
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            const std::size_t r = root(i);
            if (r != x && r != y) continue;
            if (!slots_[i].number.empty()) (r == x ? numbers_x : numbers_y).insert(slots_[i].number);
            (r == x ? of_x : of_y).push_back(&slots_[i]);
        }
        for (const Slot* a : of_x)
            for (const Slot* b : of_y)
                if (a->source == b->source && side_by_side(*a, *b)) return "person:address-shared";
        const bool same =
            std::any_of(numbers_x.begin(), numbers_x.end(), [&](const auto& n) { return numbers_y.count(n); });
        return numbers_x.empty() || numbers_y.empty() || same ? "" : "person:number-differs";
    }
    void rule(std::size_t a, std::size_t b, std::string_view code) {
        const std::size_t x = root(a), y = root(b);
        if (x == y || kept_apart(x, y)) return;
        const std::string why = objection(x, y);
        if (why.empty()) {
            parent_[std::max(x, y)] = std::min(x, y);
            return;
        }
        if (code.empty()) code = why;
        conflicts_.push_back(
            {std::string(code), cards_[slots_[a].cards.back()].entry, cards_[slots_[b].cards.back()].entry});
    }
    template <class Text>
    void by_text(Text text, std::string_view code) {
        std::map<std::string, std::vector<std::size_t>> same;
        for (std::size_t i = 0; i < slots_.size(); ++i)
            if (const std::string t = text(slots_[i]); !t.empty()) same[t].push_back(i);
        for (const auto& [t, list] : same)
            for (std::size_t k = 1; k < list.size(); ++k) rule(list.front(), list[k], code);
    }
    void by_handle() {
        std::map<std::string, std::vector<std::pair<std::size_t, const Handle*>>> same;
        for (std::size_t i = 0; i < slots_.size(); ++i)
            for (const Handle& h : slots_[i].handles)
                if (joins(h)) same[folded(h)].emplace_back(i, &h);
        for (const auto& [text, list] : same)
            for (std::size_t k = 1; k < list.size(); ++k)
                for (std::size_t j = k - std::min(k, kNeighbours); j < k; ++j)
                    if (at_one_time(*list[j].second, *list[k].second)) rule(list[j].first, list[k].first, "");
    }

    std::vector<KnownPerson> persons() {
        std::map<std::size_t, KnownPerson> out;
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            KnownPerson& p = out[root(i)];
            for (const std::size_t c : slots_[i].cards) p.cards.push_back(cards_[c]);
            for (const Handle& h : slots_[i].handles) add(p.handles, h);
            add_value(p.numbers, slots_[i].number);
        }
        for (const PersonConflict& c : conflicts_) {
            for (const EntryIndex card : {c.a, c.b}) {
                auto& list = out[root(slot_of_.at(card))].conflicts;
                if (std::find(list.begin(), list.end(), c) == list.end()) list.push_back(c);
            }
        }
        std::vector<KnownPerson> list;
        for (auto& [r, p] : out) list.push_back(finish(std::move(p)));
        std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
        return list;
    }
    // Two sources that know one address: it is theirs from the first to the last.
    static void add(std::vector<Handle>& handles, const Handle& handle) {
        for (Handle& h : handles) {
            if (folded(h) != folded(handle) || !at_one_time(h, handle)) continue;
            h.from = h.from && handle.from ? std::optional(std::min(*h.from, *handle.from)) : std::nullopt;
            h.until = h.until && handle.until ? std::optional(std::max(*h.until, *handle.until)) : std::nullopt;
            h.card = std::max(h.card, handle.card);
            return;
        }
        handles.push_back(handle);
    }
    static KnownPerson finish(KnownPerson p) {
        std::sort(p.cards.begin(), p.cards.end(), [](const auto& a, const auto& b) { return a.entry < b.entry; });
        p.id = p.cards.front().entry;
        std::map<std::pair<std::uint64_t, std::string>, bool> gone;
        for (auto c = p.cards.rbegin(); c != p.cards.rend(); ++c) {
            gone.try_emplace({c->source.value, c->card.key}, c->card.gone);
            for (const std::string& name : c->card.names) add_value(p.names, name);
        }
        p.gone = std::all_of(gone.begin(), gone.end(), [](const auto& row) { return row.second; });
        return p;
    }

    std::vector<DatedCard> cards_;
    std::vector<Slot> slots_;
    std::map<EntryIndex, std::size_t> slot_of_;
    std::vector<std::size_t> parent_;
    std::set<std::pair<std::size_t, std::size_t>> by_hand_, apart_;
    std::vector<PersonConflict> conflicts_;
};

}  // namespace

std::string folded(const Handle& handle) {
    return handle.kind == Handle::Kind::phone ? "tel:" + folded_phone(handle.text) : folded(handle.text);
}

const std::string& KnownPerson::name() const {
    static const std::string none;
    return names.empty() ? none : names.front();
}

const DatedCard* KnownPerson::newest() const {
    for (auto c = cards.rbegin(); c != cards.rend(); ++c)
        if (!c->card.gone) return &*c;
    return nullptr;
}

std::vector<KnownPerson> gather(std::vector<DatedCard> cards, const std::vector<vault::PersonDecision>& decisions) {
    return Gathering(std::move(cards), decisions).run();
}

namespace {

// "matrix:@anna:example.org" is sent as "@anna:example.org".
std::vector<std::string> written(const Handle& h) {
    std::vector<std::string> out;
    if (h.kind == Handle::Kind::id) {
        const std::size_t colon = h.text.find(':');
        add_value(out, colon == std::string::npos ? h.text : h.text.substr(colon + 1));
    } else {
        add_value(out, h.text);
    }
    if (h.kind == Handle::Kind::phone && folded_phone(h.text).size() >= 6) {
        const std::string digits = folded_phone(h.text);
        add_value(out, digits.rfind("00", 0) == 0 ? "+" + digits.substr(2) : digits);
    }
    return out;
}

bool too_common(const std::string& text, const KnownPerson& person) {
    constexpr std::size_t kShort = 6;
    const std::string word = folded(text);
    for (const char c : word)
        if (static_cast<unsigned char>(c) < 0x80 && (c < 'a' || c > 'z')) return false;
    if (word.size() < kShort) return true;
    return std::any_of(person.cards.begin(), person.cards.end(), [&](const DatedCard& c) {
        return word == folded(c.card.given) || word == folded(c.card.family);
    });
}

void limit(SearchHandle& s, const Handle& other) {
    if (at_one_time(s.handle, other)) {
        s.shared = true;
    } else if (other.from && s.handle.until && *other.from >= *s.handle.until) {
        s.until = s.until ? std::min(*s.until, *other.from) : *other.from;
    } else if (other.until && s.handle.from && *other.until <= *s.handle.from) {
        s.from = s.from ? std::max(*s.from, *other.until) : *other.until;
    }
}

}  // namespace

std::vector<SearchHandle> search_handles(const KnownPerson& person, const std::vector<KnownPerson>& all) {
    std::vector<SearchHandle> out;
    for (const Handle& h : person.handles) {
        SearchHandle s;
        s.handle = h;
        for (const KnownPerson& other : all) {
            if (other.id == person.id) continue;
            for (const Handle& o : other.handles)
                if (folded(o) == folded(h)) limit(s, o);
        }
        for (std::string& text : written(h)) {
            s.left_out = too_common(text, person);
            s.text = std::move(text);
            out.push_back(s);
        }
    }
    return out;
}

std::vector<std::string> joining_texts(const PersonCard& card) {
    std::vector<std::string> out;
    for (const auto* list : {&card.emails, &card.ids})
        for (const std::string& text : *list) add_value(out, folded(text));
    if (auto uuid = as_uuid(card.uid)) add_value(out, *uuid);
    if (!card.number.empty()) add_value(out, "number " + folded(card.number));
    return out;
}

std::string person_id(EntryIndex card) {
    return "P" + std::to_string(card.value);
}

std::optional<EntryIndex> parse_person_id(std::string_view text) {
    if (text.size() < 2 || text.size() > 20 || (text[0] != 'P' && text[0] != 'p')) return std::nullopt;
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return EntryIndex(n);
}

}  // namespace kustos::access
