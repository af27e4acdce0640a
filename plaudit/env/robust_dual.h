// The worst mean of some values when nature may move away from a nominal law at a price, in closed form.
//
//   inf over laws mu of E_mu[V] + lam D(mu || nominal)
//
// Tang et al., "Robust Offline RL with Linearly Structured f-Divergence Regularization", 2025, arXiv
// 2411.18612. `values`, `nominal` [n]; nominal >= 0 sums to 1 within 1e-6. UserErrors: empty, shape, nan,
// value.
#pragma once

#include <optional>

#include "plaudit/core/checks.h"

namespace plaudit {

// D half the L1 distance: E[min(V, min V + lam)], the minimum over all values, also those without nominal
// mass, or `minimum`; lam >= 0.
Tensor robust_dual_tv(const Tensor& values, const Tensor& nominal, double lam,
                      std::optional<double> minimum = std::nullopt);

// D = KL: -lam log E exp(-V/lam), over values with nominal mass; lam > 0.
Tensor robust_dual_kl(const Tensor& values, const Tensor& nominal, double lam);

// D = sum (mu - p)^2/p: the maximum over alpha in [min V, max V] of E[min(V, alpha)] - Var[min(V, alpha)]/(4
// lam), exact; lam > 0.
Tensor robust_dual_chi2(const Tensor& values, const Tensor& nominal, double lam);

}  // namespace plaudit
