#include "app/src/present.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/source_commands.h"

namespace kustos::app {

using nlohmann::json;

namespace {

// Foreign text on a terminal: control characters must not drive it, and bidirectional overrides must not reorder the
// frame.
std::string plain(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c < 0x20 && c != '\n' && c != '\t') {
            out += "\xEF\xBF\xBD";
        } else if (c == 0x7f) {
            out += "\xEF\xBF\xBD";
        } else if (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) {
            out += "\xEF\xBF\xBD";  // C1 controls
            ++i;
        } else if (c == 0xE2 && i + 2 < text.size() &&
                   ((static_cast<unsigned char>(text[i + 1]) == 0x80 &&
                     static_cast<unsigned char>(text[i + 2]) >= 0xAA &&
                     static_cast<unsigned char>(text[i + 2]) <= 0xAE) ||
                    (static_cast<unsigned char>(text[i + 1]) == 0x81 &&
                     static_cast<unsigned char>(text[i + 2]) >= 0xA6 &&
                     static_cast<unsigned char>(text[i + 2]) <= 0xA9))) {
            i += 2;  // U+202A..202E, U+2066..2069
        } else {
            out += text[i];
        }
    }
    return out;
}

std::string dump(const json& j) {
    return j.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

json coverage_json(const web::Coverage& c) {
    return {{"sealed", c.sealed},     {"searchable", c.searchable}, {"partial", c.partial}, {"opaque", c.opaque},
            {"deferred", c.deferred}, {"failed", c.failed},         {"erased", c.erased}};
}

std::string coverage_line(const web::Coverage& c, bool de) {
    std::ostringstream out;
    const auto part = [&](std::uint64_t n, const char* german, const char* english) {
        if (n != 0) out << ", " << n << " " << (de ? german : english);
    };
    out << c.sealed << (de ? " versiegelt = " : " sealed = ") << c.searchable << (de ? " durchsuchbar" : " searchable");
    part(c.partial, "teilweise (ein Anhang nicht)", "partial (an attachment not)");
    part(c.opaque, "nicht lesbar", "opaque");
    part(c.deferred, "noch nicht im Verzeichnis", "not yet indexed");
    part(c.failed, "fehlgeschlagen", "failed");
    part(c.erased, "gelöscht", "erased");
    return out.str();
}

std::string reasons_line(const std::map<std::string, std::uint64_t>& reasons) {
    std::string out;
    for (const auto& [word, count] : reasons) out += (out.empty() ? "" : ", ") + word + " " + std::to_string(count);
    return out;
}

json unsearched_json(const web::Unsearched& u) {
    return {{"total", u.total()},     {"partial", u.partial},       {"opaque", u.opaque},  {"failed", u.failed},
            {"deferred", u.deferred}, {"restricted", u.restricted}, {"reasons", u.reasons}};
}

json facet_json(const web::Facet& f) {
    json values = json::array();
    for (const auto& [value, count] : f.values) values.push_back({{"value", value}, {"count", count}});
    return {{"values", std::move(values)}, {"distinct", f.distinct}, {"without", f.without}};
}

std::string facet_text(const web::Facet& f, bool de) {
    constexpr std::size_t kShown = 10;
    constexpr std::pair<const char*, const char*> kGerman[] = {
        {"source", "Quelle"},     {"kind", "Art"},         {"sender", "Absender"}, {"recipient", "Empfänger"},
        {"filetype", "Dateityp"}, {"language", "Sprache"}, {"month", "Monat"}};
    std::string name = f.name;
    for (const auto& [english, german] : kGerman)
        if (de && f.name == english) name = german;
    std::ostringstream out;
    out << name << ": ";
    const bool months = f.name == "month";  // all of them, in their order
    for (std::size_t i = 0; i < f.values.size() && (months || i < kShown); ++i)
        out << (i == 0 ? "" : ", ") << plain(f.values[i].first) << " " << f.values[i].second;
    if (!months && f.distinct > kShown) out << (de ? ", weitere " : ", others ") << f.distinct - kShown;
    if (f.without != 0) out << (f.values.empty() ? "" : ", ") << (de ? "ohne " : "without ") << f.without;
    return out.str();
}

std::string unknown_coverage_line(const web::Coverage& c, bool de) {
    return std::to_string(c.sealed) + (de ? " versiegelt, " : " sealed, ") + std::to_string(c.erased) +
           (de ? " gelöscht; durchsuchbar: bei geschlossenem Tresor nicht bekannt"
               : " erased; searchable: not known while the vault is closed");
}

json person_json(const vault::Person& p) {
    json j = {{"id", p.id}, {"name", p.name}, {"address", p.address}};
    if (!p.home.empty()) j["home"] = p.home;
    if (p.guest) j["guest"] = true;
    return j;
}

json facts_json(const web::AttachmentFacts& f) {
    json j = {{"kind", f.kind}, {"text", f.text}, {"reason", f.reason}, {"remarks", f.remarks}};
    if (f.virus.empty()) return j;
    j["virus"] = {{"verdict", f.virus}, {"signature", f.signature}, {"scanner", f.scanner}, {"at", nullptr}};
    if (f.scanned) j["virus"]["at"] = format_rfc3339(*f.scanned);
    return j;
}

std::string person_text(const vault::Person& p) {
    if (!p.name.empty() && !p.address.empty()) return p.name + " <" + p.address + ">";
    if (!p.name.empty()) return p.name;
    return p.address.empty() ? p.id : p.address;
}

json taken_json(const web::PersonTaken& p) {
    json handles = json::array();
    for (const web::PersonTaken::Handle& h : p.handles) {
        json j = {{"text", h.text}, {"shared", h.shared}, {"left_out", h.left_out}};
        if (h.first) j["first"] = day_text(*h.first);
        if (h.last) j["last"] = day_text(*h.last);
        handles.push_back(std::move(j));
    }
    return {{"asked", p.asked},
            {"person", p.id},
            {"name", p.name},
            {"handles", std::move(handles)},
            {"conflicts", p.conflicts}};
}

std::string taken_text(const web::PersonTaken& p, bool de) {
    std::string out = (de ? "Person " : "person ") + p.id + " " + p.name + (de ? ", gesucht mit: " : ", searched by: ");
    std::string left;
    bool first = true;
    for (const web::PersonTaken::Handle& h : p.handles) {
        if (h.left_out) {
            left += (left.empty() ? "" : ", ") + h.text;
            continue;
        }
        out += (first ? "" : ", ") + h.text;
        first = false;
        if (h.first) out += (de ? " ab " : " from ") + day_text(*h.first);
        if (h.last) out += (de ? " bis " : " until ") + day_text(*h.last);
        if (h.shared) out += de ? " (hat auch jemand anders)" : " (somebody else has it, too)";
    }
    if (!left.empty()) out += (de ? "; ausgelassen, weil zu häufig: " : "; left out as too common: ") + left;
    if (p.conflicts != 0)
        out += de ? "; Adressbücher widersprechen sich (kustos person show " + p.id + ")"
                  : "; address books contradict each other (kustos person show " + p.id + ")";
    return out;
}

json named_json(const web::RecordReport& r) {
    json out = json::array();
    for (const web::PersonNamed& p : r.persons)
        out.push_back({{"handle", p.handle}, {"person", p.id}, {"name", p.name}});
    return out;
}

// Whom an address book names, beside what the message itself has.
std::string named_text(const web::RecordReport& r, const vault::Person& person) {
    std::string out;
    for (const web::PersonNamed& p : r.persons)
        if (!p.handle.empty() && (p.handle == person.address || p.handle == person.id))
            out += (out.empty() ? "  = " : ", ") + p.id + " " + p.name;
    return out;
}

}  // namespace

