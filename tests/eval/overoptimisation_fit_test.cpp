#include "plaudit/eval/overoptimisation_fit.h"

#include "plaudit/eval/jaccard.h"
#include "plaudit/eval/pair_consistency.h"
#include "plaudit/eval/program_progress.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(OveroptimisationFit, RecoversTheLawFromItsPoints) {
  for_draws(100, [] {
    const double alpha = normal({}).item<double>(), beta = normal({}).item<double>();
    const auto kl = at::cat({at::zeros({1}, at::kDouble), uniform({6}, 0.1, 5)});
    const auto d = kl.sqrt();
    const auto best_of_n = overoptimisation_fit(kl, d * (alpha - beta * d));
    EXPECT_NEAR(best_of_n.alpha.item<double>(), alpha, 1e-8);
    EXPECT_NEAR(best_of_n.beta.item<double>(), beta, 1e-8);
    const auto gold = d * (alpha - beta * d.clamp_min(1e-300).log());
    const auto rl = overoptimisation_fit(kl, gold, "rl");
    EXPECT_NEAR(rl.alpha.item<double>(), alpha, 1e-8);
    expect_close(rl.predicted, gold.slice(0, 1), 1e-8);
  });
  const auto x = at::tensor({0.0, 1.0}, at::kDouble);
  expect_error(ErrorKind::empty, "kl", [&] { overoptimisation_fit(x, x); });
  expect_error(ErrorKind::value, "kl", [&] { overoptimisation_fit(-x, x); });
  expect_error(ErrorKind::value, "kind", [&] { overoptimisation_fit(x + 1, x, "ppo"); });
}

TEST(ContrastConsistency, TransposingExchangesTheTwoConsistencies) {
  for_draws(200, [] {
    const auto scores = at::randint(0, 4, {6, 2, 2}, at::kDouble);
    const auto r = contrast_consistency(scores), t = contrast_consistency(scores.transpose(1, 2));
    expect_close(r.response_consistency, t.instruction_consistency);
    expect_close(r.joint, t.joint);
    EXPECT_LE(r.joint.item<double>(), r.response_consistency.item<double>());
  });
}

TEST(ToolPreferenceAccuracy, NeverReadsAFailedScore) {
  const auto score = at::tensor({1.0, NAN, 2.0}, at::kDouble), zero = at::zeros({3}, at::kDouble);
  const auto ok = at::tensor({1, 0, 1}, at::kLong);
  const auto r = tool_preference_accuracy(score, zero, ok, at::ones({3}));
  EXPECT_NEAR(r.accuracy.item<double>(), 2.0 / 3, 1e-12);
  EXPECT_EQ(r.failed.item<int64_t>(), 1);
  expect_error(ErrorKind::nan, "positive_scores",
               [&] { tool_preference_accuracy(score, zero, zero + 1, ok); });
}

TEST(Jaccard, StepsAgreeWithSets) {
  for_draws(200, [] {
    const int64_t length = integer(1, 12);
    const int64_t a = integer(0, length), b = integer(0, length);
    const auto frames = at::arange(length);
    const auto r = step_jaccard({a}, {b}, length);
    expect_close(r.per_step[0], jaccard(frames.lt(a), frames.lt(b)));
    expect_close(r.per_step[1], jaccard(frames.ge(a), frames.ge(b)));
  });
  expect_error(ErrorKind::value, "splits", [] { step_jaccard({3, 2}, {1, 2}, 5); });
  expect_error(ErrorKind::value, "target_splits", [] { step_jaccard({3}, {6}, 5); });
}

TEST(ComponentTrace, ThinsToFewerThanTwicePointsAndKeepsTheExtremes) {
  for_draws(100, [] {
    const auto values = normal({integer(1, 60)});
    const auto r = component_trace(values);
    EXPECT_LE(r.samples.numel(), 19);
    EXPECT_EQ(r.samples[0].item<double>(), values[0].item<double>());
    EXPECT_EQ(r.max.item<double>(), values.max().item<double>());
  });
  expect_error(ErrorKind::value, "points", [] { component_trace(at::ones({2}), 0); });
  expect_error(ErrorKind::empty, "metric", [] { reward_task_score(at::zeros({0, 2})); });
}

}  // namespace
}  // namespace plaudit
