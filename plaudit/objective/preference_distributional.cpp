#include "plaudit/objective/preference_distributional.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/link.h"

namespace plaudit {

PairLoss mean_variance_loss(const Tensor& chosen, const Tensor& rejected, double variance_penalty) {
  const Check check("preference.mean_variance_loss");
  check.not_empty("chosen", chosen);
  check.not_empty("rejected", rejected);
  check.shape("chosen", chosen, {-1, 2});
  check.same_shape("chosen", chosen, "rejected", rejected);
  check.finite("chosen", chosen);
  check.finite("rejected", rejected);
  check.that(variance_penalty >= 0, "variance_penalty", ">= 0", variance_penalty);
  const auto c = as_real(chosen), r = as_real(rejected);
  const auto std_c = at::softplus(c.select(1, 1)), std_r = at::softplus(r.select(1, 1));
  const auto variance = std_c.square() + std_r.square();
  // Deviations that underflow leave a certain preference, not 0/0; hypot's derivatives are at most 1.
  const double least = c.scalar_type() == at::kDouble ? 1e-150 : 1e-15;
  const auto deviation = at::hypot(std_c.clamp_min(least), std_r.clamp_min(least));
  const auto margin = std::sqrt(2 * std::numbers::pi) * (c.select(1, 0) - r.select(1, 0)) / deviation;
  const auto losses = logistic_link(margin);
  return {losses.mean() + variance_penalty * variance.mean(), losses};
}

PairLoss categorical_loss(const Tensor& chosen, const Tensor& rejected, double entropy_coef) {
  const Check check("preference.categorical_loss");
  check.alike({{"chosen", chosen}, {"rejected", rejected}}, 2);
  check.that(std::isfinite(entropy_coef), "entropy_coef", "finite", entropy_coef);
  const auto c = at::log_softmax(as_real(chosen), 1), r = at::log_softmax(as_real(rejected), 1);
  // log [P(rejected below atom i) + P(rejected = i)/2], in logarithms so that no probability underflows.
  const int64_t atoms = c.size(1);
  const auto ties = at::ones({atoms, atoms}, c.options()).tril(-1) + 0.5 * at::eye(atoms, c.options());
  const auto beaten = at::logsumexp(r.unsqueeze(1) + ties.log(), 2);
  const auto losses = -at::logsumexp(c + beaten, 1);
  const auto mean = at::cat({c, r}).exp().mean(0);
  const auto log_mean =
      mean.clamp_min(mean.scalar_type() == at::kDouble ? 1e-300 : 1e-36).log();  // 0 log 0 = 0
  return {losses.mean() + entropy_coef * (mean * log_mean).sum(), losses};
}

Tensor expected_preference(const Tensor& logits) {
  const Check check("reward.expected_preference");
  check.not_empty("logits", logits);
  check.dim("logits", logits, 2);
  check.no_nan("logits", logits);
  return at::sigmoid(as_real(logits)).mean(1);
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "mean_variance_loss(Tensor chosen, Tensor rejected, float variance_penalty=0.) -> (Tensor loss, Tensor "
      "losses)",
      [](const Tensor& chosen, const Tensor& rejected, double penalty) {
        return as_tuple(mean_variance_loss(chosen, rejected, penalty));
      },
      "Preference loss of Gaussian rewards.", {"16"});
  m.def(
      "categorical_loss(Tensor chosen, Tensor rejected, float entropy_coef=0.) -> (Tensor loss, Tensor "
      "losses)",
      [](const Tensor& chosen, const Tensor& rejected, double coef) {
        return as_tuple(categorical_loss(chosen, rejected, coef));
      },
      "Preference loss of rewards on ordered atoms.", {"16"});
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def("expected_preference(Tensor logits) -> (Tensor reward)", &expected_preference,
        "Mean probability to beat a set of comparison states.", {"16"});
}

}  // namespace plaudit