std::string coverage_json_text(const vault::CoverageCounts& c) {
    return dump(coverage_json({c[0], c[1], c[2], c[3], c[4], c[5], c[6]}));
}

std::string coverage_words(const vault::CoverageCounts& c, bool german) {
    return coverage_line({c[0], c[1], c[2], c[3], c[4], c[5], c[6]}, german);
}

std::string unsearched_json_text(const vault::Unsearched& unsearched) {
    return dump(unsearched_json(unsearched));
}

std::string unsearched_words(const vault::Unsearched& unsearched, bool german) {
    return web::unsearched_words(unsearched, german ? web::Language::german : web::Language::english);
}

std::string day_text(CivilDate day) {
    char text[48];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", day.year, day.month, day.day);
    return text;
}

std::string plain_text(std::string_view foreign) {
    return plain(foreign);
}

std::string status_json(const web::StatusReport& r) {
    json sources = json::array();
    for (const web::SourceReport& s : r.sources) sources.push_back(json::parse(source_json(s)));
    json anchored = nullptr;
    if (r.anchored_time)
        anchored = {{"size", r.anchored_size.value},
                    {"time", format_rfc3339(*r.anchored_time)},
                    {"by", r.anchored_by},
                    {"by_others", r.anchored_by_others}};
    return dump({{"entries", r.entries},
                 {"records", r.records},
                 {"blobs", r.blobs},
                 {"coverage", r.coverage_known ? coverage_json(r.coverage)
                                               : json{{"sealed", r.coverage.sealed}, {"erased", r.coverage.erased}}},
                 {"checkpoint",
                  {{"size", r.checkpoint_size.value},
                   {"root", r.checkpoint_root.hex()},
                   {"published", r.published_size.value}}},
                 {"anchored", anchored},
                 {"quarantined", r.quarantined},
                 {"sources", sources},
                 {"vault", r.vault},
                 {"sandbox", r.sandbox},
                 {"reasons", r.reasons},
                 {"escrow", r.escrow},
                 {"key_memory", r.key_memory},
                 {"forward_memory", r.forward_memory},
                 {"origin", r.origin},
                 {"fingerprint", r.fingerprint},
                 {"read_only", r.read_only},
                 {"next_steps", r.next_steps}});
}

