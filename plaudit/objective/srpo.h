// Self-improving robust preference optimisation: one model that answers and improves answers.
//
// Choi et al., 2024, arXiv 2406.01660; losses re-derived from its min-max objective. For a pair (w, l) with
// label p = P(w preferred), g(a) = log pi(a)/ref(a) of the generator and r(a|b) = log pi+(a|b)/ref(a|b) of
// the reviser, who is given answer b and writes a:
//   improve = 1/2 {[p - 1/2 - beta (r(w|l) - r(l|l))]^2 + [p - 1/2 - beta (r(w|w) - r(l|w))]^2}
//   robust  = {p - 1/2 - beta/2 [g(w) - g(l) + r(w|l) - r(l|w)]}^2
// Log-probabilities are [B] sums over the written answer. UserErrors: empty, shape, nan, and value for beta
// <= 0, alpha or a label outside [0,1].
#pragma once

#include <optional>

#include "plaudit/objective/preference_margin.h"

namespace plaudit {

// log pi+ of a revision given an answer, each [B].
struct RevisionLogps {
  Tensor w_given_l;
  Tensor l_given_l;
  Tensor w_given_w;
  Tensor l_given_w;
};

struct SrpoOptions {
  std::optional<Tensor> label = std::nullopt;  // p [B] or a scalar; default 1
  double beta = 0.1;                           // > 0
  double alpha = 0.5;                          // of srpo_loss: weight of the improve term, in [0, 1]
};

// The reviser's identity alone.
PairLoss srpo_improve_loss(const RevisionLogps& imp, const RevisionLogps& ref_imp,
                           const SrpoOptions& options = {});

// The two terms of the reviser that the robust loss needs.
struct SwapLogps {
  Tensor w_given_l;
  Tensor l_given_w;
};

// The generator's identity alone.
PairLoss srpo_robust_loss(const PairLogps& pair, const SwapLogps& imp, const SwapLogps& ref_imp,
                          const SrpoOptions& options = {});

struct SrpoResult {
  Tensor loss;          // scalar
  Tensor losses;        // [B], (1 - alpha) robust + alpha improve
  Tensor robust_loss;   // scalar, batch mean, not weighted
  Tensor improve_loss;  // scalar, batch mean, not weighted
};

SrpoResult srpo_loss(const PairLogps& pair, const RevisionLogps& imp, const RevisionLogps& ref_imp,
                     const SrpoOptions& options = {});

}  // namespace plaudit
