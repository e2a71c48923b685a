#include "app/hit_report_commands.h"

#include <nlohmann/json.hpp>

#include "app/result_desk.h"
#include "app/src/present.h"
#include "app/src/source_call.h"

namespace kustos::app {

using nlohmann::json;

namespace {

Result<HitOrder> order_of(const SourceCall& c) {
    HitOrder order;
    order.actor = c.actor;
    order.matter = c.call.matter;
    order.language = c.call.language;
    for (const std::string& file : c.call.reports) order.files.emplace_back(file);
    TRY(check_hit_files(order.files));
    if (const std::string within = c.one("within"); !within.empty()) {
        order.within = TRY(access::parse_result_id(within));
        if (order.matter.empty())
            order.matter = access::matter_id(TRY(ResultDesk(c.house.archive()).matter_of(*order.within)));
    }
    if (order.matter.empty()) return Error(Code::usage, "for which case is this?").with_hint("--matter ID");
    const Path list(c.call.paths.at(0));
    order.name = c.one("name").empty() ? list.filename().string() : c.one("name");
    TRY(check_label(order.name, true));
    const Bytes text = TRY(read_file(c.house.environment().fs, list, search::kMaxTermFile));
    order.terms = TRY(search::parse_term_list(as_text(text), c.german() ? search::Language::de : search::Language::en));
    return order;
}

void print_figures(const SourceCall& c, const std::string& name, const search::HitFigures& f) {
    c.out << f.hits << "\t" << f.family << "\t" << f.files << "\t" << f.unique << "\t" << plain_text(name) << "\n";
}

}  // namespace

bool is_hit_command(const std::string& name) {
    return name.rfind("hits ", 0) == 0;
}

Result<int> hit_command(House& house, const Call& call, const std::string& actor, Streams streams) {
    const SourceCall c{house, call, actor, streams.out};
    const HitReport report = TRY(house.report_hits(TRY(order_of(c))));
    if (call.json) {
        json j = json::parse(report.frame.json);
        j["entry"] = report.entry.value;
        j["files"] = report.files;
        j["sha256"] = sha256(as_bytes(report.frame.json)).hex();
        c.out << j.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
        return 0;
    }
    c.out << c.say("Treffer\tmit Familie\tDateien\tnur hier\tBegriff\n", "hits\twith family\tfiles\tonly here\tterm\n");
    for (const HitTerm& t : report.terms) {
        print_figures(c, t.term.name.empty() ? t.term.text : t.term.name + ": " + t.term.text, t.figures);
        if (const std::string left = unsearched_words(t, c.german()); !left.empty()) c.out << "\t" << left << "\n";
    }
    print_figures(c, c.say("alle zusammen", "all together"), report.total);
    if (report.restricted > 0)
        c.out << report.restricted
              << c.say(" der Treffer sind eingeschränkt (Art. 18 DSGVO)\n",
                       " of the hits are restricted (GDPR Art. 18)\n");
    c.out << c.say("vermerkt in Eintrag ", "noted in entry ") << report.entry.value << "\n";
    for (const std::string& file : report.files) c.out << file << "\n";
    return 0;
}

}  // namespace kustos::app