std::string status_text(const web::StatusReport& r, Language language) {
    const bool de = language == Language::german;
    std::ostringstream out;
    out << (de ? "Einträge       " : "entries        ") << r.entries << " (" << r.records
        << (de ? " Aufzeichnungen, " : " records, ") << r.quarantined << (de ? " in Quarantäne)\n" : " quarantined)\n");
    out << (de ? "Abdeckung      " : "coverage       ")
        << (r.coverage_known ? coverage_line(r.coverage, de) : unknown_coverage_line(r.coverage, de)) << "\n";
    if (!r.reasons.empty()) out << (de ? "Gründe         " : "reasons        ") << reasons_line(r.reasons) << "\n";
    if (!r.sandbox.empty())
        out << (de ? "Sandkasten     " : "sandbox        ")
            << (r.sandbox != "none" ? r.sandbox
                : de                ? "keiner: Anhänge werden nicht gelesen"
                                    : "none: attachments are not read")
            << "\n";
    out << (de ? "Prüfpunkt      " : "checkpoint     ") << r.checkpoint_size.value << " " << r.checkpoint_root.hex()
        << "\n";
    out << (de ? "Bestehen       " : "existence      ")
        << web::existence_words(r, de ? web::Language::german : web::Language::english) << "\n";
    out << (de ? "Fingerabdruck  " : "fingerprint    ") << r.fingerprint << "\n";
    out << (de ? "Tresor         " : "vault          ") << r.vault << "\n";
    out << (de ? "Hinterlegung   " : "escrow         ") << r.escrow << "\n";
    for (const web::SourceReport& s : r.sources)
        out << (de ? "Quelle         " : "source         ") << source_text(s, language) << "\n";
    for (const std::string& step : r.next_steps) out << (de ? "→ " : "-> ") << step << "\n";
    return out.str();
}

