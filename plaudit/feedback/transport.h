// Optimal transport between two sets, and between two spaces of which only the distances are known.
//
// Peyre et al., "Gromov-Wasserstein Averaging of Kernel and Distance Matrices", ICML 2016; used to carry
// preference labels from one task to another: Liu et al., "PEARL", 2024, arXiv 2306.03615. Everything is
// computed in f64 on the processor. Marginals `p` [M], `q` [N] are positive and sum to 1 within 1e-6.
// UserErrors: empty, shape, nan, value.
#pragma once

#include <optional>

#include "plaudit/core/checks.h"

namespace plaudit {

// Euclidean distances of the flattened segments x [N,L,D], [N,N].
Tensor pairwise_distance(const Tensor& x);

struct SinkhornOptions {
  double eps = 5e-3;    // strength of the entropy, > 0
  int64_t iters = 200;  // rounds, >= 0: rows first, then columns
};

// The plan exp((f + g - cost)/eps) after `iters` rounds on the potentials f and g, which start at 0; exact
// for any eps, however small.
Tensor sinkhorn(const Tensor& cost, const Tensor& p, const Tensor& q, const SinkhornOptions& options = {});

// sum (Cs_ii' - Ct_jj')^2 T_ij T_i'j' for symmetric distances `source` [M,M], `target` [N,N] and a plan T
// [M,N].
Tensor gromov_wasserstein_cost(const Tensor& source, const Tensor& target, const Tensor& plan);

// Its gradient by the plan, 2 [(Cs^2) p 1^T + 1 q^T (Ct^2) - 2 Cs T Ct] with the marginals p, q of the plan,
// [M,N].
Tensor gromov_wasserstein_gradient(const Tensor& source, const Tensor& target, const Tensor& plan);

struct GromovOptions {
  double eps = 5e-3;
  int64_t outer = 50;   // linearisations, >= 0
  int64_t iters = 200;  // Sinkhorn rounds of each
  // Rounds go on from the potentials of the linearisation before instead of from 0. Where `iters` rounds are
  // too few to meet the marginals, as they often are at small eps, all of them together are enough.
  bool warm_start = false;
};

struct TransportPlan {
  Tensor plan;  // [M,N]
  Tensor cost;  // scalar
};

// T <- sinkhorn(gradient at T), from p q^T. `p`, `q` default to uniform.
TransportPlan entropic_gromov_wasserstein(const Tensor& source, const Tensor& target,
                                          const std::optional<Tensor>& p, const std::optional<Tensor>& q,
                                          const GromovOptions& options = {});

// The best one-to-one assignment of cost [N,N]: a permutation over N as plan, cost = <plan, cost>. Shortest
// augmenting paths, O(N^3).
TransportPlan exact_assignment(const Tensor& cost);

// The columns that the rows of a square cost are assigned to, [N].
std::vector<int64_t> assign_rows(const Tensor& cost);

// T_ij T_i'k of a plan [M,N] for target pair (j,k), [M,M]; sums to 1 with `normalize` (kind value when it is
// 0).
Tensor pair_correspondence(const Tensor& plan, int64_t j, int64_t k, bool normalize = true);

}  // namespace plaudit
