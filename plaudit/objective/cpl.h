// Contrastive preference learning: a policy straight from preferences over segments, read as regret.
//
// Hejna et al., 2023, arXiv 2310.13639. With S(seg) = alpha sum_t gamma^t log pi(a_t|s_t) the optimal
// advantage of a segment, a pair costs
//   label softplus(-(S_a - bias S_b)) + (1 - label) softplus(-(S_b - bias S_a)) ;
// bias < 1 keeps the policy on the data. Step log-probabilities [B,T]; masks valid where nonzero. UserErrors:
// empty, shape, nan, value.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// Step log-probabilities of both segments under the policy (or log-ratios to a reference: CPL-KL).
struct SegmentLogps {
  Tensor a;       // [B,T]
  Tensor b;       // [B,T]
  Tensor mask_a;  // [B,T]
  Tensor mask_b;  // [B,T]
};

struct CplOptions {
  double alpha = 0.1;  // temperature of the advantage, > 0
  double bias = 0.5;   // the paper's lambda, in (0, 1]; 1 is plain CPL
  double gamma = 1;    // discount, in (0, 1]
};

struct CplResult {
  Tensor loss;      // scalar
  Tensor accuracy;  // scalar, share with (S_a > S_b) == label rounded half to even
};

// `label` [B] in [0,1]: 1 a preferred, 1/2 a tie; eq. 5 and 6.
CplResult cpl_loss(const SegmentLogps& logps, const Tensor& label, const CplOptions& options = {});

struct CplRankResult {
  Tensor loss;   // scalar, mean of softplus(-(S_j - bias S_i)) over the pairs
  Tensor pairs;  // scalar i64, pairs with scores_j > scores_i
};

// All pairs of N segments with one score each: `segment_advantages` S [N], `scores` [N]. No two different
// scores is an error of kind empty.
CplRankResult cpl_rank_loss(const Tensor& segment_advantages, const Tensor& scores, double bias = 0.5);

// Behaviour cloning on the preferred segment only: minus the mean log-probability over its steps; a tie
// (label 1/2) contributes both. `logps_a`, `logps_b` [B,T], `label` [B] in {0, 1/2, 1}.
Tensor preferred_bc_loss(const Tensor& logps_a, const Tensor& logps_b, const Tensor& label);

// -|pred - actions|^2 over the last dimension: the unit-variance Gaussian policy without the factor 1/2 and
// without its constant, as the paper uses it.
Tensor unit_gaussian_logp(const Tensor& pred, const Tensor& actions);

}  // namespace plaudit