std::string search_json(const web::SearchReport& r) {
    json hits = json::array();
    for (const web::Hit& h : r.hits) {
        json j = {{"record", h.entry.value},     {"id", h.record.hex()},   {"kind", h.kind},
                  {"sent_at", nullptr},          {"sender", h.sender},     {"subject", h.subject},
                  {"snippet", h.snippet},        {"found_in", h.found_in}, {"conversation", h.conversation},
                  {"attachments", h.attachments}};
        if (h.sent_at) j["sent_at"] = format_rfc3339(*h.sent_at);
        j["page"] = h.page != 0 ? json(h.page) : json(nullptr);
        json marks = json::array();
        for (const auto& [begin, end] : h.marks) marks.push_back({begin, end});
        j["marks"] = std::move(marks);
        hits.push_back(std::move(j));
    }
    json persons = json::array();
    for (const web::PersonTaken& p : r.persons) persons.push_back(taken_json(p));
    json out = {{"total", r.total},
                {"persons", std::move(persons)},
                {"restricted", r.restricted},
                {"coverage", coverage_json(r.coverage)},
                {"hits", std::move(hits)}};
    out["unsearched"] = unsearched_json(r.unsearched);
    out["as_of"] = {{"ledger_size", r.ledger_size}};
    if (r.index_end != 0) out["as_of"]["index_end"] = r.index_end;
    if (!r.facets.empty()) {
        out["facets"] = json::object();
        for (const web::Facet& facet : r.facets) out["facets"][facet.name] = facet_json(facet);
        out["pairs"] = json::array();
        for (const web::WhoToWhom& pair : r.pairs)
            out["pairs"].push_back({{"sender", pair.sender}, {"recipient", pair.recipient}, {"count", pair.count}});
    }
    return dump(out);
}

std::string search_text(const web::SearchReport& r, Language language) {
    const bool de = language == Language::german;
    std::ostringstream out;
    out << r.total << (de ? " Treffer" : r.total == 1 ? " hit" : " hits");
    if (r.hits.size() < r.total) out << (de ? ", gezeigt " : ", shown ") << r.hits.size();
    if (r.restricted != 0)
        out << ", " << r.restricted << (de ? " eingeschränkt (Art. 18 DSGVO)" : " restricted (GDPR Art. 18)");
    out << "\n";
    for (const web::PersonTaken& p : r.persons) out << plain(taken_text(p, de)) << "\n";
    for (const web::Hit& h : r.hits) {
        out << "\n"
            << h.entry.value << "  "
            << (h.sent_at ? format_rfc3339(*h.sent_at) : std::string(de ? "ohne Zeit" : "no time")) << "  "
            << plain(h.sender) << "\n";
        if (!h.subject.empty()) out << "    " << plain(h.subject) << "\n";
        if (!h.conversation.empty()) out << "    [" << plain(h.conversation) << "]\n";
        out << "    ";
        const std::string place = web::place_words(h, de ? web::Language::german : web::Language::english);
        if (!place.empty()) out << plain(place) << "\n    ";
        out << plain(h.snippet) << "\n";
    }
    for (const web::Facet& facet : r.facets) out << "\n" << facet_text(facet, de);
    out << "\n";
    out << unsearched_words(r.unsearched, de) << "\n";
    out << (de ? "Abdeckung: " : "coverage: ") << coverage_line(r.coverage, de) << "\n"
        << web::as_of_words(r, de ? web::Language::german : web::Language::english) << "\n";
    return out.str();
}

