#include "plaudit/claim/runner.h"

#include <atomic>
#include <filesystem>

#include "plaudit/claim/claim_report.h"
#include "plaudit/core/files.h"
#include "plaudit/run/stage.h"
#include "tests/support/files.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using ::testing::ElementsAre;
using testing::expect_error;
using ::testing::HasSubstr;

std::atomic<int> prepared_runs = 0, measured_runs = 0;

struct ToyPrepareOptions {
  double base = 1;
};
struct ToyMeasureOptions {
  double add = 0;
  bool refuse = false;
};

}  // namespace

template <>
void describe(OptionTable<ToyPrepareOptions>& t) {
  t.field("base", &ToyPrepareOptions::base, "a number");
}
template <>
void describe(OptionTable<ToyMeasureOptions>& t) {
  t.field("add", &ToyMeasureOptions::add, "a number");
  t.field("refuse", &ToyMeasureOptions::refuse, "fail");
}

namespace {

PLAUDIT_STAGE(toy_prepare, ToyPrepareOptions,
              {.doc = "Makes a number of base and seed.",
               .writes = {"toy"},
               .run = [](const ToyPrepareOptions& o, RunContext& context) {
                 ++prepared_runs;
                 context.put("toy", Json(o.base + context.rng().uniform()));
               }});
PLAUDIT_STAGE(toy_measure, ToyMeasureOptions,
              {.doc = "Measures it.",
               .reads = {"toy"},
               .run = [](const ToyMeasureOptions& o, RunContext& context) {
                 ++measured_runs;
                 if (o.refuse) fail(ErrorKind::value, "toy", "refuses");
                 const double toy = context.get<Json>("toy").get<double>();
                 context.summary().metric("score", toy + o.add);
                 for (int i = 0; i < 3; ++i) context.summary().metric(fmt::format("curve@{}", i), i + o.add);
               }});

const std::string toy = R"yaml(claim: "7"
title: a toy
seeds: [0, 1, 2]
parameters:
  add: {doc: a number, default: 0.0}
  refuse: {doc: fail, default: false}
prepare:
  - toy_prepare: {base: 1}
stages:
  - toy_measure: {add: "${add}", refuse: "${refuse}"}
variants:
  plain: {}
  more: {add: 0.5}
metrics: {score: a score, curve: a curve}
bars:
  - {name: more is more, value: "{more score} - {plain score}", at_least: 0.4, must_miss: {more: plain}}
  - {name: rises, value: "differences({more curve@*})", above: 0}
plots: [{x: curve@*, y: curve@*}, {y: score}]
)yaml";

Claim toy_claim(const std::vector<std::string>& changes = {}) {
  return load_claim_text(toy, "claims/7-toy.yaml", changes);
}

TEST(ClaimRunner, SharesWhatIsPreparedAndKeepsSeedsApart) {
  prepared_runs = measured_runs = 0;
  const auto claim = toy_claim();
  const auto run = run_claim(claim, {.seeds = {}, .jobs = 2, .folder = ""});
  EXPECT_EQ(prepared_runs, 3);
  EXPECT_EQ(measured_runs, 6);
  const auto& plain = run.variants.at("plain");
  ASSERT_EQ(plain.size(), 3u);
  EXPECT_NE(plain[0].values("score"), plain[1].values("score"));
  EXPECT_THAT(run.variants.at("more")[0].values("curve@*"), ElementsAre(0.5, 1.5, 2.5));
  EXPECT_EQ(run.cpu_seconds.size(), 3u);
}

// The numbers depend neither on how many run side by side nor on which seeds are run beside them.
TEST(ClaimRunner, OneJobGivesTheSameNumbers) {
  const auto claim = toy_claim();
  const auto two = run_claim(claim, {.seeds = {0, 2}, .jobs = 2, .folder = ""});
  const auto one = run_claim(claim, {.seeds = {2}, .jobs = 1, .folder = ""});
  EXPECT_EQ(two.variants.at("more")[1].metrics, one.variants.at("more")[0].metrics);
}

TEST(ClaimRunner, FinishedRunsAreNotRepeated) {
  const testing::TemporaryFolder folder;
  const ClaimRunOptions options{.seeds = {0, 1}, .jobs = 1, .folder = folder / "toy"};
  const auto first = run_claim(toy_claim(), options);
  measured_runs = prepared_runs = 0;
  const auto again = run_claim(toy_claim(), options);
  EXPECT_EQ(measured_runs, 0);
  EXPECT_EQ(prepared_runs, 0);
  EXPECT_TRUE(again.variants.at("more")[1].reused);
  EXPECT_EQ(first.variants.at("more")[1].metrics, again.variants.at("more")[1].metrics);

  // One result is lost, one is damaged: these two alone are run again.
  std::filesystem::remove(folder / "toy/results/more-seed-1.json");
  testing::write_bytes(folder / "toy/results/plain-seed-0.json", "{");
  run_claim(toy_claim(), options);
  EXPECT_EQ(measured_runs, 2);

  // Another claim of that name.
  measured_runs = 0;
  run_claim(toy_claim({"add=0.1"}), options);
  EXPECT_EQ(measured_runs, 4);
}

TEST(ClaimRunner, ErrorsNameVariantAndSeed) {
  expect_error(ErrorKind::value, "variant plain, seed 0: toy: refuses",
               [] { run_claim(toy_claim({"refuse=true"}), {.seeds = {0}, .jobs = 1, .folder = ""}); });
}

