// HTML by concatenation: whatever comes from outside goes through escape_html().
#pragma once

#include <string>
#include <string_view>

#include "web/service.h"

namespace kustos::web {

std::string when(UtcTime time);  // 2026-03-02 10:00 UTC
std::string url_encode(std::string_view text);

struct PageContext {
    Language language = Language::german;
    std::string actor;       // empty: not logged in
    std::string form_token;  // against cross-site posts
};

// "deutsch" or "english", by language.
inline std::string_view say(Language language, std::string_view german, std::string_view english) {
    return language == Language::german ? german : english;
}

std::string page(const PageContext& context, std::string_view title, std::string_view body);
std::string login_page(const PageContext& context, bool failed);
std::string status_page(const PageContext& context, const StatusReport& status);
struct SearchForm {
    std::string matter, query, sort = "date";
    std::uint64_t offset = 0;
    bool figures = false;
};
std::string search_page(const PageContext& context, const std::vector<MatterReport>& matters, const SearchForm& form,
                        const SearchReport* result, const Error* problem);
// How the hits divide over months and participants; empty: nothing was counted.
std::string figures_section(Language language, const SearchReport& report);
// around: the messages around it, where they were asked for; null: nothing was, and the page offers it.
std::string record_page(const PageContext& context, const RecordReport& record, const std::string& matter,
                        const Result<ContextReport>* around);
std::string context_section(Language language, const ContextReport& report, const std::string& matter);
std::string verify_page(const PageContext& context, const audit::Report* report);
std::string error_page(const PageContext& context, const Error& error);
std::string_view style_sheet();

}  // namespace kustos::web
