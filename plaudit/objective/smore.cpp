#include "plaudit/objective/smore.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"
#include "plaudit/objective/offline_value.h"

namespace plaudit {
namespace {

void check_batches(const Check& check, const Tensor& q_goal, const Tensor& q_mix, const Tensor& next_values) {
  check_arguments(check,
                  {{"q_goal", q_goal, "KG"}, {"q_mix", q_mix, "KM"}, {"next_values", next_values, "M"}});
}

}  // namespace

ScoreLoss smore_score_loss(const Tensor& q_goal, const Tensor& q_mix, const Tensor& next_values, double gamma,
                           double reg) {
  const Check check("offline.smore_score_loss");
  check_batches(check, q_goal, q_mix, next_values);
  check_discount(check, gamma);
  check.that(reg >= 0, "reg", ">= 0", reg);
  const auto goal = as_real(q_goal), mix = as_real(q_mix);
  const auto targets = (gamma * as_real(next_values)).detach();
  const auto losses = -goal.mean(1) + reg * mix.mean(1) + (mix - targets).square().mean(1) / 2;
  return {losses.sum(), targets};
}

ScoreLoss smore_stable_loss(const Tensor& q_goal, const Tensor& q_mix, const Tensor& next_values,
                            const StableScoreOptions& options) {
  const Check check("offline.smore_stable_loss");
  check_batches(check, q_goal, q_mix, next_values);
  check.that(options.gamma >= 0 && options.gamma < 1, "gamma", "in [0, 1)", options.gamma);
  check.that(options.reg >= 0, "reg", ">= 0", options.reg);
  const auto goal = as_real(q_goal), mix = as_real(q_mix);
  const double patience = 1 - options.gamma, reached = -options.step_reward / patience;
  const auto targets = (options.step_reward + options.gamma * as_real(next_values)).detach();
  const auto losses = (goal - reached).square().mean(1) + patience * options.reg * mix.square().mean(1) +
                      (mix - targets).square().mean(1) / 2;
  return {losses.sum(), targets};
}

Tensor smore_value_loss(const Tensor& q, const Tensor& values, double tau) {
  const Check check("offline.smore_value_loss");
  check_arguments(check, {{"q", q, "KB"}, {"values", values, "B"}});
  check.that(tau > 0 && tau < 1, "tau", "in (0, 1)", tau);
  return expectile_loss(as_real(q).detach().amin(0) - as_real(values), tau).loss;
}

PLAUDIT_FUNCTIONS(offline, m) {
  m.def(
      "smore_score_loss(Tensor q_goal, Tensor q_mix, Tensor next_values, float gamma=0.99, float reg=1e-4) "
      "-> "
      "(Tensor loss, Tensor targets)",
      [](const Tensor& goal, const Tensor& mix, const Tensor& next, double gamma, double reg) {
        return as_tuple(smore_score_loss(goal, mix, next, gamma, reg));
      },
      "Score loss of occupancy matching.", {"55"});
  m.def(
      "smore_stable_loss(Tensor q_goal, Tensor q_mix, Tensor next_values, float gamma=0.99, float "
      "step_reward=-2., "
      "float reg=1e-4) -> (Tensor loss, Tensor targets)",
      [](const Tensor& goal, const Tensor& mix, const Tensor& next, double gamma, double step_reward,
         double reg) {
        return as_tuple(smore_stable_loss(goal, mix, next, {gamma, step_reward, reg}));
      },
      "Score loss with bounded scores.", {"55"});
  m.def("smore_value_loss(Tensor q, Tensor values, float tau=0.8) -> (Tensor loss)", &smore_value_loss,
        "Expectile regression of the value on the least critic.", {"55"});
}

}  // namespace plaudit
