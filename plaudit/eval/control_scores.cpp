#include "plaudit/eval/control_scores.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

constexpr double kMazeRadius = 0.45;  // of the sparse reward, in cells

}  // namespace

Tensor normalized_score(const Tensor& returns, double random_return, double expert_return) {
  const Check check("eval.normalized_score");
  check_arguments(check, {{"returns", returns, "N"}});
  for (const auto& [name, value] :
       {std::pair{"random_return", random_return}, {"expert_return", expert_return}}) {
    if (!std::isfinite(value)) check.refuse(ErrorKind::nan, name, "is NaN or infinite");
  }
  check.that(random_return != expert_return, "expert_return",
             fmt::format("different from random_return {}", random_return), expert_return);
  return 100 * (as_real(returns) - random_return) / (expert_return - random_return);
}

std::optional<ReferenceReturns> d4rl_references(const std::string& task) {
  std::string name;
  for (const char c : task.substr(0, task.find('-')))
    name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (name == "halfcheetah") return ReferenceReturns{-280.178953, 12135.0};
  if (name == "hopper") return ReferenceReturns{-20.272305, 3234.3};
  if (name == "walker2d") return ReferenceReturns{1.629008, 4592.3};
  return std::nullopt;
}

Tensor frequency_averaged_score(const Tensor& lengths, const Tensor& returns, double max_return,
                                double shift) {
  const Check check("eval.frequency_averaged_score");
  check_arguments(check, {{"lengths", lengths, "L"}, {"returns", returns, "L"}});
  check.that(lengths.size(0) >= 2, "lengths", "of at least 2 intervals", lengths.size(0));
  const auto x = as_real(lengths);
  if (readable(x) && !(x.diff() > 0).all().item<bool>())
    check.refuse(ErrorKind::value, "lengths", "must increase strictly");
  check.that(max_return > 0, "max_return", "> 0", max_return);
  return at::trapezoid(as_real(returns) + shift, x) / (max_return * x[-1]);
}

GoalSuccess goal_success(const Tensor& achieved, const Tensor& goals, const Tensor& mask, double threshold,
                         double gamma) {
  const Check check("eval.goal_success");
  const std::initializer_list<ShapedTensor> arguments = {
      {"achieved", achieved, "BTG"}, {"goals", goals, "BG"}, {"mask", mask, "BT"}};
  check_not_empty(check, arguments);
  check_sizes(check, arguments);
  const auto kept = valid(mask);
  if (readable(kept) && !kept.any(1).all().item<bool>())
    check.refuse(ErrorKind::empty, "mask", "has a row without a kept step");
  check.finite_where("achieved", achieved, mask.unsqueeze(2).expand_as(achieved));
  check.finite("goals", goals);
  check_discount(check, gamma);
  check.that(threshold > 0, "threshold", "> 0", threshold);
  const auto a = as_real(achieved);
  const auto distance = (a - as_real(goals).unsqueeze(1)).square().sum(2).sqrt();
  const auto success = (distance < threshold).logical_and(kept).to(a.dtype());
  const auto steps = at::arange(mask.size(1), a.options());
  // The last kept step counts every kept step up to itself.
  const auto count = kept.cumsum(1);
  const auto last = kept.logical_and(count.eq(count.amax(1, true)));
  return {(success * last).sum(1).mean(), success.amax(1).mean(),
          (success * at::pow(at::scalar_tensor(gamma, a.options()), steps)).sum(1).mean()};
}

Tensor maze_reward(const Tensor& position, const Tensor& goal, const std::string& mode) {
  const Check check("eval.maze_reward");
  check_arguments(check, {{"position", position, "BD"}, {"goal", goal, "D"}});
  check.shape("goal", goal, {2});
  check.choice("mode", mode, {"dense", "sparse"});
  const auto distance = (as_real(position) - as_real(goal)).square().sum(1).sqrt();
  return mode == "dense" ? (-distance).exp() : (distance <= kMazeRadius).to(distance.dtype());
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def("normalized_score(Tensor returns, float random_return, float expert_return) -> (Tensor scores)",
        &normalized_score, "Returns between those of a random and an expert policy, in per cent.", {"05"});
  m.def(
      "frequency_averaged_score(Tensor lengths, Tensor returns, float max_return, float shift=0.) -> (Tensor "
      "fas)",
      &frequency_averaged_score, "The area under returns over decision intervals.", {"46"});
  m.def(
      "goal_success(Tensor achieved, Tensor goals, Tensor mask, float threshold, float gamma) -> (Tensor "
      "final_success, Tensor any_success, Tensor discounted_return)",
      [](const Tensor& achieved, const Tensor& goals, const Tensor& mask, double threshold, double gamma) {
        return as_tuple(goal_success(achieved, goals, mask, threshold, gamma));
      },
      "How often a goal-conditioned policy reaches its goal.", {"55"});
  m.def("maze_reward(Tensor position, Tensor goal, str mode='dense') -> (Tensor rewards)", &maze_reward,
        "The dense or sparse reward of a point maze.", {"49"});
}

}  // namespace plaudit
