#include "plaudit/core/progress.h"

#include <gtest/gtest.h>

namespace plaudit {
namespace {

TEST(Progress, ClockText) {
  EXPECT_EQ(clock_text(0.2), "0:00");
  EXPECT_EQ(clock_text(59.6), "1:00");
  EXPECT_EQ(clock_text(754), "12:34");
  EXPECT_EQ(clock_text(3723), "1:02:03");
}

TEST(Progress, BarLineFillsItsShareAndFits) {
  const ProgressState half{"train", 0, 20, 40, 10};
  EXPECT_EQ(progress_bar_line(half, 60), "train [=============>             ] 20/40  2.0/s  0:10 left");
  for (int columns = 1; columns < 120; ++columns)
    EXPECT_LT(progress_bar_line(half, columns).size(), static_cast<size_t>(columns)) << columns;
  EXPECT_EQ(progress_bar_line(half, 36).find('['), std::string::npos);
}

TEST(Progress, SlowWorkIsTimedPerItem) {
  EXPECT_EQ(progress_plain_line({"label", 0, 5, 10, 20}), "label 5/10 (50 %), 4.0 s each, 0:20 left");
}

TEST(Progress, UnknownTotalHasNoBarAndNoTimeLeft) {
  EXPECT_EQ(progress_bar_line({"read", 0, 500, 0, 2}, 80), "read 500  250/s");
  EXPECT_EQ(progress_plain_line({"read", 0, 500, 0, 2}), "read 500, 250/s");
}

TEST(Progress, ResumedWorkDoesNotCountWhatWasDoneBefore) {
  EXPECT_EQ(progress_plain_line({"train", 90, 95, 100, 5}), "train 95/100 (95 %), 1.0/s, 0:05 left");
}

// Records what is shown, under a clock that the test moves.
struct Recorder {
  double time = 0;
  std::vector<std::string> lines, live_lines;
  Progress::Output output(bool live) {
    return {live, 80, [this](const std::string& text) { lines.push_back(text); },
            [this](const std::string& text) { live_lines.push_back(text); }, [this] { return time; }};
  }
};

TEST(Progress, PlainLinesComeEveryFewSeconds) {
  Recorder recorder;
  {
    Progress progress("train", recorder.output(false));
    for (int64_t done = 0; done <= 24; ++done) {
      progress.update(done, 24);
      recorder.time += 0.5;
    }
  }
  EXPECT_EQ(recorder.lines,
            (std::vector<std::string>{"train 10/24 (41 %), 2.0/s, 0:07 left",
                                      "train 20/24 (83 %), 2.0/s, 0:02 left", "train 24/24 in 0:13"}));
  EXPECT_TRUE(recorder.live_lines.empty());
}

TEST(Progress, LiveLineIsRewrittenOftenAndRemovedAtTheEnd) {
  Recorder recorder;
  Progress progress("train", recorder.output(true));
  for (int64_t done = 0; done <= 100; ++done) {
    progress.update(done, 100);
    recorder.time += 0.01;
  }
  progress.finish();
  EXPECT_GE(recorder.live_lines.size(), 9u);
  EXPECT_LE(recorder.live_lines.size(), 12u);
  EXPECT_EQ(recorder.live_lines.back(), "");
  EXPECT_EQ(recorder.lines, (std::vector<std::string>{"train 100/100 in 0:01"}));
}

TEST(Progress, WorkThatNeverBeganSaysNothing) {
  Recorder recorder;
  { Progress progress("train", recorder.output(false)); }
  EXPECT_TRUE(recorder.lines.empty());
}

}  // namespace
}  // namespace plaudit
