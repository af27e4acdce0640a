#include "plaudit/feedback/calendar.h"

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/data/text.h"

namespace plaudit {
namespace {

using std::chrono::sys_days;
using std::chrono::year_month_day;

const Check calendar_check("verify.calendar");

[[noreturn]] void refuse(std::string_view message, std::string_view input) {
  calendar_check.refuse(ErrorKind::value, "input", fmt::format("{}, got '{}'", message, excerpt(input)));
}

bool read_number(std::string_view text, int64_t& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

sys_days read_date(std::string_view text) {
  text = strip(text);
  int64_t year = 0, month = 0, day = 0;
  const auto first = text.find('-'), second = text.find('-', first + 1);
  const bool read = first == 4 && second != std::string_view::npos && read_number(text.substr(0, 4), year) &&
                    read_number(text.substr(5, second - 5), month) &&
                    read_number(text.substr(second + 1), day);
  if (!read || year < 1 || month < 1 || month > 12 || day < 1 || day > 31)
    refuse("must hold a date YYYY-MM-DD", text);
  const year_month_day date{std::chrono::year(static_cast<int>(year)),
                            std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) refuse("must hold a date that exists", text);
  return date;
}

// The two arguments between which the comma stands.
std::pair<std::string_view, std::string_view> two_arguments(std::string_view input) {
  const auto comma = input.find(',');
  if (comma == std::string_view::npos) refuse("must hold two arguments with a comma between them", input);
  return {strip(input.substr(0, comma)), strip(input.substr(comma + 1))};
}

std::string week_day(std::string_view input) {
  constexpr const char* names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};
  return names[std::chrono::weekday(read_date(input)).c_encoding()];
}

std::string target_day(std::string_view input) {
  const auto [from, offset] = two_arguments(input);
  const auto start = read_date(from);
  int64_t days = 0;
  constexpr int64_t reach = 4'000'000;  // days in a little more than 9999 years
  if (!read_number(offset, days)) refuse("must hold a number of days behind the comma", input);
  const bool near = days >= -reach && days <= reach;
  const year_month_day date = start + std::chrono::days(near ? days : reach);
  if (static_cast<int>(date.year()) < 1 || static_cast<int>(date.year()) > 9999 || !date.ok())
    refuse("must lead to a year from 1 to 9999", input);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

std::string day_difference(std::string_view input) {
  const auto [a, b] = two_arguments(input);
  return std::to_string(std::abs((read_date(b) - read_date(a)).count()));
}

}  // namespace

std::string calendar_tool(const std::string& operation, std::string_view input) {
  calendar_check.choice("operation", operation, {"week_day", "target_day", "day_difference"});
  if (operation == "week_day") return week_day(input);
  return operation == "target_day" ? target_day(input) : day_difference(input);
}

PLAUDIT_FUNCTIONS(verify, m) {
  m.def(
      "calendar(str operation, str input) -> (str observation)",
      [](const std::string& operation, const std::string& input) { return calendar_tool(operation, input); },
      "The calendar tool: week_day, target_day, day_difference.", {"31"});
}

}  // namespace plaudit
