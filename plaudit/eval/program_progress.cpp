#include "plaudit/eval/program_progress.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {

ComponentTrace component_trace(const Tensor& values, int64_t points) {
  const Check check("reward.component_trace");
  check.not_empty("values", values);
  check.dim("values", values, 1);
  check.no_nan("values", values);
  check.that(points >= 1, "points", ">= 1", points);
  const auto v = as_real(values);
  const int64_t stride = std::max<int64_t>(v.size(0) / points, 1);
  return {v.slice(0, 0, v.size(0), stride), v.max(), v.mean(), v.min()};
}

RewardTaskScore reward_task_score(const Tensor& metric) {
  const Check check("eval.reward_task_score");
  check.not_empty("metric", metric);
  check.dim("metric", metric, 2);
  check.no_nan("metric", metric);
  const auto scores = as_real(metric).amax(1);
  return {scores, scores.argmax(), scores.max()};
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "component_trace(Tensor values, int points=10) -> (Tensor samples, Tensor max, Tensor mean, Tensor "
      "min)",
      [](const Tensor& values, int64_t points) { return as_tuple(component_trace(values, points)); },
      "A reward component over training, thinned for a prompt.", {"34"});
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def("reward_task_score(Tensor metric) -> (Tensor rts, Tensor best, Tensor final)",
        [](const Tensor& metric) { return as_tuple(reward_task_score(metric)); },
        "Task score of each reward program: its best checkpoint.", {"34"});
}

}  // namespace plaudit
