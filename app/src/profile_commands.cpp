// kustos source profile: what of a source is captured, for a staff council to read and for two people to decide.
#include <nlohmann/json.hpp>

#include "app/src/source_call.h"

namespace kustos::app {

using nlohmann::json;

namespace {

constexpr std::uint64_t kMostYaml = 64u << 10;

Result<int> set(const SourceCall& c) {
    ProfileOrder order;
    order.source = c.call.name;
    order.yaml = to_text(TRY_IN("the profile", read_file(c.house.environment().fs, c.call.paths.front(), kMostYaml)));
    order.ground = c.call.ground;
    order.approvers = c.call.approvers;
    const EntryIndex entry = TRY(c.desk().set_profile(order));
    if (c.call.json)
        c.out << json{{"name", c.call.name}, {"entry", entry.value}}.dump() << "\n";
    else
        c.out << c.say("Das Profil gilt; vermerkt in Eintrag ", "the profile is in effect; noted in entry ")
              << entry.value << "\n";
    return 0;
}

// What people typed goes to a terminal.
std::string harmless(std::string text) {
    for (char& ch : text)
        if (ch != '\n' && (ch & 0xE0) == 0) ch = '?';
    return text;
}

}  // namespace

Result<int> profile_command(const SourceCall& c) {
    if (!c.call.paths.empty()) return set(c);
    const bool de = c.german();
    const vault::SourceInfo source = TRY(c.desk().find(c.call.name));
    const auto book = c.house.archive().source_book();
    const vault::SourceRecord& record = book->of(source.id);
    const vault::CaptureProfile& p = record.profile;
    UtcTime since = source.added;
    if (record.profile_entry) {
        const audit::Entry entry = TRY(c.house.archive().entry(*record.profile_entry));
        since = TRY(audit::BodyReader::parse(entry.body)).find_time(audit::Tag::time).value_or(since);
    }
    // Who decided, why, and which rooms and persons are meant: sealed.
    std::vector<std::pair<std::string, std::string>> sealed;
    if (record.profile_entry && !c.call.ground.empty())
        sealed = TRY(c.house.read_trail(c.actor, c.call.ground, *record.profile_entry));
    const std::vector<std::string> words = profile_words(p, de);
    if (c.call.json) {
        json out = json::array();
        for (int k = 1; k <= static_cast<int>(vault::MessageKind::person); ++k)
            if (const auto kind = static_cast<vault::MessageKind>(k); p.leaves_out(kind))
                out.push_back(vault::kind_name(kind));
        json j = {{"name", source.name},
                  {"version", p.version},
                  {"since", format_rfc3339(since)},
                  {"kinds_out", std::move(out)},
                  {"read_receipts", p.read_receipts},
                  {"presence", p.presence},
                  {"typing", p.typing},
                  {"location", p.location},
                  {"rooms_in", p.rooms_in.size()},
                  {"rooms_out", p.rooms_out.size()},
                  {"persons_in", p.persons_in.size()},
                  {"persons_out", p.persons_out.size()},
                  {"words", words}};
        if (record.profile_entry) j["entry"] = record.profile_entry->value;
        for (const auto& [name, text] : sealed) j["sealed"][name] = text;
        c.out << j.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
        return 0;
    }
    c.out << c.say("Erfassungsprofil der Quelle ", "Capture profile of the source ") << source.name << "\n";
    for (const std::string& sentence : words) c.out << "  " << sentence << "\n";
    if (!record.profile_entry) {
        c.out << c.say("  Das gilt seit der Einrichtung der Quelle, ", "  So it is since the source was added, ")
              << format_rfc3339(since)
              << c.say("; niemand hat etwas anderes festgelegt.\n", "; nobody has decided otherwise.\n");
        return 0;
    }
    c.out << c.say("  Fassung ", "  Version ") << p.version << c.say(", gültig seit ", ", in effect since ")
          << format_rfc3339(since) << c.say(", Eintrag ", ", entry ") << record.profile_entry->value << "\n";
    for (const auto& [name, text] : sealed) c.out << "  " << name << ": " << harmless(text) << "\n";
    if (sealed.empty())
        c.out << c.say("  Wer das warum festgelegt hat, und welche Räume und Personen gemeint sind: --ground GRUND\n",
                       "  Who decided that and why, and which rooms and persons are meant: --ground GROUND\n");
    return 0;
}

}  // namespace kustos::app
