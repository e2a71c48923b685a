// What stood around a record. The index says what belongs together; two access entries say what was opened: the record
// itself, by which the others are found, and then it and all of them.
#include <algorithm>

#include "app/house.h"
#include "app/src/house_ports.h"
#include "app/src/room.h"
#include "search/snippet.h"
#include "search/thread.h"
#include "search/thread_guess.h"
#include "search/within.h"

namespace kustos::app {

using search::Node;
using vault::MessageKind;

namespace {

constexpr std::size_t kMostEvents = 200;       // joins and leaves that are opened
constexpr std::size_t kMostGuessed = 50;       // mails that are opened and compared
constexpr std::uint64_t kMostErased = 10'000;  // of which the source is looked up
constexpr std::size_t kCharacters = 300;       // of a message's text

Node leaf(Node::Kind kind, std::string text, search::Field field = search::Field::any) {
    Node node;
    node.kind = kind;
    node.text = std::move(text);
    node.field = field;
    return node;
}

Node several(Node::Kind kind, std::vector<Node> children) {
    Node node;
    node.kind = kind;
    node.children = std::move(children);
    return node;
}

search::Query asking(Node root) {
    search::Query query;
    query.root = std::move(root);
    return query;
}

search::Query joins_and_leaves() {
    return asking(
        several(Node::Kind::any_of, {leaf(Node::Kind::message_kind, "join"), leaf(Node::Kind::message_kind, "leave")}));
}

search::Query but(const search::Query& query, search::Query without) {
    return search::both(query, asking(several(Node::Kind::none_of, {std::move(without.root)})));
}

bool is_of_mail(const vault::Message& message) {
    return message.kind == MessageKind::mail || message.kind == MessageKind::envelope;
}

// Absent: it names neither a conversation nor another message, and has no id of its own.
std::optional<search::Query> belongs_with(const vault::Message& message, const std::string& source) {
    const vault::Conversation& in = message.conversation;
    if (is_of_mail(message) || in.empty()) {
        const std::vector<std::string> ids = search::thread_ids(message);
        if (ids.empty()) return std::nullopt;
        return search::related_to(ids, source);
    }
    return asking(several(Node::Kind::all_of,
                          {leaf(Node::Kind::phrase, in.id.empty() ? in.title : in.id, search::Field::conversation),
                           leaf(Node::Kind::source, source)}));
}

UtcTime time_of(const vault::Message& message) {
    return message.sent_at.value_or(message.received_at);
}

web::ContextMessage shown(const vault::OpenedRecord& record) {
    const vault::Message& m = record.message;
    web::ContextMessage out;
    out.entry = record.index;
    out.kind = vault::kind_name(m.kind);
    out.sent_at = m.sent_at;
    out.sender = person_text(m.sender);
    out.subject = m.subject;
    search::SnippetOptions options;
    options.characters = kCharacters;
    out.text = search::make_snippet(m, asking(leaf(Node::Kind::everything, "")), options).text;
    return out;
}

Error not_apart() {
    return Error(Code::not_in_version, "with an opener apart the context of a record is not in this version")
        .with_hint("kustos search finds what stands in a conversation: conversation:NAME date:DAY");
}

// The records of one matter that a message stands among, each with its time.
struct Place {
    UtcTime time;
    EntryIndex entry;
    bool operator<(const Place& other) const { return time == other.time ? entry < other.entry : time < other.time; }
};

// The record and what stands around it; what is beyond is counted.
std::vector<Place> window_of(std::vector<Place> all, const Place& here, const web::ContextAsk& ask,
                             web::ContextReport& report) {
    const auto is_here = [&](const Place& place) { return place.entry == here.entry; };
    auto at = std::find_if(all.begin(), all.end(), is_here);
    if (at == all.end()) at = all.insert(std::upper_bound(all.begin(), all.end(), here), here);  // not indexed yet
    const auto before = static_cast<std::uint64_t>(at - all.begin());
    const auto after = static_cast<std::uint64_t>(all.end() - at) - 1;
    const std::uint64_t first = before - std::min(before, ask.before), last = before + std::min(after, ask.after);
    report.more_before = first;
    report.more_after = all.size() - last - 1;
    return {all.begin() + static_cast<std::ptrdiff_t>(first), all.begin() + static_cast<std::ptrdiff_t>(last) + 1};
}

// Those nearest in time that are not tied to the record already.
std::vector<Place> nearest(const std::vector<Place>& found, const std::vector<Place>& tied, const Place& here,
                           std::uint64_t& left_out) {
    EntrySet known;
    known.add(here.entry);
    for (const Place& place : tied) known.add(place.entry);
    std::vector<Place> out;
    for (const Place& place : found)
        if (!known.contains(place.entry)) out.push_back(place);
    const auto away = [&](const Place& place) { return std::abs(place.time.ms - here.time.ms); };
    std::stable_sort(out.begin(), out.end(), [&](const Place& a, const Place& b) { return away(a) < away(b); });
    left_out = out.size() - std::min(out.size(), kMostGuessed);
    out.resize(out.size() - left_out);
    std::sort(out.begin(), out.end());
    return out;
}

Result<std::vector<RoomEvent>> open_moves(vault::OpenSession& session, const std::vector<Place>& places) {
    std::vector<RoomEvent> out;
    for (const Place& place : places) {
        const vault::OpenedRecord opened = TRY(session.open(place.entry));
        out.push_back({place.time, place.entry, opened.message.kind == MessageKind::join, opened.message.sender});
    }
    return out;
}

Status open_window(vault::OpenSession& session, const std::vector<Place>& places, const std::vector<RoomEvent>& moves,
                   web::ContextReport& report) {
    for (const Place& place : places) {
        const vault::OpenedRecord opened = TRY(session.open(place.entry));
        report.messages.push_back(shown(opened));
        report.messages.back().room = room_then(opened.message, opened.index, moves);
    }
    return {};
}

Status open_guessed(vault::OpenSession& session, const std::vector<Place>& places, const search::MailFacts& facts,
                    web::ContextReport& report) {
    for (const Place& place : places) {
        const vault::OpenedRecord opened = TRY(session.open(place.entry));
        const auto guess = search::guess_thread(facts, search::mail_facts(opened.message));
        if (!guess) continue;
        report.guessed.push_back(shown(opened));
        web::ContextMessage& guessed = report.guessed.back();
        guessed.room = room_then(opened.message, opened.index, {});
        guessed.days_apart = guess->days_apart;
        guessed.shared_people = guess->shared_people;
    }
    return {};
}

}  // namespace

struct House::Neighbours {
    std::vector<Place> places;  // ascending
    std::uint64_t outside_scope = 0, restricted = 0;
};

Result<House::Neighbours> House::neighbours(const search::Query& query, EntryIndex matter) {
    Neighbours out;
    search::Answer found = TRY(ask(query));
    if (const std::string scope = TRY(matters_->scope(matter)); !scope.empty()) {
        const search::Query bounds = TRY_IN("the matter's scope", search::parse_query(scope));
        const std::uint64_t all = found.total;
        found = TRY(ask(search::both(TRY(resolved(bounds, matter, "")), query)));
        out.outside_scope = all > found.total ? all - found.total : 0;  // something may have come between the two
    }
    const auto book = archive_->retention();
    for (std::size_t i = 0; i < found.entries.size(); ++i) {
        if (book->restriction_for(found.entries[i], matter)) {
            ++out.restricted;
        } else {
            out.places.push_back({found.sent_at[i], found.entries[i]});
        }
    }
    std::sort(out.places.begin(), out.places.end());
    return out;
}

Result<std::uint64_t> House::erased_of(SourceId source) const {
    const auto erased = TRY(archive_->erased_records());
    std::uint64_t looked = 0, found = 0;
    const auto& runs = erased->intervals();
    for (auto run = runs.rbegin(); run != runs.rend(); ++run)
        for (std::uint64_t n = run->last.value; n + 1 > run->first.value && looked < kMostErased; --n, ++looked)
            found += TRY(archive_->entry(EntryIndex(n))).header.source == source ? 1 : 0;
    return found;
}

Result<web::ContextReport> House::context(const std::string& actor, const std::string& matter, EntryIndex entry,
                                          const web::ContextAsk& ask) {
    if (ask.before > web::ContextAsk::kMost || ask.after > web::ContextAsk::kMost)
        return Error(Code::usage, "a context has at most 50 messages before and 50 behind")
            .with_hint("ask again with the first or last record that it shows");
    vault::Purpose purpose;
    purpose.action = audit::AccessAction::open;
    purpose.matter = TRY(need_matter(matter));
    purpose.actor = actor;
    purpose.total = 1;
    TRY(matters_->allow(purpose, {}));
    if (archive_->keys().apart()) return not_apart();
    TRY(expect_not_erased({entry}));
    auto session = TRY(opener_->begin(purpose, {entry}));
    const vault::OpenedRecord record = TRY(session->open(entry));
    const vault::Message& message = record.message;
    const auto source = archive_->find_source(record.entry.header.source);
    web::ContextReport report;
    report.entry = entry;
    report.thread = is_of_mail(message) || message.conversation.empty();
    if (!report.thread)
        report.conversation = message.conversation.title.empty() ? message.conversation.id : message.conversation.title;
    report.erased_of_source = TRY(erased_of(record.entry.header.source));

    const Place here{time_of(message), entry};
    const auto together = source ? belongs_with(message, source->name) : std::nullopt;
    Neighbours around, moves;
    if (together) around = TRY(neighbours(but(*together, joins_and_leaves()), purpose.matter));
    if (together && !report.thread)
        moves = TRY(neighbours(search::both(*together, joins_and_leaves()), purpose.matter));
    report.outside_scope = around.outside_scope;
    report.restricted = around.restricted;
    const std::size_t too_many = moves.places.size() - std::min(moves.places.size(), kMostEvents);
    moves.places.erase(moves.places.begin(), moves.places.begin() + static_cast<std::ptrdiff_t>(too_many));
    report.events = moves.places.size();
    report.events_left_out = too_many + moves.outside_scope + moves.restricted;

    const search::MailFacts facts = search::mail_facts(message);
    std::vector<Place> candidates;
    if (message.kind == MessageKind::mail)
        if (const auto words = search::same_words(facts.subject, here.time))
            candidates =
                nearest(TRY(neighbours(*words, purpose.matter)).places, around.places, here, report.not_looked_at);
    const std::vector<Place> window = window_of(std::move(around.places), here, ask, report);

    std::vector<EntryIndex> ids;
    for (const std::vector<Place>* places : {&window, &std::as_const(moves.places), &std::as_const(candidates)})
        for (const Place& place : *places) ids.push_back(place.entry);
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());  // the record may be a join itself
    purpose.total = ids.size();
    session = TRY(opener_->begin(purpose, ids));
    TRY(open_window(*session, window, TRY(open_moves(*session, moves.places)), report));
    TRY(open_guessed(*session, candidates, facts, report));
    return report;
}

}  // namespace kustos::app
