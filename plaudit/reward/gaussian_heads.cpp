#include "plaudit/reward/gaussian_heads.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

void check_head_shapes(const Check& check, const Tensor& mean, const Tensor& std) {
  check.not_empty("mean", mean);
  check.not_empty("std", std);
  check.dim("mean", mean, 2);
  check.same_shape("mean", mean, "std", std);
}

// Finite means and deviations >= 0 where `mask` is valid.
void check_head_values(const Check& check, const Tensor& mean, const Tensor& std, const Tensor& mask) {
  check.finite_where("mean", mean, mask);
  check.finite_where("std", std, mask);
  if (!readable(std)) return;
  const auto least = keep_valid(std, mask).min().item<double>();
  check.that(least >= 0, "std", ">= 0", least);
}

Tensor all_heads(const Tensor& mean) {
  return at::ones_like(mean, at::kBool);
}

void check_heads(const Check& check, const Tensor& mean, const Tensor& std) {
  check_head_shapes(check, mean, std);
  check_head_values(check, mean, std, all_heads(mean));
}

// The value of one head of each response.
Tensor pick(const Tensor& values, const Tensor& head) {
  return values.gather(1, head.unsqueeze(1)).squeeze(1);
}

}  // namespace

GaussianHeads gaussian_heads(const Tensor& raw, double min_std) {
  const Check check("reward.gaussian_heads");
  check.not_empty("raw", raw);
  check.shape("raw", raw, {-1, -1, 2});
  check.finite("raw", raw);
  check.that(min_std >= 0, "min_std", ">= 0", min_std);
  const auto r = as_real(raw);
  return {r.select(2, 0), at::softplus(r.select(2, 1)) + min_std};
}

NominalHead nominal_head(const Tensor& mean, const Tensor& std) {
  const Check check("reward.nominal_head");
  check_heads(check, mean, std);
  const auto s = as_real(std);
  const auto head = s.argmin(1);
  return {pick(as_real(mean), head), head, pick(s, head)};
}

Tensor brme_loss(const Tensor& mean, const Tensor& std, const Tensor& target, const BrmeOptions& options) {
  const Check check("reward.brme_loss");
  check_head_shapes(check, mean, std);
  check.not_empty("target", target);
  if (target.dim() == 1) {
    check.same_size("mean", mean, 0, "target", target, 0);
  } else {
    check.same_shape("mean", mean, "target", target);
  }
  if (options.noise) check.same_shape("mean", mean, "noise", *options.noise);
  if (options.head_mask) check.same_shape("mean", mean, "head_mask", *options.head_mask);

  const auto mask = options.head_mask ? valid(*options.head_mask) : all_heads(mean);
  if (readable(mask) && !mask.any().item<bool>())
    check.refuse(ErrorKind::empty, "head_mask", "has no valid element");
  const auto t = target.dim() == 1 ? target.unsqueeze(1).expand_as(mean) : target;
  check_head_values(check, mean, std, mask);
  check.finite_where("target", t, mask);
  if (options.noise) check.finite_where("noise", *options.noise, mask);

  const auto kept = [&](const Tensor& x) { return keep_valid(as_real(x), mask); };
  const auto error = kept(mean) - kept(t), s = kept(std);
  const auto squares =
      options.noise ? (error + s * kept(*options.noise)).square() : error.square() + s.square();
  return masked_mean(squares, mask);
}

RobustReward robust_reward(const Tensor& mean, const Tensor& std, const RobustOptions& options) {
  const Check check("reward.robust");
  check_heads(check, mean, std);
  check.that(options.lambda >= 0 && options.lambda <= 1, "lambda", "in [0, 1]", options.lambda);
  check.choice("uncertainty", options.uncertainty, {"per_sample", "batch"});
  check.that(options.kappa >= 0, "kappa", ">= 0", options.kappa);
  const auto m = as_real(mean), s = as_real(std);
  const auto nominal = pick(m, s.argmin(1));
  const auto low = m - options.kappa * s;
  const auto worst_head = options.uncertainty == "per_sample"
                              ? low.argmin(1)
                              : low.mean(0).argmin(0).expand_symint({m.sym_size(0)}).contiguous();
  const auto worst = pick(low, worst_head);
  return {options.lambda * nominal + (1 - options.lambda) * worst, nominal, worst, worst_head};
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def("gaussian_heads(Tensor raw, float min_std=0.001) -> (Tensor mean, Tensor std)",
        [](const Tensor& raw, double min_std) { return as_tuple(gaussian_heads(raw, min_std)); },
        "Means and deviations of a reward ensemble from its raw outputs.", {"02"});
  m.def("nominal_head(Tensor mean, Tensor std) -> (Tensor reward, Tensor head, Tensor std)",
        [](const Tensor& mean, const Tensor& std) { return as_tuple(nominal_head(mean, std)); },
        "The reward of the most confident head.", {"02"});
  m.def(
      "brme_loss(Tensor mean, Tensor std, Tensor target, Tensor? noise=None, Tensor? head_mask=None) -> "
      "(Tensor loss)",
      [](const Tensor& mean, const Tensor& std, const Tensor& target, std::optional<Tensor> noise,
         std::optional<Tensor> head_mask) {
        return brme_loss(mean, std, target, {std::move(noise), std::move(head_mask)});
      },
      "Squared error of Gaussian reward heads.", {"02"});
  m.def(
      "robust(Tensor mean, Tensor std, float lambda, str uncertainty='per_sample', float kappa=0.) -> "
      "(Tensor reward, Tensor nominal, Tensor worst, Tensor worst_head)",
      [](const Tensor& mean, const Tensor& std, double lambda, std::string uncertainty, double kappa) {
        return as_tuple(robust_reward(mean, std, {lambda, std::move(uncertainty), kappa}));
      },
      "A mix of the nominal and the worst reward of an ensemble.", {"02"});
}

}  // namespace plaudit
