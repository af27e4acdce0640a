// General preferences over a finite set of answers, as a matrix: P[i,j] = probability that i is preferred to
// j.
//
// A preference matrix is square, lies in [0,1] and satisfies P + P^T = 1 (within 1e-9 in f64, 1e-6 in f32);
// it need not follow any ranking. A law over answers sums to 1 within the same bound. UserErrors: empty,
// shape, nan, and value where one of these fails or an option is out of range.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct SrpoTabular {
  Tensor imp_logps;      // [A,A], log pi+(y2|y1): row = the given answer y1, column = the revision y2
  Tensor logps;          // [A], log pi(y)
  Tensor log_partition;  // [A], log Z(y1)
};

// The saddle point of self-improving robust preference optimisation:
//   pi+(y2|y1) = ref(y2|y1) exp(P[y2,y1]/beta)/Z(y1) ,   pi(y) ~ ref(y)/Z(y) .
// `ref_logps` [A], `ref_imp_logps` [A,A] laid out as imp_logps, beta > 0. Choi et al., 2024, arXiv
// 2406.01660.
SrpoTabular srpo_tabular(const Tensor& preference, const Tensor& ref_logps, const Tensor& ref_imp_logps,
                         double beta = 0.1);

// The optimum of identity preference optimisation, log[ref(y) exp(E_{y'~behavior} P[y,y']/tau)/Z], [A]; it
// depends on the law `behavior` [A] of the data. Azar et al., 2023, arXiv 2310.12036, eq. 9.
Tensor ipo_tabular(const Tensor& preference, const Tensor& behavior, const Tensor& ref_logps,
                   double tau = 0.1);

// The law of an answer after 0, 1, ..., `steps` revisions, [steps+1,A]: `initial` [A] is multiplied by the
// row-stochastic `improve` [A,A] again and again.
Tensor revision_distribution(const Tensor& initial, const Tensor& improve, int64_t steps = 1);

// Probability that a draw of `policy` is preferred to a draw of `opponent`, both laws [A].
Tensor expected_win_rate(const Tensor& policy, const Tensor& opponent, const Tensor& preference);

struct NashGap {
  Tensor gap;            // scalar, max_i (P pi)_i - 1/2: 0 for the Nash policy
  Tensor best_response;  // scalar i64, the answer that beats the policy most, ties to the first
};

// How much a policy [A] can be exploited. Rosset et al., "Direct Nash Optimization", 2024, arXiv 2404.03715.
NashGap nash_gap(const Tensor& preference, const Tensor& policy);

// How often each of K >= 2 answers beats the others, [B,K], from judgements `preference` [B,K,K] in [0,1]
// that need not be complementary: the mean over j != i, or, with include_self, over all j with the diagonal
// as 1/2. What the diagonal holds is ignored. Rosset et al., algorithm 2.
Tensor win_rate_rewards(const Tensor& preference, bool include_self = false);

}  // namespace plaudit
