#include "plaudit/objective/preference_gaussian.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/link.h"
#include "plaudit/objective/tokens.h"

namespace plaudit {
namespace {

void check_noise(const Check& check, std::string_view name, const Tensor& noise, std::string_view like_name,
                 const Tensor& like) {
  check.dim(name, noise, 3);
  check.same_size(like_name, like, 0, name, noise, 1);
  check.same_size(like_name, like, 1, name, noise, 2);
}

// sum_t r_t under the mask, [K,B].
Tensor sampled_returns(const GaussianSteps& steps, const Tensor& mask) {
  const auto mean = keep_valid(as_real(steps.mean), mask), log_std = keep_valid(as_real(steps.log_std), mask);
  return keep_valid(mean + log_std.exp() * keep_valid(as_real(steps.noise), mask), mask).sum(2);
}

}  // namespace

Tensor gaussian_sample(const Tensor& mean, const Tensor& log_std, const Tensor& noise) {
  const Check check("reward.gaussian_sample");
  check.not_empty("mean", mean);
  check.not_empty("log_std", log_std);
  check.not_empty("noise", noise);
  check.dim("mean", mean, 2);
  check.same_shape("mean", mean, "log_std", log_std);
  check_noise(check, "noise", noise, "mean", mean);
  check.finite("mean", mean);
  check.finite("log_std", log_std);
  check.finite("noise", noise);
  return as_real(mean) + as_real(log_std).exp() * as_real(noise);
}

Tensor gaussian_preference_loss(const GaussianSteps& a, const GaussianSteps& b, const Tensor& label,
                                const Tensor& mask) {
  const Check check("reward.gaussian_preference_loss");
  check.not_empty("label", label);
  check.not_empty("noise_a", a.noise);
  check.not_empty("noise_b", b.noise);
  check.dim("label", label, 1);
  check.dim("mask", mask, 2);
  check_noise(check, "noise_a", a.noise, "mask", mask);
  check.same_shape("noise_a", a.noise, "noise_b", b.noise);
  check_tokens(check,
               {{"mean_a", a.mean}, {"log_std_a", a.log_std}, {"mean_b", b.mean}, {"log_std_b", b.log_std}},
               mask, ValidRows::some);
  check.same_size("mask", mask, 0, "label", label, 0);
  check.finite_where("noise_a", a.noise, mask);
  check.finite_where("noise_b", b.noise, mask);
  check.finite("label", label);
  check.range("label", label, 0, 1);
  const auto margin = sampled_returns(a, mask) - sampled_returns(b, mask);
  return logistic_link(margin, 1 - label.to(margin.scalar_type())).mean();
}

UncertaintyFloor uncertainty_floor_loss(const Tensor& log_std, const Tensor& mask, double eta) {
  const Check check("reward.uncertainty_floor_loss");
  check_tokens(check, {{"log_std", log_std}}, mask, ValidRows::some);
  check.that(std::isfinite(eta), "eta", "finite", eta);
  const double unit_entropy = 0.5 * std::log(2 * std::numbers::pi * std::numbers::e);
  const auto raw = as_real(log_std);
  const auto missing = at::relu(eta - unit_entropy - keep_valid(raw, mask));
  return {masked_mean(missing, mask), raw + unit_entropy};
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def("gaussian_sample(Tensor mean, Tensor log_std, Tensor noise) -> (Tensor rewards)", &gaussian_sample,
        "Draws of Gaussian step rewards, differentiable in mean and deviation.", {"01"});
  m.def(
      "gaussian_preference_loss(Tensor mean_a, Tensor log_std_a, Tensor mean_b, Tensor log_std_b, Tensor "
      "noise_a, Tensor noise_b, Tensor label, Tensor mask) -> (Tensor loss)",
      [](const Tensor& mean_a, const Tensor& log_std_a, const Tensor& mean_b, const Tensor& log_std_b,
         const Tensor& noise_a, const Tensor& noise_b, const Tensor& label, const Tensor& mask) {
        return gaussian_preference_loss({mean_a, log_std_a, noise_a}, {mean_b, log_std_b, noise_b}, label,
                                        mask);
      },
      "Soft-label cross entropy of segment pairs under sampled Gaussian step rewards.", {"01"});
  m.def("uncertainty_floor_loss(Tensor log_std, Tensor mask, float eta=1.) -> (Tensor loss, Tensor entropy)",
        [](const Tensor& log_std, const Tensor& mask, double eta) {
          return as_tuple(uncertainty_floor_loss(log_std, mask, eta));
        },
        "Hinge that keeps the entropy of Gaussian step rewards above a level.", {"01"});
}

}  // namespace plaudit
