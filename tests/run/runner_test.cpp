#include "plaudit/run/runner.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "plaudit/core/files.h"
#include "tests/run/toy_stages.h"

namespace plaudit {

template <>
void describe(OptionTable<run::CountOptions>& t) {
  t.field("to", &run::CountOptions::to, "last number", at_least(1));
  t.field("fail", &run::CountOptions::fail, "break off at the end");
}

template <>
void describe(OptionTable<run::TotalOptions>& t) {
  t.field("scale", &run::TotalOptions::scale, "factor", greater_than(0));
}

namespace run {

int& count_runs() {
  static int runs = 0;
  return runs;
}

template <>
struct ArtefactIo<std::vector<int64_t>> {
  static void save(const std::vector<int64_t>& value, const std::string& folder) {
    write_file_atomic(folder + "/numbers.json", Json(value).dump());
  }
  static std::vector<int64_t> load(const std::string& folder) {
    return Json::parse(read_file(folder + "/numbers.json")).get<std::vector<int64_t>>();
  }
};

namespace {

void run_count(RunContext& context, const CountOptions& options) {
  ++count_runs();
  std::vector<int64_t> numbers;
  for (int64_t i = 1; i <= options.to; ++i) numbers.push_back(i);
  context.log(1, {{"numbers", static_cast<double>(options.to)}});
  context.put("numbers", numbers);
  if (options.fail) fail(ErrorKind::value, "count", "was told to fail");
}

void run_total(RunContext& context, const TotalOptions& options) {
  double sum = 0;
  for (const auto n : context.get<std::vector<int64_t>>("numbers")) sum += static_cast<double>(n);
  context.metric("total", sum * options.scale);
  context.metric("noise", context.rng("x").uniform());
  context.rejected("odd", 2);
  context.report().heading("Totals");
}

PLAUDIT_STAGE(count, "Counts.", CountOptions, run_count)
PLAUDIT_STAGE(total, "Sums.", TotalOptions, run_total)

class RunnerTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "plaudit-runner-" + std::to_string(getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Recipe recipe(const std::string& text, const std::vector<std::string>& settings = {}) {
    std::ofstream(folder_ + "/recipe.yaml") << text;
    return load_recipe(folder_ + "/recipe.yaml", settings);
  }
  RunResult run(const Recipe& r, const std::string& name = "run") {
    return run_recipe(r, {folder_ + "/" + name, true});
  }

  std::string folder_;
};

TEST_F(RunnerTest, StagesPassArtefactsAndReportFigures) {
  const auto r = recipe("{seed: 3, stages: [{count: {to: 4}}, {total: {scale: 0.5}}]}");
  const auto result = run(r);
  EXPECT_EQ(result.summary["metrics"]["total"]["value"], 5.0);
  EXPECT_EQ(result.summary["rejected"]["odd"], 2);
  EXPECT_GT(result.summary["peak_mib"].get<double>(), 1);
  EXPECT_NE(read_file(result.folder + "/report.html").find("<h2>Totals</h2>"), std::string::npos);
  EXPECT_EQ(Json::parse(read_file(result.folder + "/metrics.jsonl"))["numbers"], 4.0);
}

TEST_F(RunnerTest, AnUnfinishedRunContinuesAfterItsLastFinishedStage) {
  const auto broken = recipe("{stages: [{count: {to: 4}}, {count: {fail: true}}, {total: {}}]}");
  const int before = count_runs();
  EXPECT_THROW(run(broken), UserError);
  EXPECT_EQ(count_runs(), before + 2);
  EXPECT_THROW(run(broken), UserError);
  EXPECT_EQ(count_runs(), before + 3);  // only the second stage ran again
}

TEST_F(RunnerTest, AFinishedRunIsNotRepeatedAndKeepsItsFigures) {
  const auto r = recipe("{stages: [{count: {}}, {total: {}}]}");
  const auto first = run(r).summary;
  const int before = count_runs();
  const auto second = run(r).summary;
  EXPECT_EQ(count_runs(), before);
  EXPECT_EQ(first["metrics"], second["metrics"]);
}

TEST_F(RunnerTest, AFolderOfAnotherRecipeIsRefusedByTheKeyThatDiffers) {
  run(recipe("{stages: [{count: {}}, {total: {}}]}"));
  try {
    run(recipe("{stages: [{count: {}}, {total: {scale: 2}}]}"));
    FAIL();
  } catch (const UserError& error) {
    EXPECT_NE(message_of(error).find("differ at 'stages[1].total.scale'"), std::string::npos)
        << message_of(error);
  }
}

TEST_F(RunnerTest, StreamsDependOnTheSeedAlone) {
  const auto noise = [&](const std::string& name, const std::string& seed) {
    return run(recipe("{stages: [{count: {}}, {total: {}}]}", {"seed=" + seed}), name)
        .summary["metrics"]["noise"]["value"];
  };
  EXPECT_EQ(noise("a", "1"), noise("b", "1"));
  EXPECT_NE(noise("c", "1"), noise("d", "2"));
}

TEST_F(RunnerTest, AMissingArtefactIsNamed) {
  try {
    run(recipe("{stages: [{total: {}}]}"));
    FAIL();
  } catch (const UserError& error) {
    EXPECT_EQ(message_of(error),
              "01-total: needs the artefact 'numbers', and no earlier stage of the recipe made it");
  }
}

}  // namespace
}  // namespace run
}  // namespace plaudit
