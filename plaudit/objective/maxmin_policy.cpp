#include "plaudit/objective/maxmin_policy.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

// The dual D(q) = beta log sum_a ref_a exp(q . r_a/beta), convex on the simplex.
class Dual {
 public:
  Dual(const Tensor& rewards, const Tensor& reference, double beta)
      : rewards_(rewards), log_reference_(reference.log()), beta_(beta) {}

  Tensor tilted(const Tensor& q) const { return at::matmul(q, rewards_) / beta_ + log_reference_; }
  Tensor policy(const Tensor& q) const { return at::softmax(tilted(q), 0); }
  double value(const Tensor& q) const { return beta_ * tilted(q).logsumexp(0).item<double>(); }
  // The gradient is the utility; the Hessian the covariance of the rewards under the policy over beta.
  Tensor utility(const Tensor& policy) const { return at::matmul(rewards_, policy); }
  Tensor hessian(const Tensor& policy) const {
    const auto centred = rewards_ - utility(policy).unsqueeze(1);
    return at::matmul(centred * policy, centred.t()) / beta_;
  }

  // D(q) less what the worst-off group gets from the policy of q: an upper bound of how far either is from
  // the optimum.
  double gap(const Tensor& q) const {
    const auto pi = policy(q);
    const auto kl = at::xlogy(pi, pi).sum() - at::where(pi.gt(0), pi * log_reference_, 0).sum();
    return value(q) - (utility(pi).min() - beta_ * kl).item<double>();
  }

 private:
  Tensor rewards_, log_reference_;
  double beta_;
};

// One Newton step of D(q) - mu sum log q on sum q = 1, shortened to stay inside and to descend.
bool barrier_step(const Dual& dual, double mu, Tensor& q) {
  const auto policy = dual.policy(q);
  const auto gradient = dual.utility(policy) - mu / q;
  const auto hessian = dual.hessian(policy) + at::diag(mu / q.square());
  const auto ones = at::ones_like(q);
  // In q's own scale the system stays well conditioned at the boundary.
  const auto scaled = q.unsqueeze(1) * hessian * q.unsqueeze(0);
  const auto solved = at::linalg_solve(scaled, at::stack({q * gradient, q}, 1));
  const auto direction = q.unsqueeze(1) * solved;  // H^-1 g, H^-1 1
  const auto shift = direction.select(1, 0).sum() / direction.select(1, 1).sum();
  const auto move = shift * direction.select(1, 1) - direction.select(1, 0);
  const double decrement = -gradient.dot(move).item<double>();
  if (!(decrement > 1e-18)) return false;
  const auto merit = [&](const Tensor& x) { return dual.value(x) - mu * x.log().sum().item<double>(); };
  const double now = merit(q);
  const double rounding =
      1e-12 * std::max(1.0, std::abs(now));  // below it the merit does not tell steps apart
  double length = 1;
  const double shrink = (move / q).min().item<double>();
  if (shrink < 0) length = std::min(1.0, -0.99 / shrink);
  for (int i = 0; i < 60; ++i, length /= 2) {
    const auto next = q + length * move;
    if (merit(next) <= now - 1e-4 * length * decrement + rounding || length < 1e-12) {
      q = next / next.sum();
      return length >= 1e-12;
    }
  }
  return false;
}

}  // namespace

MaxminPolicy maxmin_policy(const Tensor& rewards, const Tensor& reference, double beta) {
  const Check check("tabular.maxmin_policy");
  check_arguments(check, {{"rewards", rewards, "GA"}, {"reference", reference, "A"}});
  const auto r = rewards.detach().to(at::kCPU, at::kDouble),
             ref = reference.detach().to(at::kCPU, at::kDouble);
  const double smallest = ref.min().item<double>(), total = ref.sum().item<double>();
  check.that(smallest >= 0, "reference", ">= 0", smallest);
  check.that(std::abs(total - 1) <= 1e-6, "reference", "summing to 1", total);
  check.that(beta > 0, "beta", "> 0", beta);
  const Dual dual(r, ref, beta);
  const int64_t groups = r.size(0);
  auto q = at::full({groups}, 1 / static_cast<double>(groups), at::kDouble);
  const double scale = (r.max() - r.min()).item<double>();
  if (groups > 1 && scale > 0) {
    // Towards mu = 0 rounding takes over at some point: the best is kept.
    auto best = q;
    double least = dual.gap(q);
    for (double mu = scale; mu > 1e-13 * scale; mu /= 8) {
      for (int i = 0; i < 50 && barrier_step(dual, mu, q); ++i) {
      }
      const double gap = dual.gap(q);
      if (gap < least) {
        least = gap;
        best = q;
      }
    }
    q = best;
  }
  const auto policy = dual.policy(q);
  return {policy, q, dual.utility(policy), at::scalar_tensor(dual.value(q), at::kDouble)};
}

PLAUDIT_FUNCTIONS(tabular, m) {
  m.def(
      "maxmin_policy(Tensor rewards, Tensor reference, float beta=0.1) -> (Tensor policy, Tensor weight, "
      "Tensor "
      "utility, Tensor value)",
      [](const Tensor& rewards, const Tensor& reference, double beta) {
        return as_tuple(maxmin_policy(rewards, reference, beta));
      },
      "The exact policy for the worst-off group under a KL penalty.", {"38"});
}

}  // namespace plaudit
