#include "plaudit/core/metrics.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"

namespace plaudit {
namespace {

class MetricsTest : public testing::Test {
 protected:
  MetricsTest() : folder_(testing::TempDir() + "/plaudit_metrics." + std::to_string(::getpid())) {}
  ~MetricsTest() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ + "/metrics.jsonl"; }
  std::string events() const { return read_file(folder_ + "/events.out.tfevents.plaudit"); }

  // "stage:step=loss" of every line.
  std::vector<std::string> lines() const {
    std::vector<std::string> out;
    for (const auto& text : read_text_lines(path())) {
      const auto line = Json::parse(text);
      out.push_back(fmt::format("{}:{}={}", line["stage"].get<std::string>(), line["step"].get<int64_t>(),
                                line["loss"].dump()));
    }
    return out;
  }

  std::string folder_;
};

using Lines = std::vector<std::string>;

TEST_F(MetricsTest, LinesHoldStageStepTimeAndValues) {
  MetricsLog log(folder_);
  log.begin("00-train");
  log.log(1, {{"loss", 0.5}, {"kl", INFINITY}, {"margin", NAN}});
  const auto line = Json::parse(read_text_lines(path()).at(0));
  EXPECT_GT(line["time"].get<double>(), 1.7e9);
  EXPECT_EQ(line["kl"], "inf");
  EXPECT_EQ(line["margin"], "nan");
  EXPECT_EQ(lines(), (Lines{"00-train:1=0.5"}));
}

TEST_F(MetricsTest, ResumeReplacesWhatCameAfterTheCheckpoint) {
  {
    MetricsLog log(folder_);
    log.begin("00-label");
    log.log(9, {{"loss", 7.0}});
    log.begin("01-train");
    for (int64_t step = 1; step <= 5; ++step) log.log(step, {{"loss", 1.0}});
  }
  MetricsLog log(folder_);
  log.begin("01-train");
  log.log(4, {{"loss", 2.0}});
  log.log(4, {{"loss", 3.0}});  // two lines of one step, by this process: both stay
  log.log(5, {{"loss", 2.0}});
  EXPECT_EQ(lines(), (Lines{"00-label:9=7.0", "01-train:1=1.0", "01-train:2=1.0", "01-train:3=1.0",
                            "01-train:4=2.0", "01-train:4=3.0", "01-train:5=2.0"}));
}

TEST_F(MetricsTest, ResumedEventsEqualUninterruptedOnes) {
  {
    MetricsLog log(folder_);
    log.begin("a");
    for (int64_t step = 1; step <= 5; ++step) log.log(step, {{"loss", 1.0}});
  }
  const auto uninterrupted = events().size();
  {
    MetricsLog log(folder_);
    log.begin("a");
    for (int64_t step = 3; step <= 5; ++step) log.log(step, {{"loss", 1.0}});
  }
  EXPECT_EQ(events().size(), uninterrupted);
}

TEST_F(MetricsTest, ALineCutOffByAKillIsRemoved) {
  {
    MetricsLog log(folder_);
    log.begin("a");
    log.log(1, {{"loss", 1.0}});
  }
  std::ofstream(path(), std::ios::app) << R"({"stage": "a", "st)";
  MetricsLog log(folder_);
  log.begin("a");
  log.log(2, {{"loss", 1.0}});
  EXPECT_EQ(lines(), (Lines{"a:1=1.0", "a:2=1.0"}));
}

TEST_F(MetricsTest, AFileThatIsNoLogIsRefused) {
  create_folder(folder_);
  write_file_atomic(path(), "hello\n");
  EXPECT_THROW(MetricsLog{folder_}, UserError);
}

TEST_F(MetricsTest, AMetricCannotHideTheStep) {
  MetricsLog log(folder_);
  log.begin("a");
  EXPECT_THROW(log.log(1, {{"step", 1.0}}), BugError);
}

}  // namespace
}  // namespace plaudit
