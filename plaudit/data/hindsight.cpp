#include "plaudit/data/hindsight.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

void check_uniform(const Check& check, std::string_view name, const Tensor& u) {
  if (!readable(u)) return;
  const auto x = as_real(u);
  for (const double bound : {x.min().item<double>(), x.max().item<double>()})
    check.that(bound >= 0 && bound < 1, name, "in [0, 1)", bound);
}

HindsightGoals relabelled(const Check& check, const GoalSamples& s, double p_future) {
  check_arguments(check, {{"achieved", s.achieved, "NTG"},
                          {"goals", s.goals, "NG"},
                          {"traj", s.traj, "B"},
                          {"time", s.time, "B"},
                          {"future_u", s.future_u, "B"},
                          {"offset_u", s.offset_u, "B"}});
  const int64_t last = s.achieved.size(1) - 1;  // T
  check.index_range("traj", s.traj, 0, s.achieved.size(0));
  check.index_range("time", s.time, 0, last);
  check_uniform(check, "future_u", s.future_u);
  check_uniform(check, "offset_u", s.offset_u);
  check.that(p_future >= 0 && p_future <= 1, "p_future", "in [0, 1]", p_future);
  const auto traj = s.traj.to(at::kLong), time = s.time.to(at::kLong);
  const auto ahead = (as_real(s.offset_u) * (last - time)).floor().to(at::kLong);
  const auto future = (time + 1 + ahead).clamp_max(last);
  const auto reached = as_real(s.achieved).index({traj, future}),
             desired = as_real(s.goals).index_select(0, traj);
  const auto relabel = (as_real(s.future_u) < p_future).unsqueeze(1);
  return {at::where(relabel, reached, desired), future};
}

}  // namespace

HindsightGoals hindsight_goals(const GoalSamples& samples, double p_future) {
  return relabelled(Check("offline.hindsight_goals"), samples, p_future);
}

GoalTransitions goal_transition_batch(const GoalSamples& samples, double p_future) {
  const auto batch = relabelled(Check("offline.goal_transition_batch"), samples, p_future);
  return {batch.goals, batch.future_time - 1};
}

PLAUDIT_FUNCTIONS(offline, m) {
  m.def(
      "hindsight_goals(Tensor achieved, Tensor goals, Tensor traj, Tensor time, Tensor future_u, Tensor "
      "offset_u, "
      "float p_future=0.8) -> (Tensor goals, Tensor future_time)",
      [](const Tensor& achieved, const Tensor& goals, const Tensor& traj, const Tensor& time,
         const Tensor& future, const Tensor& offset, double p_future) {
        return as_tuple(hindsight_goals({achieved, goals, traj, time, future, offset}, p_future));
      },
      "Goals replaced by what the trajectory reached later.", {"55"});
  m.def(
      "goal_transition_batch(Tensor achieved, Tensor goals, Tensor traj, Tensor time, Tensor future_u, "
      "Tensor "
      "offset_u, float p_future=0.8) -> (Tensor goals, Tensor transition_time)",
      [](const Tensor& achieved, const Tensor& goals, const Tensor& traj, const Tensor& time,
         const Tensor& future, const Tensor& offset, double p_future) {
        return as_tuple(goal_transition_batch({achieved, goals, traj, time, future, offset}, p_future));
      },
      "Transitions that step into a goal.", {"55"});
}

}  // namespace plaudit
