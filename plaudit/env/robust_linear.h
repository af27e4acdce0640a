// Offline RL with linear features that stays good when the dynamics shift: R2PVI.
//
// Tang et al., 2025, arXiv 2411.18612. Features phi of a state and an action lie on a simplex; rewards are
// phi . theta and the next state is a mixture over d unknown laws, of which robust_dual.h takes the worst.
// The least-squares estimate of E_i[g(V)] is [Gram^-1 Phi^T g(V)]_i. UserErrors: empty, shape, nan, value.
#pragma once

#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

// sum phi phi^T + ridge I, [d,d]; `features` [N,d], ridge > 0.
Tensor ridge_gram(const Tensor& features, double ridge);

struct RobustWeightOptions {
  std::string divergence = "tv";  // tv, kl or chi2
  double lam = 0.1;               // price of a shift, >= 0 for tv, else > 0
  double ridge = 0.1;             // > 0
  int64_t horizon = 1;            // bounds values in [0, horizon], >= 1
};

// The robust part of the weights of one step, [d], from sampled next values [N]: tv Gram^-1 Phi^T min(V, min
// V + lam); kl -lam log max([Gram^-1 Phi^T exp(-V/lam)]_i, exp(-horizon/lam)); chi2 the maximum over alpha in
// [0, max V] of z + z^2/(4 lam) - z2/(4 lam), z and z2 the estimates for min(V, alpha) and its square,
// clipped to [0, horizon] and [0, horizon^2].
Tensor r2pvi_weights(const Tensor& features, const Tensor& next_values, const RobustWeightOptions& options);

struct PessimismOptions {
  double beta = 1;                // >= 0
  double cap = 1;                 // values are at most this
  std::string penalty = "paper";  // paper, code or ellipsoid
};

// phi . weights - beta penalty, [M]: sum_i |phi_i| sqrt((Gram^-1)_ii) (paper, then clipped to [0, cap]),
// sqrt(sum_i phi_i^2 (Gram^-1)_ii) (code, min with cap) or sqrt(phi^T Gram^-1 phi) (ellipsoid, min with cap).
// `features` [M,d].
Tensor pessimistic_q(const Tensor& features, const Tensor& weights, const Tensor& gram,
                     const PessimismOptions& options);

struct LinearEpisodes {
  Tensor features;         // [N,H,d], of the logged steps
  Tensor action_features;  // [N,H,A,d], of all actions there
  Tensor reward_weights;   // [H,d]
  Tensor absorbing;        // [N,H], nonzero where the state has value 0
};

struct R2pviOptions {
  std::string divergence = "tv";
  double lam = 0.1;
  double ridge = 0.1;
  double beta = 1;
  std::string penalty = "paper";
};

// Weights [H,d] of all steps by backward induction: theta_h plus the robust part of the greedy, pessimistic
// values of step h+1, capped at H - h - 1.
Tensor r2pvi(const LinearEpisodes& episodes, const R2pviOptions& options = {});

}  // namespace plaudit
