#include "plaudit/eval/best_of_n.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "plaudit/core/errors.h"
#include "plaudit/core/rng.h"

namespace plaudit::eval {
namespace {

// Expected gold over all n-subsets, by listing them.
double by_enumeration(const at::Tensor& scores, const at::Tensor& gold, int64_t n) {
  const auto total = scores.size(0);
  double sum = 0;
  int64_t subsets = 0;
  for (int64_t bits = 0; bits < (int64_t{1} << total); ++bits) {
    if (__builtin_popcountll(static_cast<unsigned long long>(bits)) != n) continue;
    double best = -1e300;
    for (int64_t i = 0; i < total; ++i) {
      if (bits >> i & 1) best = std::max(best, scores[i].item<double>());
    }
    double value = 0;
    int64_t ties = 0;
    for (int64_t i = 0; i < total; ++i) {  // ties share the gold of their whole group
      if (scores[i].item<double>() == best) {
        value += gold[i].item<double>();
        ++ties;
      }
    }
    sum += value / static_cast<double>(ties);
    ++subsets;
  }
  return sum / static_cast<double>(subsets);
}

TEST(BestOfN, EqualsTheListOfAllSubsets) {
  Rng rng(0, "best_of_n");
  for (int trial = 0; trial < 100; ++trial) {
    // Rounded scores, so that ties happen.
    const auto scores = (rng.normal_tensor({7}, at::kDouble) * 2).round();
    const auto gold = rng.normal_tensor({7}, at::kDouble);
    for (int64_t n = 1; n <= 7; ++n) {
      const auto value = best_of_n(scores.unsqueeze(0), gold.unsqueeze(0), n).item<double>();
      EXPECT_NEAR(value, by_enumeration(scores, gold, n), 1e-12);
    }
  }
}

TEST(BestOfN, WeightsSumToOneForManyAnswers) {
  for (const int64_t n : {1, 2, 100, 12500, 99999, 100000}) {
    const auto weights = best_of_n_weights(100000, n);
    EXPECT_TRUE(at::isfinite(weights).all().item<bool>()) << n;
    EXPECT_NEAR(weights.sum().item<double>(), 1, 1e-9) << n;
  }
}

TEST(BestOfN, TheLawIsADistributionAndItsKlIsBounded) {
  Rng rng(1, "law");
  for (int trial = 0; trial < 200; ++trial) {
    const auto probs = rng.normal_tensor({6}, at::kDouble).softmax(0);
    const auto rewards = (rng.normal_tensor({6}, at::kDouble) * 2).round();
    for (const int64_t n : {1, 2, 16, 4096}) {
      const auto law = best_of_n_distribution(probs, rewards, n);
      EXPECT_NEAR(law.probs.sum().item<double>(), 1, 1e-9);
      EXPECT_LE(law.kl.item<double>(), best_of_n_kl(n) + 1e-9);
      EXPECT_GE(law.kl.item<double>(), -1e-12);
    }
  }
}

TEST(BestOfN, RefusesWhatItCannotAnswer) {
  EXPECT_THROW(best_of_n_kl(0), UserError);
  EXPECT_THROW(best_of_n_reward(at::zeros({0}, at::kDouble), 1), UserError);
  EXPECT_THROW(best_of_n(at::zeros({2, 3}), at::zeros({2, 2}), 1), UserError);
  EXPECT_THROW(best_of_n(at::zeros({2, 3}), at::zeros({2, 3}), 1, "bised"), UserError);
}

}  // namespace
}  // namespace plaudit::eval
