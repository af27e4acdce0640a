#include "plaudit/reward/step_features.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

void check_groups(const Check& check, const Tensor& positive) {
  if (!readable(positive)) return;
  const auto members = positive.ne(0).sum().item<int64_t>();
  if (members == 0) check.refuse(ErrorKind::empty, "positive", "marks no frame");
  if (members == positive.numel()) check.refuse(ErrorKind::empty, "positive", "marks every frame");
}

}  // namespace

SelectedFeatures select_features(const Tensor& features, const Tensor& positive, double alpha,
                                 int64_t count) {
  const Check check("reward.select_features");
  check.not_empty("features", features);
  check.not_empty("positive", positive);
  check_groups(check, positive);
  check_sizes(check, {{"features", features, "ND"}, {"positive", positive, "N"}});
  check.finite("features", features);
  check.that(count >= 1 && count <= features.size(1), "count", fmt::format("in [1, {}]", features.size(1)),
             count);
  check.that(std::isfinite(alpha), "alpha", "finite", alpha);
  const auto x = as_real(features);
  const auto marked = positive.ne(0);
  const auto inside = x.index({marked}), outside = x.index({marked.logical_not()});
  const auto mean = inside.mean(0), deviation = inside.std(0, /*unbiased=*/false);
  const auto scores =
      alpha * (mean - outside.mean(0)).abs() - (deviation + outside.std(0, /*unbiased=*/false));
  const auto indices = scores.argsort(/*stable=*/true, 0, /*descending=*/true).slice(0, 0, count);
  return {indices, scores, mean.index_select(0, indices), deviation.index_select(0, indices)};
}

Tensor step_reward(const Tensor& features, const Tensor& mean, const Tensor& std,
                   const StepRewardOptions& options) {
  const Check check("reward.step_reward");
  check.not_empty("features", features);
  check.not_empty("mean", mean);
  check.not_empty("std", std);
  check.dim("features", features, 2);
  check.dim("mean", mean, 1);
  check.same_size("features", features, 1, "mean", mean, 0);
  check.same_shape("mean", mean, "std", std);
  check.finite("features", features);
  check.finite("mean", mean);
  check.finite("std", std);
  check.choice("denominator", options.denominator, {"variance", "std"});
  check.that(options.std_floor >= 0, "std_floor", ">= 0", options.std_floor);
  const auto spread = as_real(std).clamp_min(options.std_floor);
  if (readable(std)) {
    const auto least = std.min().item<double>(), used = spread.min().item<double>();
    check.that(least >= 0, "std", ">= 0", least);
    check.that(used > 0, "std", "> 0 where there is no floor", used);
  }
  const auto distance = (as_real(features) - as_real(mean)).square();
  return -(distance / (options.denominator == "variance" ? spread.square() : spread)).mean(1);
}

CombinedSteps combine_steps(const Tensor& step_rewards, const Tensor& low, const Tensor& high,
                            const std::optional<Tensor>& weights) {
  const Check check("reward.combine_steps");
  check.not_empty("step_rewards", step_rewards);
  check_sizes(check, {{"step_rewards", step_rewards, "BN"},
                      {"low", low, "N"},
                      {"high", high, "N"},
                      {"weights", weights.value_or(Tensor()), "N"}});
  const int64_t n = step_rewards.size(1);
  check.finite("step_rewards", step_rewards);
  check.finite("low", low);
  check.finite("high", high);
  if (weights) check.finite("weights", *weights);
  const auto r = as_real(step_rewards);
  const auto range = (high - low).to(r.scalar_type());
  if (readable(range)) {
    const auto least = range.min().item<double>();
    check.that(least > 0, "high", "above low", fmt::format("a difference of {}", least));
  }
  const auto activation = ((r - low) / range).clamp(0, 1);
  Tensor w;
  if (weights) {
    w = weights->to(activation.scalar_type());
  } else {
    const auto step = at::arange(n, activation.options());
    w = at::where(step.gt(0), at::pow(2, step), 0.0);
  }
  return {activation, activation.matmul(w)};
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "select_features(Tensor features, Tensor positive, float alpha=5., int count=32) -> (Tensor indices, "
      "Tensor scores, Tensor mean, Tensor std)",
      [](const Tensor& features, const Tensor& positive, double alpha, int64_t count) {
        return as_tuple(select_features(features, positive, alpha, count));
      },
      "The features that mark one step of a task.", {"50"});
  m.def(
      "step_reward(Tensor features, Tensor mean, Tensor std, str denominator='variance', float "
      "std_floor=0.01) -> (Tensor rewards)",
      [](const Tensor& features, const Tensor& mean, const Tensor& std, std::string denominator,
         double floor) {
        return step_reward(features, mean, std, {std::move(denominator), floor});
      },
      "Log-density of a frame under a step's features, up to constants.", {"50"});
  m.def(
      "combine_steps(Tensor step_rewards, Tensor low, Tensor high, Tensor? weights=None) -> (Tensor "
      "activation, Tensor rewards)",
      [](const Tensor& rewards, const Tensor& low, const Tensor& high, const std::optional<Tensor>& weights) {
        return as_tuple(combine_steps(rewards, low, high, weights));
      },
      "One reward from the rewards of all steps.", {"50"});
}

}  // namespace plaudit
