#include "plaudit/reward/directional.h"

#include <ATen/ATen.h>

#include <numbers>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

void check_unit(const Check& check, std::string_view name, const Tensor& direction, double tolerance) {
  check.that(tolerance >= 0, "tolerance", ">= 0", tolerance);
  if (!readable(direction)) return;
  const auto excess = (as_real(direction.detach()).norm(2, {-1}) - 1).abs().max().item<double>();
  check.that(excess <= tolerance, name, fmt::format("of norm 1 within {}", tolerance),
             fmt::format("a norm that is {} off", excess));
}

void check_direction(const Check& check, std::string_view name, const Tensor& rewards,
                     const Tensor& direction) {
  check.not_empty("rewards", rewards);
  check.not_empty(name, direction);
  if (rewards.dim() != 2 && rewards.dim() != 3)
    check.refuse(ErrorKind::shape, "rewards",
                 fmt::format("must have 2 or 3 dimensions, got shape {}", shape_of(rewards)));
  if (direction.dim() == 2)
    check.same_size("rewards", rewards, 0, name, direction, 0);
  else
    check.dim(name, direction, 1);
  check.same_size("rewards", rewards, rewards.dim() - 1, name, direction, direction.dim() - 1);
  check.finite("rewards", rewards);
  check.finite(name, direction);
}

Tensor along(const Tensor& rewards, const Tensor& direction) {
  const auto r = as_real(rewards);
  auto v = direction.to(r.scalar_type());
  if (v.dim() == 2 && r.dim() == 3) v = v.unsqueeze(1);
  return (r * v).sum(-1);
}

}  // namespace

MultiObjectiveMse multi_objective_mse(const Tensor& predictions, const Tensor& targets,
                                      const Tensor& target_mask) {
  const Check check("reward.multi_objective_mse");
  check.not_empty("predictions", predictions);
  check.not_empty("targets", targets);
  check.not_empty("target_mask", target_mask);
  if (readable(target_mask) && !valid(target_mask).any().item<bool>())
    check.refuse(ErrorKind::empty, "target_mask", "rates no entry");
  check.dim("predictions", predictions, 2);
  check.same_shape("predictions", predictions, "targets", targets);
  check.same_shape("predictions", predictions, "target_mask", target_mask);
  check.finite_where("predictions", predictions, target_mask);
  check.finite_where("targets", targets, target_mask);
  const auto error =
      keep_valid(as_real(predictions), target_mask) - keep_valid(as_real(targets), target_mask);
  return {masked_mean(error.square(), target_mask), masked_mean(error.square(), target_mask, 0)};
}

Tensor rescale_attributes(const Tensor& values, double scale, double offset) {
  const Check check("reward.rescale_attributes");
  check.not_empty("values", values);
  check.finite("values", values);
  check.that(scale > 0, "scale", "> 0", scale);
  return scale * as_real(values) + offset;
}

AngleDirection direction_from_angle(const Tensor& degrees) {
  const Check check("preference.direction_from_angle");
  check.not_empty("degrees", degrees);
  check.finite("degrees", degrees);
  const auto angle = as_real(degrees) * (std::numbers::pi / 180);
  const auto direction = at::stack({angle.cos(), angle.sin()}, -1);
  return {direction, (100 * direction).round().to(at::kLong)};
}

Tensor directional_reward(const Tensor& rewards, const Tensor& direction, double tolerance) {
  const Check check("reward.directional_reward");
  check_direction(check, "direction", rewards, direction);
  check_unit(check, "direction", direction, tolerance);
  return along(rewards, direction);
}

DirectionalBest directional_best_of_n(const Tensor& rewards, const Tensor& directions, double tolerance) {
  const Check check("filter.directional_best_of_n");
  check.not_empty("rewards", rewards);
  check.not_empty("directions", directions);
  check.dim("rewards", rewards, 3);
  check.dim("directions", directions, 2);
  check_direction(check, "directions", rewards, directions);
  check_unit(check, "directions", directions, tolerance);
  const auto scores = along(rewards, directions);
  const auto index = scores.argmax(1);
  return {index, scores.gather(1, index.unsqueeze(1)).squeeze(1)};
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "multi_objective_mse(Tensor predictions, Tensor targets, Tensor target_mask) -> (Tensor loss, Tensor "
      "per_objective)",
      [](const Tensor& predictions, const Tensor& targets, const Tensor& mask) {
        return as_tuple(multi_objective_mse(predictions, targets, mask));
      },
      "Squared error over the objectives that were rated.", {"52"});
  m.def("rescale_attributes(Tensor values, float scale=20., float offset=10.) -> (Tensor scaled)",
        &rescale_attributes, "Ratings on a common scale.", {"52"});
  m.def("directional_reward(Tensor rewards, Tensor direction, float tolerance=0.001) -> (Tensor scores)",
        &directional_reward, "Rewards of several objectives along a direction.", {"52"});
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def("direction_from_angle(Tensor degrees) -> (Tensor direction, Tensor prompt_weights)",
        [](const Tensor& degrees) { return as_tuple(direction_from_angle(degrees)); },
        "Unit preference directions from angles.", {"52"});
}

PLAUDIT_FUNCTIONS(filter, m) {
  m.def(
      "directional_best_of_n(Tensor rewards, Tensor directions, float tolerance=0.001) -> (Tensor index, "
      "Tensor score)",
      [](const Tensor& rewards, const Tensor& directions, double tolerance) {
        return as_tuple(directional_best_of_n(rewards, directions, tolerance));
      },
      "The best of N answers along each row's direction.", {"52"});
}

}  // namespace plaudit
