#include "plaudit/objective/maxmin_policy.h"

#include <ATen/ATen.h>

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

 private:
  Tensor rewards_, log_reference_;
  double beta_;
};

// A point of the central path: utility(q) - z = nu and q z = mu in every group, q on the simplex, z > 0.
struct Centre {
  Tensor q, z;  // [G]
  double nu;

  // How far from it, stacked [2G].
  Tensor residual(const Dual& dual, double mu) const {
    return at::cat({dual.utility(dual.policy(q)) - z - nu, q * z - mu});
  }
};

double size_of(const Tensor& x) {
  return at::linalg_vector_norm(x).item<double>();
}

// One Newton step towards the centre of mu, shortened to keep q and z positive and to shrink the residual. A
// residual can still shrink where a merit in D itself has drowned in rounding. False without progress.
bool newton_step(const Dual& dual, double mu, Centre& point) {
  const int64_t groups = point.q.size(0);
  const auto residual = point.residual(dual, mu);
  const auto stationary = residual.slice(0, 0, groups), complementary = residual.slice(0, groups);
  // dz = -(complementary + z dq)/q leaves (H + diag(z/q)) dq - dnu = -stationary - complementary/q, sum dq =
  // 0; in q's own scale, dq = q s, it stays well conditioned at the boundary.
  const auto inner = point.q.unsqueeze(1) * dual.hessian(dual.policy(point.q)) * point.q.unsqueeze(0) +
                     at::diag(point.z * point.q);
  const auto ones = point.q.unsqueeze(1);
  const auto system =
      at::cat({at::cat({inner, -ones}, 1), at::cat({ones.t(), at::zeros({1, 1}, at::kDouble)}, 1)});
  const auto right = at::cat({-point.q * stationary - complementary, at::zeros({1}, at::kDouble)});
  const auto solved = at::linalg_solve(system, right);
  const auto dq = point.q * solved.slice(0, 0, groups), dz = -(complementary + point.z * dq) / point.q;
  const double dnu = solved[groups].item<double>();
  const double steepest = std::min((dq / point.q).min().item<double>(), (dz / point.z).min().item<double>());
  double length = steepest < 0 ? std::min(1.0, -0.99 / steepest) : 1;
  const double now = size_of(residual);
  for (int i = 0; i < 40; ++i, length /= 2) {
    Centre next{point.q + length * dq, point.z + length * dz, point.nu + length * dnu};
    next.q = next.q / next.q.sum();
    if (size_of(next.residual(dual, mu)) <= (1 - 1e-4 * length) * now) {
      point = next;
      return true;
    }
  }
  return false;
}

// The minimiser of D on the simplex: down the central path, on which the gap to the minimum is G mu.
Tensor minimiser(const Dual& dual, int64_t groups, double scale) {
  const auto q = at::full({groups}, 1 / static_cast<double>(groups), at::kDouble);
  const auto utility = dual.utility(dual.policy(q));
  const double nu = utility.min().item<double>() - scale;
  Centre centre{q, utility - nu, nu};
  for (double mu = scale; mu > 1e-12 * scale; mu /= 4) {
    for (int i = 0; i < 100 && size_of(centre.residual(dual, mu)) > 0.1 * mu; ++i) {
      if (!newton_step(dual, mu, centre)) break;
    }
  }
  return centre.q;
}

}  // namespace

MaxminPolicy maxmin_policy(const Tensor& rewards, const Tensor& reference, double beta) {
  const Check check("tabular.maxmin_policy");
  check_arguments(check, {{"rewards", rewards, "GA"}, {"reference", reference, "A"}});
  const auto r = rewards.detach().to(at::kCPU, at::kDouble),
             ref = reference.detach().to(at::kCPU, at::kDouble);
  const double least = ref.min().item<double>(), total = ref.sum().item<double>();
  check.that(least >= 0, "reference", ">= 0", least);
  check.that(std::abs(total - 1) <= 1e-6, "reference", "summing to 1", total);
  check.that(beta > 0, "beta", "> 0", beta);
  const Dual dual(r, ref, beta);
  const int64_t groups = r.size(0);
  auto q = at::full({groups}, 1 / static_cast<double>(groups), at::kDouble);
  const double scale = (r.max() - r.min()).item<double>();
  if (groups > 1 && scale > 0) q = minimiser(dual, groups, scale);
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
