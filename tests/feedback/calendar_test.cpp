#include "plaudit/feedback/calendar.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using testing::expect_error;

TEST(Calendar, GoingForthAndBackIsTheSameDay) {
  testing::for_draws(300, [] {
    const auto n = testing::integer(-700000, 700000);
    const auto there = calendar_tool("target_day", "2000-02-29, " + std::to_string(n));
    EXPECT_EQ(calendar_tool("target_day", there + ", " + std::to_string(-n)), "2000-02-29");
    EXPECT_EQ(calendar_tool("day_difference", there + ", 2000-02-29"), std::to_string(std::abs(n)));
  });
}

TEST(Calendar, RefusesWhatIsNoDate) {
  for (const char* date :
       {"1900-02-29", "2001-13-01", "2001-00-10", "0000-01-01", "99-01-01", "", "2001-1", "2001-01-01x"})
    expect_error(ErrorKind::value, "input", [&] { calendar_tool("week_day", date); });
  expect_error(ErrorKind::value, "input", [] { calendar_tool("target_day", "2001-01-01"); });
  expect_error(ErrorKind::value, "input",
               [] { calendar_tool("target_day", "2001-01-01, 99999999999999999999"); });
  expect_error(ErrorKind::value, "input", [] { calendar_tool("target_day", "9999-12-31, 1"); });
  expect_error(ErrorKind::value, "operation", [] { calendar_tool("week", "2001-01-01"); });
}

}  // namespace
}  // namespace plaudit
