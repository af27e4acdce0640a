#include "plaudit/env/robust_linear.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "plaudit/core/registry.h"
#include "plaudit/core/shapes.h"
#include "plaudit/core/tensors.h"

namespace plaudit {
namespace {

// The maximum over alpha in [0, max V] of z + z^2/(4 lam) - z2/(4 lam) for one coordinate, exactly: z is
// piecewise linear and z2 piecewise quadratic in alpha, both clipped.
class ChiSquareDual {
 public:
  ChiSquareDual(double lam, double horizon) : lam_(lam), horizon_(horizon) {}

  // `values` ascending, `m` their coefficients in the estimate.
  double maximum(const double* values, const double* m, int64_t n) {
    double lower = 0, lower2 = 0, above = 0, from = 0;
    int64_t i = 0;
    const auto pass = [&] {
      lower += m[i] * values[i];
      lower2 += m[i] * values[i] * values[i];
      above -= m[i++];
    };
    for (int64_t k = 0; k < n; ++k) above += m[k];
    while (i < n && values[i] <= 0) pass();
    best_ = objective(lower, lower2);
    while (i < n) {
      // On [from, to]: z = lower + above a, z2 = lower2 + above a^2.
      const double to = values[i];
      if (to > from) piece(lower, lower2, above, from, to);
      from = to;
      pass();
    }
    return best_;
  }

 private:
  double objective(double z, double z2) const {
    const double first = std::clamp(z, 0.0, horizon_), second = std::clamp(z2, 0.0, horizon_ * horizon_);
    return first + (first * first - second) / (4 * lam_);
  }

  void piece(double c, double s, double q, double from, double to) {
    cuts_ = {from, to};
    const auto cut = [&](double a) {
      if (a > from && a < to) cuts_.push_back(a);
    };
    if (q != 0) {
      for (const double level : {0.0, horizon_}) {
        cut((level - c) / q);
        const double square = (level * level - s) / q;
        if (square > 0) cut(std::sqrt(square));
      }
      // Stationary points with both, one or none of the clips: d/da of z + z^2/(4 lam) - z2/(4 lam).
      const double curve = q - 1;
      if (curve != 0) cut(-(2 * lam_ + c) / curve);
      cut(-(2 * lam_ + c) / q);
    }
    for (const double a : cuts_) best_ = std::max(best_, objective(c + q * a, s + q * a * a));
  }

