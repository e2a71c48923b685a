// A decision of the planner in words, German or English, for people. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vault/retention_plan.h"

namespace kustos::vault {

enum class Words : std::uint8_t { english, german };

std::string_view outcome_name(Outcome outcome);  // "kept", "due", ...: for programs
std::string_view start_name(Start start);        // "created", "process_end", "relation_end"
std::string_view counted_name(Counted counted);  // "day", "year_end"
std::string_view at_end_name(AtEnd at_end);      // "erase", "offer"
std::string_view answer_name(Listed::Answer answer);
std::optional<Start> parse_start(std::string_view name);
std::optional<Counted> parse_counted(std::string_view name);
std::optional<AtEnd> parse_at_end(std::string_view name);
std::optional<Listed::Answer> parse_answer(std::string_view name);

std::string outcome_text(Outcome outcome, Words words);
std::string period_text(std::uint32_t months, Words words);  // "10 years", "18 Monate"
// "6y", "18m", "0": Code::usage for anything else, and above kMaxPeriodMonths.
Result<std::uint32_t> parse_period(std::string_view text);

std::string reason_text(const PlanStep& reason, const ClassBook& classes, Words words);
// One sentence for each reason, in order.
std::vector<std::string> explain(const Decision& decision, const ClassBook& classes, Words words);

}  // namespace kustos::vault
