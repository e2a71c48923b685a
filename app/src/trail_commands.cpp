#include "app/trail_commands.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "audit/entry_names.h"
#include "audit/report_text.h"
#include "audit/trail.h"
#include "base/progress.h"

namespace kustos::app {

using audit::TrailFilter;
using audit::TrailRow;
using nlohmann::json;

namespace {

constexpr std::size_t kMostShown = 8192;  // bytes of an entry's rows, for people

Result<std::optional<audit::Kind>> kind_of(const std::string& name) {
    if (name.empty()) return std::optional<audit::Kind>();
    for (const audit::Kind k :
         {audit::Kind::record, audit::Kind::blob, audit::Kind::access, audit::Kind::erasure, audit::Kind::control}) {
        if (audit::kind_name(k) == name) return std::optional(k);
    }
    return Error(Code::usage, "--kind takes control, access, erasure, record or blob");
}

Result<std::optional<UtcTime>> time_of(const std::string& text, const char* option) {
    if (text.empty()) return std::optional<UtcTime>();
    const auto time = parse_rfc3339(text.size() == 10 ? text + "T00:00:00Z" : text);
    if (!time.ok()) return Error(Code::usage, std::string(option) + " takes 2026-03-01 or 2026-03-01T10:00:00Z");
    return std::optional(*time);
}

Result<std::optional<EntryIndex>> entry_of(const std::string& text, const char* option) {
    if (text.empty()) return std::optional<EntryIndex>();
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size())
        return Error(Code::usage, std::string(option) + " takes an entry's number");
    return std::optional(EntryIndex(n));
}

Result<TrailFilter> filter_of(const Call& c) {
    TrailFilter filter;
    filter.kind = TRY(kind_of(c.kind));
    filter.action = c.action;
    if (!c.source.empty()) filter.source = c.source;
    filter.since = TRY(time_of(c.since, "--since"));
    filter.until = TRY(time_of(c.until, "--until"));
    filter.from = TRY(entry_of(c.from, "--from")).value_or(EntryIndex(0));
    filter.end = TRY(entry_of(c.to, "--to"));
    return filter;
}

Result<audit::Trail> open_trail(Environment e, const Call& c) {
    if (c.archive.empty())
        return Error(Code::usage, "which archive?").with_hint("give --archive DIR, or set KUSTOS_ARCHIVE");
    if (!e.fs.exists(c.archive / "ledger")) return Error(Code::usage, "there is no ledger/ at " + c.archive.string());
    return audit::Trail::open(e.fs, c.archive / "ledger");
}

json to_json(const TrailRow& r) {
    json j = {{"entry", r.index.value}, {"kind", audit::kind_name(r.kind)}, {"source", r.source},
              {"sequence", r.sequence}, {"class", r.retention_class.value}, {"sealed_part", r.sealed}};
    if (!r.action.empty()) j["action"] = r.action;
    json rows = json::object();
    for (const auto& [name, text] : r.rows) rows[name] = text;
    j["rows"] = std::move(rows);
    return j;
}

// For people hashes are cut; for programs they are whole.
std::string rows_text(const TrailRow& r, bool whole) {
    constexpr std::size_t kShown = 16;
    std::string out;
    for (const auto& [name, text] : r.rows) {
        if (name == "time" || name == "certificate") continue;
        const bool long_hex =
            text.size() > 2 * kShown && text.find_first_not_of("0123456789abcdef") == std::string::npos;
        out += (out.empty() ? "" : " ") + name + "=" + (long_hex && !whole ? text.substr(0, kShown) + "..." : text);
    }
    return out;
}

// RFC 4180. A cell that a spreadsheet would take for a formula gets a quotation mark before it.
std::string cell(std::string text) {
    if (!text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos) text.insert(0, 1, '\'');
    if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

std::string csv_line(const TrailRow& r) {
    return std::to_string(r.index.value) + "," + (r.time ? format_rfc3339(*r.time) : "") + "," +
           std::string(audit::kind_name(r.kind)) + "," + cell(r.action) + "," + cell(r.source) + "," +
           std::to_string(r.sequence) + "," + std::to_string(r.retention_class.value) + "," +
           (r.sealed ? "yes" : "no") + "," + cell(rows_text(r, true)) + "\r\n";
}

bool ends_with(const std::string& text, std::string_view end) {
    return text.size() > end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

Result<int> list_trail(Environment e, const Call& c, Streams s) {
    const TrailFilter filter = TRY(filter_of(c));
    audit::Trail trail = TRY(open_trail(e, c));
    const auto rows = TRY(trail.newest(filter, c.limit));
    if (c.json) {
        json list = json::array();
        for (const TrailRow& r : rows) list.push_back(to_json(r));
        s.out << json{{"size", trail.size().value}, {"entries", std::move(list)}}.dump() << "\n";
        return 0;
    }
    for (const TrailRow& r : rows)
        s.out << r.index.value << "\t" << (r.time ? format_rfc3339(*r.time) : "-") << "\t" << audit::kind_name(r.kind)
              << (r.action.empty() ? "" : " ") << r.action << (r.sealed ? " *" : "") << "\t"
              << audit::harmless(r.source) << "\t" << audit::harmless(rows_text(r, false), kMostShown)
              << "\n";  // somebody else's ledger, and a terminal
    const bool de = c.language == Language::german;
    if (std::any_of(rows.begin(), rows.end(), [](const TrailRow& r) { return r.sealed; }))
        s.out << (de ? "* ein Teil ist versiegelt: kustos audit show EINTRAG --ground GRUND\n"
                     : "* a part of it is sealed: kustos audit show ENTRY --ground GROUND\n");
    return 0;
}

Result<int> export_trail(Environment e, const Call& c, Streams s) {
    const bool csv = ends_with(c.out, ".csv");
    if (!csv && !ends_with(c.out, ".jsonl"))
        return Error(Code::usage, "--out takes a file that ends in .csv or .jsonl");
    TrailFilter filter = TRY(filter_of(c));
    const Bytes note =
        TRY_IN("ledger/checkpoint", read_file(e.fs, audit::checkpoint_file(c.archive / "ledger"), 1u << 20));
    audit::Trail trail = TRY(open_trail(e, c));
    // What a program has written since the checkpoint was read does not belong to it.
    const audit::Checkpoint checkpoint =
        TRY_IN("ledger/checkpoint", audit::parse_checkpoint(TRY(audit::parse_note(note)).text));
    const EntryIndex covered(checkpoint.size.value);
    filter.end = filter.end ? std::min(*filter.end, covered) : covered;
    const Path part = c.out + ".tmp";
    std::ofstream out(part, std::ios::binary | std::ios::trunc);
    const Error no_room(Code::environment, "the file can't be written");
    if (!out) return no_room;
    if (csv) out << "entry,time,kind,action,source,sequence,class,sealed_part,rows\r\n";
    Progress progress(e.clock, "audit", "entries", c.json ? 0 : trail.size().value);
    std::uint64_t count = 0;
    const Status done = trail.each(
        filter,
        [&](const TrailRow& row) -> Status {
            out << (csv ? csv_line(row) : to_json(row).dump() + "\n");
            ++count;
            if (!out) return no_room;
            return interrupt_requested() ? Status(Error(Code::interrupted, "interrupted; nothing was written"))
                                         : Status();
        },
        [&](EntryIndex at) { progress.advance_to(at.value); });
    out.close();
    if (!done.ok() || !out) {
        std::error_code ignored;
        std::filesystem::remove(part, ignored);
        return done.ok() ? no_room : done.error();
    }
    TRY(replace_file(e.fs, c.out + ".checkpoint", note));
    TRY(e.fs.rename(part, c.out));
    if (c.json) {
        s.out << json{{"file", c.out}, {"entries", count}, {"size", covered.value}}.dump() << "\n";
    } else {
        const bool de = c.language == Language::german;
        s.out << c.out << ": " << count << (de ? " Einträge von " : " entries of ") << covered.value
              << (de ? "; der Prüfpunkt dazu: " : "; their checkpoint: ") << c.out << ".checkpoint\n";
    }
    return 0;
}

}  // namespace kustos::app
