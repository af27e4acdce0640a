#include "plaudit/core/interrupt.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace plaudit {
namespace {

TEST(Interrupt, FirstSignalSetsTheFlag) {
  const InterruptGuard guard;
  EXPECT_FALSE(interrupt_requested());
  raise(SIGINT);
  EXPECT_TRUE(interrupt_requested());
}

TEST(Interrupt, TerminationCountsToo) {
  const InterruptGuard guard;
  raise(SIGTERM);
  EXPECT_TRUE(interrupt_requested());
}

TEST(Interrupt, RequestsEndWithTheGuard) {
  {
    const InterruptGuard guard;
    request_interrupt();
    EXPECT_TRUE(interrupt_requested());
  }
  EXPECT_FALSE(interrupt_requested());
}

TEST(InterruptDeathTest, SecondSignalStopsAtOnce) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const InterruptGuard guard;
        raise(SIGINT);
        raise(SIGINT);
      },
      testing::ExitedWithCode(130), "finishing this step; again to stop at once\n\nplaudit: stopped");
}

}  // namespace
}  // namespace plaudit
