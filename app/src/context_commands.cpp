#include "app/context_commands.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "app/house.h"
#include "app/src/present.h"

namespace kustos::app {

using nlohmann::json;

namespace {

json room_json(const web::RoomThen& room) {
    using Basis = web::RoomThen::Basis;
    const char* basis = room.basis == Basis::message ? "message" : room.basis == Basis::events ? "events" : "unknown";
    return {{"basis", basis},
            {"people", room.people},
            {"more", room.more},
            {"joined_later", room.later},
            {"more_joined_later", room.more_later},
            {"later_could_see", "unknown"}};
}

json message_json(const web::ContextMessage& m) {
    return {{"record", m.entry.value},
            {"kind", m.kind},
            {"sent_at", m.sent_at ? json(format_rfc3339(*m.sent_at)) : json(nullptr)},
            {"sender", m.sender},
            {"subject", m.subject},
            {"text", m.text},
            {"room", room_json(m.room)}};
}

std::string context_json(const web::ContextReport& r) {
    json messages = json::array(), guessed = json::array();
    for (const web::ContextMessage& m : r.messages) messages.push_back(message_json(m));
    for (const web::ContextMessage& m : r.guessed) {
        json j = message_json(m);
        j["guess"] = {{"reason", "same-subject"}, {"shared_people", m.shared_people}, {"days_apart", m.days_apart}};
        guessed.push_back(std::move(j));
    }
    const json out = {{"record", r.entry.value},
                      {"by", r.thread ? "thread" : "conversation"},
                      {"conversation", r.conversation},
                      {"messages", std::move(messages)},
                      {"more_before", r.more_before},
                      {"more_after", r.more_after},
                      {"outside_scope", r.outside_scope},
                      {"restricted", r.restricted},
                      {"erased_of_source", r.erased_of_source},
                      {"events", r.events},
                      {"events_left_out", r.events_left_out},
                      {"guessed", std::move(guessed)},
                      {"not_looked_at", r.not_looked_at}};
    return out.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

void print(const web::ContextMessage& m, bool itself, bool guessed, bool de, std::ostream& out) {
    const web::Language l = de ? web::Language::german : web::Language::english;
    out << (itself ? "> " : "  ") << m.entry.value << "  "
        << (m.sent_at ? format_rfc3339(*m.sent_at) : std::string(de ? "ohne Zeit" : "no time")) << "  "
        << plain_text(m.sender) << (m.kind == "chat" || m.kind == "mail" ? "" : "  (" + m.kind + ")") << "\n";
    if (!m.subject.empty()) out << "      " << plain_text(m.subject) << "\n";
    if (!m.text.empty()) out << "      " << plain_text(m.text) << "\n";
    if (guessed) out << "      " << web::guess_words(m, l) << "\n";
    out << "      " << plain_text(web::room_words(m.room, l)) << "\n";
    if (const std::string later = web::later_words(m.room, l); !later.empty())
        out << "      " << plain_text(later) << "\n";
}

void print(const web::ContextReport& r, bool de, std::ostream& out) {
    out << (r.thread ? (de ? "Mail-Verlauf" : "mail thread") : (de ? "Gespräch " : "conversation "))
        << plain_text(r.conversation) << "\n";
    if (r.more_before != 0) out << "  ... " << r.more_before << (de ? " davor\n" : " before\n");
    for (const web::ContextMessage& m : r.messages) print(m, m.entry == r.entry, false, de, out);
    if (r.more_after != 0) out << "  ... " << r.more_after << (de ? " danach\n" : " after\n");
    if (!r.guessed.empty())
        out << (de ? "vermutet, nicht sicher; gehört vielleicht dazu:\n" : "guessed, not certain; may belong to it:\n");
    for (const web::ContextMessage& m : r.guessed) print(m, false, true, de, out);
    for (const std::string& note : web::context_notes(r, de ? web::Language::german : web::Language::english))
        out << note << "\n";
}

Result<std::uint64_t> number(const Call& call, const std::string& name, std::uint64_t otherwise) {
    const auto found = call.given.find(name);
    if (found == call.given.end() || found->second.empty()) return otherwise;
    const std::string& text = found->second.front();
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error == std::errc() && end == text.data() + text.size()) return n;
    return Error(Code::usage, "--" + name + " takes a number of messages");
}

}  // namespace

Result<int> context_command(House& house, const Call& call, EntryIndex record, const std::string& actor,
                            Streams streams) {
    web::ContextAsk ask;
    ask.before = TRY(number(call, "before", ask.before));
    ask.after = TRY(number(call, "after", ask.after));
    const web::ContextReport report = TRY(house.context(actor, call.matter, record, ask));
    if (call.json) {
        streams.out << context_json(report);
    } else {
        print(report, call.language == Language::german, streams.out);
    }
    return 0;
}

}  // namespace kustos::app