TEST(ClaimVerdict, JudgesBarsAndControls) {
  const auto claim = toy_claim();
  const auto run = run_claim(claim, {.seeds = {0, 1}, .jobs = 1, .folder = ""});
  const auto bars = judge(claim, run);
  ASSERT_EQ(bars.size(), 3u);
  EXPECT_TRUE(bars[0].pass);
  EXPECT_NEAR(bars[0].value, 0.5, 1e-12);
  EXPECT_EQ(bars[0].values.size(), 2u);
  EXPECT_TRUE(bars[1].control);
  EXPECT_TRUE(bars[1].pass);
  EXPECT_EQ(bars[1].compare, "<");
  EXPECT_NEAR(bars[1].value, 0, 1e-12);
  EXPECT_THAT(bars[2].values, ElementsAre(1, 1, 1, 1));
  EXPECT_TRUE(all_pass(bars));
}

TEST(ClaimVerdict, AMissedBarAndAControlThatPassesFail) {
  auto claim = toy_claim();
  const auto run = run_claim(claim, {.seeds = {0}, .jobs = 1, .folder = ""});
  claim.bars[0].bound = 0.6;
  auto bars = judge(claim, run);
  EXPECT_FALSE(bars[0].pass);
  EXPECT_FALSE(all_pass(bars));
  claim.bars[0].bound = -0.1;  // even the control meets it
  bars = judge(claim, run);
  EXPECT_TRUE(bars[0].pass);
  EXPECT_FALSE(bars[1].pass);
}

TEST(ClaimVerdict, AControlMustMissAtEverySeed) {
  auto claim = toy_claim();
  auto run = run_claim(claim, {.seeds = {0, 1}, .jobs = 1, .folder = ""});
  EXPECT_TRUE(judge(claim, run)[1].pass);
  for (auto& [name, value] : run.variants.at("plain")[1].metrics) value += 1;
  claim.bars[0].value = ClaimFormula("{more score}");
  claim.bars[0].bound = 2;
  const auto bars = judge(claim, run);
  EXPECT_FALSE(bars[1].pass);  // seed 0 misses, seed 1 does not
  EXPECT_GE(bars[1].value, 2);
}

TEST(ClaimVerdict, NaNMeetsNoBar) {
  const auto claim = toy_claim();
  auto run = run_claim(claim, {.seeds = {0}, .jobs = 1, .folder = ""});
  for (auto& [name, value] : run.variants.at("plain")[0].metrics) value = NAN;
  const auto bars = judge(claim, run);
  EXPECT_FALSE(bars[0].pass);
  EXPECT_FALSE(bars[1].pass);
}

TEST(ClaimVerdict, NamesAMetricThatWasNotMeasured) {
  auto claim = toy_claim();
  auto run = run_claim(claim, {.seeds = {0}, .jobs = 1, .folder = ""});
  run.variants.at("more")[0].metrics[0].first = "scores";
  expect_error(ErrorKind::value, "variant 'more' measured no 'score'", [&] { judge(claim, run); });
}

TEST(ClaimVerdict, TheTimeLimitIsABar) {
  auto claim = toy_claim();
  auto run = run_claim(claim, {.seeds = {0}, .jobs = 1, .folder = ""});
  claim.seconds_per_seed = 10;
  EXPECT_TRUE(judge(claim, run).back().pass);
  run.cpu_seconds[0] = 11;
  EXPECT_FALSE(judge(claim, run).back().pass);
}

TEST(ClaimVerdict, BarsForSomeNumbersOfSeeds) {
  auto claim = toy_claim();
  claim.bars[0].min_seeds = 2;
  claim.bars[1].max_seeds = 1;
  const auto one = run_claim(claim, {.seeds = {0}, .jobs = 1, .folder = ""});
  const auto two = run_claim(claim, {.seeds = {0, 1}, .jobs = 1, .folder = ""});
  EXPECT_EQ(judge(claim, one).size(), 1u);
  EXPECT_EQ(judge(claim, two).size(), 2u);
}

TEST(ClaimReport, WritesJsonTablesAndPlots) {
  const testing::TemporaryFolder folder;
  const auto claim = toy_claim();
  const auto run = run_claim(claim, {.seeds = {0, 1}, .jobs = 1, .folder = ""});
  const auto bars = judge(claim, run);
  write_claim_report(folder / "toy", claim, run, bars);
  const auto json = read_json(folder / "toy/result.json");
  EXPECT_EQ(json["claim"], "7");
  EXPECT_EQ(json["verdict"], "pass");
  EXPECT_EQ(json["seeds"], Json({0, 1}));
  EXPECT_EQ(json["bars"][0]["compare"], ">=");
  EXPECT_EQ(json["bars"][0]["bound"], 0.4);
  EXPECT_TRUE(json["bars"][0]["pass"].get<bool>());
  EXPECT_EQ(json["variants"]["more"]["score"]["values"].size(), 2u);
  EXPECT_THAT(read_file(folder / "toy/table.md"), HasSubstr("| more |"));
  EXPECT_THAT(read_file(folder / "toy/table.txt"), HasSubstr("PASS     more is more"));
  EXPECT_THAT(read_file(folder / "toy/plot-1.svg"), HasSubstr("class=\"band\""));
  EXPECT_THAT(read_file(folder / "toy/plot-2.svg"), HasSubstr("more"));
}

}  // namespace
}  // namespace plaudit
