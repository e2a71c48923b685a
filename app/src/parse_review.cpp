// The command line of a review: labels and codes of a matter.
#include "app/src/call_options.h"

namespace kustos::app {

namespace {

void choose(CLI::App* sub, Call& c) {
    sub->add_option("--matter", c.matter, "for which case");
    sub->add_option("--records", c.records_file, "a file with one record number a line");
    sub->add_option("--query", c.query, "what a search of the matter finds");
    sub->add_option("--entry,--record", c.given["record"], "a record's number; may repeat")->allow_extra_args(false);
    Options(sub, c).text("results", "a frozen result set, such as R15");
}

}  // namespace

void add_review(CLI::App& app, Call& c, const Chosen& chosen) {
    struct Action {
        const char *group, *name, *help, *what;
    };
    static constexpr Action kActions[] = {
        {"tag", "add", "put a label on records", "NAME"},
        {"tag", "remove", "take it off", "NAME"},
        {"tag", "list", "all of a matter, with counts", nullptr},
        {"code", "set", "decide on records: one value a group; another one takes its place", "GROUP=VALUE"},
        {"code", "clear", "take back what was decided", "GROUP"},
        {"code", "list", "all groups and values of a matter, with counts", nullptr},
    };
    auto* tag = app.add_subcommand("tag", "labels that a matter gives to records; tag:NAME finds them");
    auto* code = app.add_subcommand("code", "decisions of a matter's review; code:GROUP=VALUE finds them");
    for (auto* group : {tag, code}) group->require_subcommand(1);
    for (const Action& action : kActions) {
        const std::string group = action.group;
        auto* sub = (group == "tag" ? tag : code)->add_subcommand(action.name, action.help);
        if (action.what != nullptr) {
            sub->add_option(action.what, c.name)->required();
            choose(sub, c);
        } else {
            sub->add_option("--matter", c.matter, "for which case");
        }
        chosen(sub, group + " " + action.name);
    }
}

}  // namespace kustos::app
