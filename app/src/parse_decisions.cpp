// The command line of retention, holds and dispositions.
#include "app/src/call_options.h"

namespace kustos::app {

namespace {

void add_retention(CLI::App& app, Call& c, const Chosen& chosen) {
    auto* retention = app.add_subcommand("retention", "how long what is kept")->require_subcommand(1);
    const auto add = [&](const std::string& name, const char* help) {
        auto* sub = retention->add_subcommand(name, help);
        chosen(sub, "retention " + name);
        return Options(sub, c);
    };
    add("class", "all classes; with --name, a new one or a new version")
        .text("name", "readable in the ledger: no personal data")
        .text("code", "100 and up; without it, the next free one")
        .text("period", "10y, 18m or 0")
        .text("start", "created | process_end | relation_end")
        .text("counted", "year_end | day")
        .text("basis", "the law, readable in the ledger")
        .text("office", "who is responsible, readable in the ledger")
        .text("at-end", "erase | offer: to the public archive first")
        .list("approver", "who approved it");
    auto* assign = retention->add_subcommand("assign", "which class new records get: the first rule that fits");
    assign->add_option("--source", c.source);
    assign->add_option("--kind", c.kind, "mail, chat, ...");
    chosen(assign, "retention assign");
    Options(assign, c)
        .text("class", "of a new rule")
        .text("participant", "an address or id; sealed")
        .text("conversation", "an id; sealed")
        .text("place", "of the new rule; without it, the last")
        .text("remove", "the number of a rule");
    add("reclassify", "another class for records that are there")
        .scope()
        .text("class", "", true)
        .text("reason", "", true);
    add("mark", "record-relevant: belongs into the file")
        .scope()
        .text("class", "", true)
        .text("file-reference", "Aktenzeichen", true)
        .text("plan", "place in the file plan")
        .list("question", "1 why, 2 who and when, 3 options, 4 decision: answered by yes");
    add("event", "when a period starts")
        .scope()
        .text("event", "created | process_end | relation_end", true)
        .text("date", "without it, today")
        .text("reason", "", true);
    auto* plan = retention->add_subcommand("plan", "what is kept until when, and why");
    plan->add_option("--out", c.out, "a .csv or .jsonl file");
    plan->add_option("--limit", c.limit)->capture_default_str()->check(CLI::Range(1, 1'000'000));
    chosen(plan, "retention plan");
    Options(plan, c).records().text("class", "").text("outcome", "due, held, ...: list these");
}

void add_holds(CLI::App& app, Call& c, const Chosen& chosen) {
    auto* hold = app.add_subcommand("hold", "nothing of this is destroyed")->require_subcommand(1);
    const auto add = [&](const std::string& name, const char* help) {
        auto* sub = hold->add_subcommand(name, help);
        chosen(sub, "hold " + name);
        return Options(sub, c);
    };
    const auto scope = [](Options options) {
        options.scope()
            .flag("all-of-matter", "what was found, opened or exported for --matter")
            .flag("frozen", "the list of now; without it, what comes later belongs to it")
            .text("reason", "", true);
    };
    scope(add("add", "set one"));
    scope(add("change", "another scope").number("hold", "NUMBER"));
    add("list", "all holds");
    add("check", "which holds cover these records now; --hold: what one could not search")
        .records()
        .text("hold", "a hold's number");
    add("decide", "on what could not be searched")
        .number("hold", "NUMBER")
        .records()
        .flag("held", "it is covered")
        .flag("not-held", "it is not")
        .text("reason", "", true);
    add("release", "end one; deletes nothing").number("hold", "NUMBER").text("reason", "", true);

    auto* restrict = app.add_subcommand("restrict", "GDPR Art. 18: opened for one named matter only, and kept");
    chosen(restrict, "restrict");
    Options(restrict, c)
        .scope()
        .flag("no-purpose", "opened for no matter at all")
        .text("reason", "")
        .text("lift", "the number of a restriction")
        .flag("list", "all of them");
}

}  // namespace

void add_decisions(CLI::App& app, Call& c, const Chosen& chosen) {
    add_retention(app, c, chosen);
    add_holds(app, c, chosen);
    auto* disposition =
        app.add_subcommand("disposition", "lists of what is due, released by two people")->require_subcommand(1);
    const auto add = [&](const std::string& name, const char* help) {
        auto* sub = disposition->add_subcommand(name, help);
        chosen(sub, "disposition " + name);
        return sub;
    };
    auto* list = add("list", "make a list of what is due");
    list->add_option("--out", c.out, "a .csv or .jsonl file with the reasons");
    Options(list, c).text("class", "").text("year", "in which the period's last day lies");
    auto* show = add("show", "all lists, or what stands on one");
    show->add_option("--out", c.out, "a .csv or .jsonl file with the reasons");
    show->add_option("--limit", c.limit)->capture_default_str()->check(CLI::Range(1, 1'000'000));
    Options(show, c).text("list", "its number");
    Options(add("review", "take records out"), c).text("list", "", true).records().text("reason", "", true);
    Options(add("offer", "it was offered to the public archive"), c)
        .text("list", "", true)
        .text("date", "")
        .text("reason", "");
    Options(add("answer", "the public archive's answer"), c)
        .text("list", "", true)
        .text("answer", "taken | declined | unanswered", true)
        .text("date", "")
        .text("reason", "");
    Options(add("release", "destroy the keys of what is still due"), c)
        .text("list", "", true)
        .list("approver", "two people");
}

}  // namespace kustos::app
