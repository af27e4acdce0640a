// Reward models judged by one right answer against many wrong ones (RewardMATH), and by process scores.
//
// Source: Kim et al., "Evaluating Robustness of Reward Models for Mathematical Reasoning", 2024, arXiv
// 2410.01729. chosen [B,C], rejected [B,N], mask [B,N] of the rejected (default: all). Every row needs a
// valid rejected answer (empty). Errors besides: shape, nan, value.
#pragma once

#include <optional>
#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct OneToManyAccuracy {
  Tensor accuracy;            // scalar, share of rows with min chosen > max rejected
  Tensor accuracy_with_ties;  // scalar, the same with >=
  Tensor correct;             // [B] strict, 0 or 1
};
OneToManyAccuracy one_to_many_accuracy(const Tensor& chosen, const Tensor& rejected,
                                       const std::optional<Tensor>& mask = std::nullopt);

struct ReciprocalRank {
  Tensor mrr;   // scalar, mean 1/rank
  Tensor rank;  // [B] i64, 1 + number of rejected >= the best chosen: ties put the rejected first
};
ReciprocalRank mean_reciprocal_rank(const Tensor& chosen, const Tensor& rejected,
                                    const std::optional<Tensor>& mask = std::nullopt);

// Mean over rows of the mean over rejected of 1[c > r] + 1[c = r]/2, c the worst chosen. Scalar.
Tensor pairwise_accuracy(const Tensor& chosen, const Tensor& rejected,
                         const std::optional<Tensor>& mask = std::nullopt);

// Step scores [B,T] as one score per answer: min, max, prod, geometric_mean, mean, last, mean_logit (sigmoid
// of the mean logit), mean_odd (max(0, mean p/(1-p))); the last two clamp p to [1e-6, 1 - 1e-6].
Tensor aggregate_step_scores(const Tensor& scores, const Tensor& mask, const std::string& mode = "prod");

struct JudgeRank {
  Tensor mrr;       // scalar, rank = 1 + losses
  Tensor accuracy;  // scalar, share of rows that win every comparison
};
// wins [B,N] of a pairwise judge, 0 or 1.
JudgeRank pairwise_judge_rank(const Tensor& wins, const Tensor& mask);

struct Overoptimisation {
  int64_t peak_index;  // first maximum of gold
  double peak_gold, peak_kl;
  double gold_drop;              // from the peak to the end
  double proxy_gain_after_peak;  // likewise
  bool overoptimised;            // the peak is not last, gold drops by more than 1e-12, the proxy rises
};
// proxy, gold, kl [n] along an optimisation.
Overoptimisation overoptimisation(const Tensor& proxy, const Tensor& gold, const Tensor& kl);

// Mean of 1[d > margin] + 1[d = margin]/2, d = chosen - rejected, [B]. Scalar.
Tensor reward_accuracy(const Tensor& chosen, const Tensor& rejected, double margin = 0);

}  // namespace plaudit
