// What parse_call.cpp and the pieces of it have in common. These files alone know CLI11, which takes long to compile.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <string>

#include "app/call.h"

namespace kustos::app {

using Chosen = std::function<void(CLI::App*, const std::string&)>;

// Options that land in Call::given.
class Options {
public:
    Options(CLI::App* sub, Call& call) : sub_(sub), call_(call) {}
    Options& text(const std::string& name, const std::string& help, bool required = false) {
        auto* option = sub_->add_option("--" + name, call_.given[name], help)->expected(1)->allow_extra_args(false);
        if (required) option->required();
        return *this;
    }
    // Its absolute path: the server may be the one that reads it.
    Options& file(const std::string& name, const std::string& help) {
        sub_->add_option("--" + name, call_.given[name], help)
            ->expected(1)
            ->allow_extra_args(false)
            ->transform([](const std::string& path) {
                std::error_code ignored;
                return std::filesystem::absolute(path, ignored).string();
            });
        return *this;
    }
    Options& list(const std::string& name, const std::string& help) {
        sub_->add_option("--" + name, call_.given[name], help + "; may repeat")->allow_extra_args(false);
        return *this;
    }
    Options& flag(const std::string& name, const std::string& help) {
        auto& given = call_.given[name];
        sub_->add_flag_callback(
            "--" + name, [&given] { given = {"yes"}; }, help);
        return *this;
    }
    Options& number(const std::string& name, const std::string& what) {
        sub_->add_option(what, call_.given[name])->required()->expected(1);
        return *this;
    }
    Options& records() {
        sub_->add_option("--records", call_.records_file, "a file with one record number a line");
        return list("record", "a record's number");
    }
    Options& scope() {
        records();
        sub_->add_option("--query", call_.query, "what a search finds");
        sub_->add_option("--matter", call_.matter, "for which case");
        return text("person", "sender or recipient: a name or an address")
            .text("conversation", "its title or id")
            .text("from", "first day")
            .text("to", "last day");
    }

private:
    CLI::App* sub_;
    Call& call_;
};

// Each adds its commands.
void add_decisions(CLI::App& app, Call& c, const Chosen& chosen);  // retention, holds, dispositions
void add_review(CLI::App& app, Call& c, const Chosen& chosen);     // labels and codes of a matter

}  // namespace kustos::app