  double lam_, horizon_, best_ = 0;
  std::vector<double> cuts_;
};

Tensor chi2_weights(const Tensor& estimator, const Tensor& values, double lam, double horizon) {
  const auto [sorted, order] = values.sort();
  const auto m = estimator.index_select(1, order).contiguous();
  auto weights = at::empty({m.size(0)}, at::kDouble);
  ChiSquareDual dual(lam, horizon);
  for (int64_t i = 0; i < m.size(0); ++i)
    weights[i] =
        dual.maximum(sorted.const_data_ptr<double>(), m.const_data_ptr<double>() + i * m.size(1), m.size(1));
  return weights;
}

Tensor gram_of(const Tensor& features, double ridge) {
  return at::matmul(features.t(), features) + ridge * at::eye(features.size(1), features.options());
}

// L of `gram_of`; a ridge that rounding swallows leaves a matrix that has none.
Tensor factor_of(const Check& check, const Tensor& features, double ridge) {
  const auto [factor, info] = at::linalg_cholesky_ex(gram_of(features, ridge));
  if (info.item<int64_t>() != 0)
    check.refuse(ErrorKind::value, "ridge",
                 fmt::format("must be larger: at {} the gram matrix is not positive definite", ridge));
  return factor;
}

// The robust part, for features [N,d] and values [N] that were checked.
Tensor robust_part(const Check& check, const Tensor& features, const Tensor& values,
                   const RobustWeightOptions& options) {
  const auto factor = factor_of(check, features, options.ridge);
  const auto horizon = static_cast<double>(options.horizon);
  const auto estimate = [&](const Tensor& x) {
    return at::cholesky_solve(at::matmul(features.t(), x).unsqueeze(1), factor).squeeze(1);
  };
  if (options.divergence == "tv") return estimate(at::minimum(values, values.min() + options.lam));
  if (options.divergence == "kl") {
    const auto mean = estimate((-values / options.lam).exp());
    return -options.lam * mean.clamp_min(std::exp(-horizon / options.lam)).log();
  }
  return chi2_weights(at::cholesky_solve(features.t(), factor), values, options.lam, horizon);
}

Tensor pessimistic(const Tensor& features, const Tensor& weights, const Tensor& inverse,
                   const PessimismOptions& options) {
  const auto value = at::matmul(features, weights);
  const auto diagonal = inverse.diagonal();
  if (options.penalty == "paper") {
    const auto penalty = at::matmul(features.abs(), diagonal.sqrt());
    return (value - options.beta * penalty).clamp_min(0).clamp_max(options.cap);
  }
  const auto square = options.penalty == "code" ? at::matmul(features.square(), diagonal)
                                                : (at::matmul(features, inverse) * features).sum(-1);
  return (value - options.beta * square.clamp_min(0).sqrt()).clamp_max(options.cap);
}

void check_divergence(const Check& check, const std::string& divergence, double lam, double ridge) {
  check.choice("divergence", divergence, {"tv", "kl", "chi2"});
  const bool zero_allowed = divergence == "tv";
  check.that(zero_allowed ? lam >= 0 : lam > 0, "lam", zero_allowed ? ">= 0" : "> 0", lam);
  check.that(ridge > 0 && std::isfinite(ridge), "ridge", "> 0 and finite", ridge);
}

void check_penalty(const Check& check, double beta, const std::string& penalty) {
  check.that(beta >= 0, "beta", ">= 0", beta);
  check.choice("penalty", penalty, {"paper", "code", "ellipsoid"});
}

}  // namespace

Tensor ridge_gram(const Tensor& features, double ridge) {
  const Check check("linear.ridge_gram");
  check_arguments(check, {{"features", features, "ND"}});
  check.that(ridge > 0 && std::isfinite(ridge), "ridge", "> 0 and finite", ridge);
  return gram_of(as_real(features), ridge);
}

Tensor r2pvi_weights(const Tensor& features, const Tensor& next_values, const RobustWeightOptions& options) {
  const Check check("linear.r2pvi_weights");
  check_arguments(check, {{"features", features, "ND"}, {"next_values", next_values, "N"}});
  check_divergence(check, options.divergence, options.lam, options.ridge);
  check.that(options.horizon >= 1, "horizon", ">= 1", options.horizon);
  return robust_part(check, on_cpu_f64(features), on_cpu_f64(next_values), options);
}

Tensor pessimistic_q(const Tensor& features, const Tensor& weights, const Tensor& gram,
                     const PessimismOptions& options) {
  const Check check("linear.pessimistic_q");
  check_arguments(check, {{"features", features, "MD"}, {"weights", weights, "D"}, {"gram", gram, "DD"}});
  check_penalty(check, options.beta, options.penalty);
  const auto [factor, info] = at::linalg_cholesky_ex(on_cpu_f64(gram));
  if (info.item<int64_t>() != 0) check.refuse(ErrorKind::value, "gram", "must be positive definite");
  return pessimistic(on_cpu_f64(features), on_cpu_f64(weights), at::cholesky_inverse(factor), options);
}

Tensor r2pvi(const LinearEpisodes& e, const R2pviOptions& options) {
  const Check check("linear.r2pvi");
  check_arguments(check, {{"features", e.features, "NHD"},
                          {"action_features", e.action_features, "NHAD"},
                          {"reward_weights", e.reward_weights, "HD"},
                          {"absorbing", e.absorbing, "NH"}});
  check_divergence(check, options.divergence, options.lam, options.ridge);
  check_penalty(check, options.beta, options.penalty);
  const auto phi = on_cpu_f64(e.features), actions = on_cpu_f64(e.action_features),
             theta = on_cpu_f64(e.reward_weights);
  const auto dead = on_cpu_f64(e.absorbing).ne(0);
  const int64_t horizon = theta.size(0);
  std::vector<Tensor> weights(static_cast<size_t>(horizon));
  weights.back() = theta[horizon - 1];
  for (int64_t h = horizon - 2; h >= 0; --h) {
    const auto inverse = at::cholesky_inverse(factor_of(check, phi.select(1, h + 1), options.ridge));
    const auto q = pessimistic(actions.select(1, h + 1), weights[static_cast<size_t>(h) + 1], inverse,
                               {options.beta, static_cast<double>(horizon - h - 1), options.penalty});
    const auto values = q.amax(1).masked_fill(dead.select(1, h + 1), 0);
    weights[static_cast<size_t>(h)] =
        theta[h] + robust_part(check, phi.select(1, h), values,
                               {options.divergence, options.lam, options.ridge, horizon});
  }
  return at::stack(weights);
}

PLAUDIT_FUNCTIONS(linear, m) {
  m.def("ridge_gram(Tensor features, float ridge) -> (Tensor gram)", &ridge_gram,
        "The ridge Gram matrix of features.", {"10"});
  m.def(
      "r2pvi_weights(Tensor features, Tensor next_values, float lam, float ridge, int horizon, str "
      "divergence='tv') -> (Tensor weights)",
      [](const Tensor& features, const Tensor& values, double lam, double ridge, int64_t horizon,
         std::string divergence) {
        return r2pvi_weights(features, values, {std::move(divergence), lam, ridge, horizon});
      },
      "The robust part of the weights of one step.", {"10"});
  m.def(
      "pessimistic_q(Tensor features, Tensor weights, Tensor gram, float beta, float cap, str "
      "penalty='paper') -> "
      "(Tensor q)",
      [](const Tensor& features, const Tensor& weights, const Tensor& gram, double beta, double cap,
         std::string penalty) {
        return pessimistic_q(features, weights, gram, {beta, cap, std::move(penalty)});
      },
      "Linear values less what the data do not cover.", {"10"});
  m.def(
      "r2pvi(Tensor features, Tensor action_features, Tensor reward_weights, Tensor absorbing, str "
      "divergence='tv', "
      "float lam=0.1, float ridge=0.1, float beta=1., str penalty='paper') -> (Tensor weights)",
      [](const Tensor& features, const Tensor& actions, const Tensor& theta, const Tensor& absorbing,
         std::string divergence, double lam, double ridge, double beta, std::string penalty) {
        return r2pvi({features, actions, theta, absorbing},
                     {std::move(divergence), lam, ridge, beta, std::move(penalty)});
      },
      "Robust regularised pessimistic value iteration.", {"10"});
}

}  // namespace plaudit
