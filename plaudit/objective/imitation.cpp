#include "plaudit/objective/imitation.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

Tensor capped_exp(const Tensor& exponent, double cap) {
  return exponent.clamp_max(std::log(cap)).exp();
}

}  // namespace

Tensor advantage_weights(const Tensor& advantages, const AdvantageWeightOptions& options) {
  const Check check("offline.advantage_weights");
  check_arguments(check, {{"advantages", advantages, "B"}});
  check.that(options.beta >= 0, "beta", ">= 0", options.beta);
  check.that(options.max_weight > 0, "max_weight", "> 0", options.max_weight);
  return capped_exp(options.beta * as_real(advantages), options.max_weight);
}

Tensor weighted_bc_loss(const Tensor& pred, const Tensor& actions, const Tensor& weights) {
  const Check check("offline.weighted_bc_loss");
  check_arguments(check, {{"pred", pred, "BA"}, {"actions", actions, "BA"}, {"weights", weights, "B"}});
  return (as_real(weights) * (as_real(pred) - as_real(actions)).square().sum(1)).mean();
}

Tensor rcsl_loss(const Tensor& pred, const Tensor& actions) {
  const Check check("offline.rcsl_loss");
  check_arguments(check, {{"pred", pred, "BA"}, {"actions", actions, "BA"}});
  return (as_real(pred) - as_real(actions)).square().mean();
}

Tensor masked_action_mse(const Tensor& pred, const Tensor& actions, const Tensor& mask) {
  const Check check("offline.masked_action_mse");
  const std::initializer_list<ShapedTensor> arguments = {
      {"pred", pred, "BTA"}, {"actions", actions, "BTA"}, {"mask", mask, "BT"}};
  check_not_empty(check, arguments);
  check_sizes(check, arguments);
  if (readable(mask) && !valid(mask).any().item<bool>())
    check.refuse(ErrorKind::empty, "mask", "has no kept step");
  const auto kept = mask.unsqueeze(2).expand_as(pred);
  check.finite_where("pred", pred, kept);
  check.finite_where("actions", actions, kept);
  return masked_mean((keep_valid(as_real(pred), kept) - keep_valid(as_real(actions), kept)).square(), kept);
}

AdvantageWeightedLoss advantage_weighted_loss(const Tensor& logps, const Tensor& q, const Tensor& values,
                                              const AdvantageWeightedOptions& options) {
  const Check check("offline.advantage_weighted_loss");
  check_arguments(check, {{"logps", logps, "B"}, {"q", q, "KB"}, {"values", values, "B"}});
  check.that(options.temperature >= 0, "temperature", ">= 0", options.temperature);
  check.that(options.max_weight > 0, "max_weight", "> 0", options.max_weight);
  const auto advantages = as_real(q).amin(0) - as_real(values);
  const auto weights = capped_exp(options.temperature * advantages, options.max_weight).detach();
  return {-(weights * as_real(logps)).mean(), weights};
}

PLAUDIT_FUNCTIONS(offline, m) {
  m.def("advantage_weights(Tensor advantages, float beta=3., float max_weight=100.) -> (Tensor weights)",
        [](const Tensor& advantages, double beta, double max_weight) {
          return advantage_weights(advantages, {beta, max_weight});
        },
        "Exponentiated advantages, capped before the exponential.", {"05", "21", "55"});
  m.def("weighted_bc_loss(Tensor pred, Tensor actions, Tensor weights) -> (Tensor loss)", &weighted_bc_loss,
        "Behaviour cloning with one weight per transition.", {"05"});
  m.def("rcsl_loss(Tensor pred, Tensor actions) -> (Tensor loss)", &rcsl_loss,
        "Mean squared error of a return-conditioned policy.", {"49"});
  m.def("masked_action_mse(Tensor pred, Tensor actions, Tensor mask) -> (Tensor loss)", &masked_action_mse,
        "Mean squared error of actions over kept steps.", {"33"});
  m.def(
      "advantage_weighted_loss(Tensor logps, Tensor q, Tensor values, float temperature=3., float "
      "max_weight=100.) -> (Tensor loss, Tensor weights)",
      [](const Tensor& logps, const Tensor& q, const Tensor& values, double temperature, double max_weight) {
        return as_tuple(advantage_weighted_loss(logps, q, values, {temperature, max_weight}));
      },
      "Log-likelihood weighted by the exponentiated advantage of the least critic.", {"55"});
}

}  // namespace plaudit