std::string record_json(const web::RecordReport& r) {
    const vault::Message& m = r.message;
    json recipients = json::array(), attachments = json::array();
    for (const vault::Recipient& p : m.recipients) {
        static const char* const kRoles[] = {"", "to", "cc", "bcc", "reply_to", "member", "envelope"};
        json j = person_json(p.person);
        j["role"] = kRoles[static_cast<int>(p.role)];
        recipients.push_back(std::move(j));
    }
    for (std::size_t i = 0; i < m.attachments.size(); ++i) {
        const vault::Attachment& a = m.attachments[i];
        json j = {{"name", a.name}, {"type", a.media_type}, {"size", a.size}, {"missing", a.missing}};
        if (!a.missing) j["sha256"] = a.sha256.hex();
        if (i < r.attachments.size() && !r.attachments[i].text.empty()) j["facts"] = facts_json(r.attachments[i]);
        attachments.push_back(std::move(j));
    }
    json j = {{"record", r.entry.value},
              {"id", r.record.hex()},
              {"leaf", r.leaf.hex()},
              {"source", r.source},
              {"sequence", r.sequence},
              {"kind", vault::kind_name(m.kind)},
              {"native_id", m.native_id},
              {"sent_at", nullptr},
              {"received_at", format_rfc3339(m.received_at)},
              {"sender", person_json(m.sender)},
              {"recipients", recipients},
              {"persons", named_json(r)},
              {"conversation", {{"id", m.conversation.id}, {"title", m.conversation.title}}},
              {"subject", m.subject},
              {"body", m.body},
              {"body_html", m.body_html},
              {"previous_body", m.previous_body},
              {"reply_to", m.reply_to},
              {"thread", m.thread},
              {"target", m.target},
              {"attachments", attachments},
              {"format", m.format},
              {"evidential_value", r.evidential_value},
              {"completeness", r.completeness},
              {"notes", m.notes},
              {"feed_position", m.feed_position},
              {"original", {{"size", m.raw_size}, {"sha256", m.raw_sha256.hex()}}},
              {"labels", r.labels},
              {"codes", r.codes},
              {"checkpoint", r.checkpoint_size},
              {"anchored", r.anchored}};
    if (m.sent_at) j["sent_at"] = format_rfc3339(*m.sent_at);
    return dump(j);
}

std::string record_text(const web::RecordReport& r, Language language) {
    const bool de = language == Language::german;
    const vault::Message& m = r.message;
    std::ostringstream out;
    const auto line = [&](const char* german, const char* english, const std::string& value) {
        if (!value.empty()) out << (de ? german : english) << plain(value) << "\n";
    };
    line("Von:         ", "From:        ", person_text(m.sender) + named_text(r, m.sender));
    for (const vault::Recipient& p : m.recipients)
        line("An:          ", "To:          ", person_text(p.person) + named_text(r, p.person));
    line("Gesendet:    ", "Sent:        ",
         m.sent_at ? format_rfc3339(*m.sent_at) : std::string(de ? "unbekannt" : "unknown"));
    line("Eingegangen: ", "Received:    ", format_rfc3339(m.received_at));
    line("Gespräch:    ", "In:          ", m.conversation.title.empty() ? m.conversation.id : m.conversation.title);
    line("Betreff:     ", "Subject:     ", m.subject);
    line("Art:         ", "Kind:        ", std::string(vault::kind_name(m.kind)));
    line("Bezug:       ", "Refers to:   ", m.target);
    for (const std::string& label : r.labels) line("Schlagwort:  ", "Label:       ", label);
    for (const std::string& code : r.codes) line("Bewertung:   ", "Code:        ", code);
    for (std::size_t i = 0; i < m.attachments.size(); ++i) {
        const vault::Attachment& a = m.attachments[i];
        line("Anhang:      ", "Attachment:  ",
             a.name + " (" + a.media_type + ", " +
                 (a.missing ? (de ? "nicht geliefert" : "not delivered") : std::to_string(a.size) + " bytes") + ")");
        if (i >= r.attachments.size()) continue;
        for (const std::string& words : r.attachments[i].words) line("             ", "             ", words);
    }
    if (!m.previous_body.empty()) out << "\n" << (de ? "vorher: " : "before: ") << plain(m.previous_body) << "\n";
    out << "\n" << plain(m.body.empty() ? m.body_html : m.body) << "\n\n";
    out << (de ? "Eintrag " : "entry ") << r.entry.value << ", " << (de ? "Quelle " : "source ") << plain(r.source)
        << (de ? " Nr. " : " no. ") << r.sequence << ", " << (de ? "Blatt " : "leaf ") << r.leaf.hex() << "\n";
    line("Format:      ", "Format:      ",
         m.format + (de ? ", Beweiswert " : ", evidential value ") + r.evidential_value);
    line("Quelle:      ", "Source:      ", r.completeness);
    return out.str();
}

}  // namespace kustos::app
