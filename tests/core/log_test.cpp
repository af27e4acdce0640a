#include "plaudit/core/log.h"

#include <gtest/gtest.h>

namespace plaudit {
namespace {

std::string printed(void (*body)()) {
  ::testing::internal::CaptureStderr();
  body();
  return ::testing::internal::GetCapturedStderr();
}

TEST(Log, LinesNameTheProgram) {
  EXPECT_EQ(printed([] { say("hello"); }), "plaudit: hello\n");
  EXPECT_EQ(printed([] { warn("hot"); }), "plaudit: warning: hot\n");
}

TEST(Log, QuietHidesAllButWarnings) {
  EXPECT_EQ(printed([] {
              set_quiet(true);
              say("hello");
              set_live_line("50 %");
              warn("hot");
              set_quiet(false);
            }),
            "plaudit: warning: hot\n");
}

TEST(Log, ALiveLineNeedsATerminal) {
  EXPECT_EQ(printed([] {
              if (!has_live_line()) set_live_line("50 %");
              say("done");
            }),
            "plaudit: done\n");
}

}  // namespace
}  // namespace plaudit
