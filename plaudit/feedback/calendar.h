// The calendar tool: days of the week and distances between dates, proleptic Gregorian, years 1 to 9999.
//
// Source: Li et al., "Tool-Augmented Reward Modeling" (Themis), 2023, arXiv 2310.01045.
#pragma once

#include <string>
#include <string_view>

namespace plaudit {

// week_day "YYYY-MM-DD": the English day name. target_day "DATE, N": the date N days later, N may be
// negative. day_difference "D1, D2": the absolute number of days. Errors, all of kind value: an impossible
// date, a missing argument, an unknown operation, a result outside the years 1 to 9999.
std::string calendar_tool(const std::string& operation, std::string_view input);

}  // namespace plaudit
