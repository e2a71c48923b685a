#include "app/source_commands.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "app/src/source_call.h"
#include "app/stream_desk.h"
#include "ingest/value_words.h"
#include "vault/retention.h"

namespace kustos::app {

using nlohmann::json;

namespace {

Result<int> add(const SourceCall& c) {
    const std::string& kind = c.call.kind;
    if (kind != "import" && kind != "http" && kind != "directory" && !ingest::find_stream_kind(kind)) {
        std::string known = "import, http, directory";
        for (const ingest::StreamKind* k : ingest::stream_kinds()) known += ", " + std::string(k->name);
        return Error(Code::not_in_version, "--kind " + kind + " is not in this version").with_hint(known);
    }
    vault::Archive& archive = c.house.archive();
    const auto book = archive.retention();
    const vault::ClassDefinition* found = book->classes().find(c.call.retention_class);
    if (found == nullptr || found->code < vault::kDefaultClass)
        return Error(Code::usage, "there is no such retention class").with_hint("kustos retention class shows all");
    const vault::SourceInfo source = TRY(archive.add_source(c.call.name, kind, found->code));
    std::string token;
    if (kind == "http") token = TRY(c.house.issue_token(source.id, c.actor));
    const Path settings = TRY(begin_stream_settings(c.house.environment().fs, archive.dir(), source.name, source.kind));
    if (c.call.json) {
        json j = {{"source", source.id.value}, {"name", source.name}, {"kind", source.kind}};
        if (!token.empty()) j["token"] = token;
        if (!settings.empty()) j["settings"] = settings.string();
        c.out << j.dump() << "\n";
        return 0;
    }
    c.out << c.say("Quelle ", "source ") << source.name << " (" << source.kind << ")\n";
    if (!token.empty()) c.out << c.say("Token (wird nur jetzt gezeigt): ", "token (shown only now): ") << token << "\n";
    if (!settings.empty())
        c.out << c.say("Einstellungen, vor dem Start anzupassen: ", "settings, to be completed before the start: ")
              << settings.string() << "\n";
    return 0;
}

Result<int> list(const SourceCall& c) {
    json all = json::array();
    for (const web::SourceReport& s : TRY(c.house.source_reports())) {
        if (c.call.json)
            all.push_back(json::parse(source_json(s)));
        else
            c.out << source_text(s, c.call.language) << "\n";
    }
    if (c.call.json) c.out << all.dump() << "\n";
    return 0;
}

Result<int> pause(const SourceCall& c, bool paused) {
    const bool changed = TRY(c.desk().pause(c.call.name, paused));
    if (c.call.json) {
        c.out << json{{"name", c.call.name}, {"paused", paused}, {"changed", changed}}.dump() << "\n";
        return 0;
    }
    if (!changed)
        c.out << (paused ? c.say("ist schon angehalten: ", "is paused already: ")
                         : c.say("ist nicht angehalten: ", "is not paused: "))
              << c.call.name << "\n";
    else
        c.out << (paused ? c.say("angehalten: ", "paused: ") : c.say("läuft wieder: ", "resumed: ")) << c.call.name
              << "\n";
    return 0;
}

}  // namespace

Result<EntryIndex> SourceCall::entry(const std::string& text) const {
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return Error(Code::usage, "an entry is named by its number, as the lists print it");
    return EntryIndex(n);
}

bool is_source_command(const std::string& name) {
    return name.rfind("source ", 0) == 0 || name.rfind("quarantine ", 0) == 0;
}

Result<int> source_command(House& house, const Call& call, const std::string& actor, Streams streams) {
    if (call.command.rfind("quarantine ", 0) == 0) return quarantine_command(house, call, actor, streams);
    const SourceCall c{house, call, actor, streams.out};
    const std::string what = call.command.substr(call.command.find(' ') + 1);
    if (what == "add") return add(c);
    if (what == "list") return list(c);
    if (what == "pause" || what == "resume") return pause(c, what == "pause");
    if (what == "token") return token_command(c);
    if (what == "profile") return profile_command(c);
    if (what == "findings") return findings_command(c);
    if (what == "resolve") return resolve_command(c);
    if (what == "completeness") return completeness_command(c);
    return Error(Code::not_in_version, "`kustos " + call.command + "` is not in this version");
}

Result<int> list_formats(const Call& call, Streams streams) {
    const bool de = call.language == Language::german;
    json all = json::array();
    for (const ingest::FormatInfo* f : ingest::formats()) {
        if (call.json) {
            all.push_back({{"name", f->name},
                           {"title", f->title},
                           {"level", ingest::level_words(f->value.level, false)},
                           {"value", ingest::value_words(f->value, de)}});
            continue;
        }
        streams.out << f->name << "\n    " << f->title << "\n    " << (de ? "Beweiswert " : "evidential value ")
                    << ingest::value_words(f->value, de) << "\n";
    }
    if (call.json) streams.out << all.dump() << "\n";
    return 0;
}

}  // namespace kustos::app
