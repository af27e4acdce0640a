// A reward with parameters, tuned so that the policy trained on it does well on another one.
//
// Gupta et al., "Behavior Alignment via Reward Function Optimization", 2023, arXiv 2310.19007. These are the
// exact forms for a softmax policy in a table: `logits` [S,A], `states`, `actions`, `mask` and rewards [B,T];
// G_t are discounted returns to go. UserErrors: empty, shape, nan, and value for an index or an option out of
// range.
#pragma once

#include <optional>
#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

// The batch of a tabular policy gradient.
struct TabularBatch {
  Tensor states;   // [B,T] integers in [0,S)
  Tensor actions;  // [B,T] integers in [0,A)
  Tensor mask;     // [B,T]
  Tensor logits;   // [S,A]
};

// phi1 + phi2 primary + phi3 auxiliary, 0 under the mask; `phi` [3].
Tensor behavior_alignment_reward(const Tensor& primary, const Tensor& auxiliary, const Tensor& mask,
                                 const Tensor& phi);

struct InnerOptions {
  double gamma = 0.99;  // in [0,1]
  double l2 = 0;        // >= 0, of a pull of the logits to 0
};

// (1/B) sum_t grad log pi(a_t|s_t) G_t - l2 logits, [S,A]: where the inner learner goes.
Tensor inner_direction(const TabularBatch& batch, const Tensor& rewards, const InnerOptions& options);

// Its Jacobian [SA,SA] (row-major (s,a)): block s is -W_s (diag pi_s - pi_s pi_s^T) with W_s = (1/B) sum of
// G_t over visits of s; minus l2 I.
Tensor inner_jacobian(const TabularBatch& batch, const Tensor& rewards, const InnerOptions& options);

// d inner_direction / d(phi1, phi2, phi3, gamma) for the behaviour-alignment reward, [SA,4].
Tensor cross_derivative(const TabularBatch& batch, const Tensor& primary, const Tensor& auxiliary,
                        const Tensor& phi, double gamma);

// The same estimator of the gradient of the primary return, [S,A].
Tensor outer_gradient(const TabularBatch& batch, const Tensor& primary, double gamma);

// step sum_{i=0..terms} (I - step matrix)^i vector: the Neumann series of matrix^-1 vector. step > 0, terms
// >= 0.
Tensor neumann_inverse_product(const Tensor& matrix, const Tensor& vector, double step, int64_t terms);

struct ImplicitOptions {
  std::string method = "solve";                 // or "neumann"
  std::optional<double> step = std::nullopt;    // of neumann, > 0
  std::optional<int64_t> terms = std::nullopt;  // of neumann, >= 0
  double damping = 0;                           // >= 0
};

// cross^T (-H^T + damping I)^-1 outer_gradient, [M]: the gradient of the outer objective by the implicit
// function theorem. H [N,N] is the inner Jacobian, `cross` [N,M]. "solve" refuses a condition number above
// 1e12 (kind value).
Tensor implicit_gradient(const Tensor& outer_gradient, const Tensor& inner_jacobian, const Tensor& cross,
                         const ImplicitOptions& options = {});

}  // namespace plaudit
