#include "plaudit/reward/objectives.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {

EnsemblePreference ensemble_preference_loss(const Tensor& rewards_a, const Tensor& rewards_b,
                                            const Tensor& label) {
  const Check check("reward.ensemble_preference_loss");
  check.alike({{"rewards_a", rewards_a}, {"rewards_b", rewards_b}}, 2);
  check.shape("label", label, {rewards_a.size(1)});
  check.finite("label", label);
  check.range("label", label, 0, 1);
  const auto a = as_real(rewards_a);
  const auto margin = a - as_real(rewards_b).to(a.scalar_type());
  const auto y = as_real(label).to(a.scalar_type()).expand_as(margin);
  const auto per_member =
      at::binary_cross_entropy_with_logits(margin, y, {}, {}, at::Reduction::None).mean(1);
  const auto right = margin.ge(0).eq(y.ge(0.5)).to(a.scalar_type());
  return {per_member.sum(), per_member, right.mean(1)};
}

Relabelled ensemble_relabel(const Tensor& predictions) {
  const Check check("reward.ensemble_relabel");
  check.not_empty("predictions", predictions);
  check.dim("predictions", predictions, 2);
  check.finite("predictions", predictions);
  const auto p = as_real(predictions);
  return {p.mean(0), p.std(0, /*unbiased=*/false)};
}

Focus focus_coefficient(const Tensor& rewards, const Tensor& focus, double cosine, double limit_coefficient) {
  const Check check("reward.focus_coefficient");
  check.alike({{"rewards", rewards}, {"focus", focus}}, 2);
  check.that(cosine > 0 && cosine < 1, "cosine", "in (0, 1)", cosine);
  check.that(limit_coefficient > 0 && limit_coefficient <= 1, "limit_coefficient", "in (0, 1]",
             limit_coefficient);
  const auto r = as_real(rewards), d = as_real(focus).to(r.scalar_type());
  const auto length = [](const Tensor& x) { return at::linalg_vector_norm(x, 2, at::IntArrayRef{1}); };
  const auto scale = length(r) * length(d);
  const auto c =
      at::where(scale > 0, (r * d).sum(1) / at::where(scale > 0, scale, 1.0), at::zeros_like(scale));
  const auto inside = c >= cosine;
  const auto power =
      at::where(inside, c, at::ones_like(c)).pow(std::log(limit_coefficient) / std::log(cosine));
  return {at::where(inside, power, at::zeros_like(c)), inside.to(at::kLong)};
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "ensemble_preference_loss(Tensor rewards_a, Tensor rewards_b, Tensor label) -> (Tensor loss, Tensor "
      "per_member, "
      "Tensor accuracy)",
      [](const Tensor& a, const Tensor& b, const Tensor& label) {
        return as_tuple(ensemble_preference_loss(a, b, label));
      },
      "Cross-entropy of preferences for every member of an ensemble.", {"11"});
  m.def("ensemble_relabel(Tensor predictions) -> (Tensor rewards, Tensor std)",
        [](const Tensor& predictions) { return as_tuple(ensemble_relabel(predictions)); },
        "Mean and spread of the members' rewards.", {"11"});
  m.def(
      "focus_coefficient(Tensor rewards, Tensor focus, float cosine, float limit_coefficient=1.) -> (Tensor "
      "coefficient, Tensor in_focus)",
      [](const Tensor& rewards, const Tensor& focus, double cosine, double limit) {
        return as_tuple(focus_coefficient(rewards, focus, cosine, limit));
      },
      "How far an objective vector points into a focus direction.", {"26"});
}

}  // namespace plaudit
