#include "plaudit/objective/offline_value.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

Tensor huber_elements(const Tensor& diff, double sigma) {
  const double knee = 1 / (sigma * sigma);
  const auto size = diff.abs();
  return at::where(size < knee, diff.square() * (sigma * sigma / 2), size - knee / 2);
}

void check_bounds(const Check& check, std::optional<double> low, std::optional<double> high) {
  if (low && high) check.that(*low <= *high, "target_min", fmt::format("<= target_max = {}", *high), *low);
}

Tensor target_of(const Tensor& rewards, const Tensor& terminals, const Tensor& next_values,
                 const TdTargetOptions& options) {
  auto target = as_real(rewards) + options.gamma * (1 - as_real(terminals)) * as_real(next_values);
  if (options.target_min) target = target.clamp_min(*options.target_min);
  if (options.target_max) target = target.clamp_max(*options.target_max);
  return target;
}

}  // namespace

ElementwiseLoss expectile_loss(const Tensor& diff, double tau) {
  const Check check("offline.expectile_loss");
  check_elementwise(check, {{"diff", diff}});
  check.that(tau > 0 && tau < 1, "tau", "in (0, 1)", tau);
  const auto d = as_real(diff);
  const auto weight = at::where(d.detach() > 0, at::full_like(d, tau), at::full_like(d, 1 - tau));
  const auto elements = weight * d.square();
  return {elements.mean(), elements};
}

ElementwiseLoss huber_sigma_loss(const Tensor& diff, double sigma) {
  const Check check("offline.huber_sigma_loss");
  check_elementwise(check, {{"diff", diff}});
  check.that(sigma > 0, "sigma", "> 0", sigma);
  const auto elements = huber_elements(as_real(diff), sigma);
  return {elements.mean(), elements};
}

Tensor td_target(const Tensor& rewards, const Tensor& terminals, const Tensor& next_values,
                 const TdTargetOptions& options) {
  const Check check("offline.td_target");
  check_arguments(
      check, {{"rewards", rewards, "B"}, {"terminals", terminals, "B"}, {"next_values", next_values, "B"}});
  check_discount(check, options.gamma);
  check_bounds(check, options.target_min, options.target_max);
  return target_of(rewards, terminals, next_values, options);
}

Tensor quantile_q(const Tensor& q, double alpha) {
  const Check check("offline.quantile_q");
  check_arguments(check, {{"q", q, "KB"}});
  check.that(alpha >= 0 && alpha <= 1, "alpha", "in [0, 1]", alpha);
  const auto sorted = std::get<0>(as_real(q).sort(0));
  const double position = alpha * static_cast<double>(q.size(0) - 1);
  const auto low = static_cast<int64_t>(position);
  const auto high = std::min(low + 1, q.size(0) - 1);
  return at::lerp(sorted[low], sorted[high], position - static_cast<double>(low));
}

TargetLoss riql_q_loss(const Tensor& q, const Tensor& rewards, const Tensor& terminals,
                       const Tensor& next_values, const RiqlOptions& options) {
  const Check check("offline.riql_q_loss");
  check_arguments(check, {{"q", q, "KB"},
                          {"rewards", rewards, "B"},
                          {"terminals", terminals, "B"},
                          {"next_values", next_values, "B"}});
  check_discount(check, options.gamma);
  check.that(options.sigma > 0, "sigma", "> 0", options.sigma);
  check_bounds(check, options.target_min, options.target_max);
  const auto targets =
      target_of(rewards, terminals, next_values, {options.gamma, options.target_min, options.target_max})
          .detach();
  return {huber_elements(as_real(q) - targets, options.sigma).mean(), targets};
}

PLAUDIT_FUNCTIONS(offline, m) {
  m.def("expectile_loss(Tensor diff, float tau=0.7) -> (Tensor loss, Tensor elementwise)",
        [](const Tensor& diff, double tau) { return as_tuple(expectile_loss(diff, tau)); },
        "Asymmetric squared error: the expectile of the residuals.", {"05", "21", "55"});
  m.def("huber_sigma_loss(Tensor diff, float sigma=1.) -> (Tensor loss, Tensor elementwise)",
        [](const Tensor& diff, double sigma) { return as_tuple(huber_sigma_loss(diff, sigma)); },
        "Huber loss with its knee at 1/sigma^2.", {"05"});
  m.def(
      "td_target(Tensor rewards, Tensor terminals, Tensor next_values, float gamma=0.99, float? "
      "target_min=None, float? target_max=None) -> (Tensor targets)",
      [](const Tensor& rewards, const Tensor& terminals, const Tensor& next_values, double gamma,
         std::optional<double> low, std::optional<double> high) {
        return td_target(rewards, terminals, next_values, {gamma, low, high});
      },
      "One-step targets r + gamma (1 - terminal) V(s').", {"05", "21"});
  m.def("quantile_q(Tensor q, float alpha=0.25) -> (Tensor q)", &quantile_q,
        "A quantile over an ensemble of critics.", {"05"});
  m.def(
      "riql_q_loss(Tensor q, Tensor rewards, Tensor terminals, Tensor next_values, float gamma=0.99, float "
      "sigma=1., float? target_min=-100., float? target_max=1000.) -> (Tensor loss, Tensor targets)",
      [](const Tensor& q, const Tensor& rewards, const Tensor& terminals, const Tensor& next_values,
         double gamma, double sigma, std::optional<double> low, std::optional<double> high) {
        return as_tuple(riql_q_loss(q, rewards, terminals, next_values, {gamma, sigma, low, high}));
      },
      "Huber loss of an ensemble of critics to clipped targets.", {"05"});
}

}  // namespace plaudit
