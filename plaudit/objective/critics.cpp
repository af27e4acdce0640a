#include "plaudit/objective/critics.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/shapes.h"

namespace plaudit {

Tensor ensemble_q_loss(const Tensor& q, const Tensor& targets) {
  const Check check("offline.ensemble_q_loss");
  check_arguments(check, {{"q", q, "NB"}, {"targets", targets, "B"}});
  return (as_real(q) - as_real(targets).detach()).square().sum(0).mean();
}

Tensor edac_diversity(const Tensor& action_grads) {
  const Check check("offline.edac_diversity");
  check_arguments(check, {{"action_grads", action_grads, "NBA"}});
  const int64_t members = action_grads.size(0);
  check.that(members >= 2, "action_grads", "of at least 2 critics", members);
  const auto grads = as_real(action_grads);
  // The norm of a zero gradient has no derivative; there it counts as 0.
  const auto squares = grads.square().sum(2, /*keepdim=*/true);
  const auto positive = squares > 0;
  const auto norm = at::where(positive, at::where(positive, squares, at::ones_like(squares)).sqrt(),
                              at::zeros_like(squares));
  const auto unit = grads / (norm + 1e-10);
  // sum_{i != j} g_i . g_j = |sum g|^2 - sum |g|^2
  const auto cross = unit.sum(0).square().sum(1) - unit.square().sum(2).sum(0);
  return cross.mean() / static_cast<double>(members - 1);
}

Tensor ensemble_penalty(const Tensor& q) {
  const Check check("offline.ensemble_penalty");
  check_arguments(check, {{"q", q, "NB"}});
  const auto values = as_real(q);
  return values.mean(0) - values.amin(0);
}

Tensor td3_smoothed_action(const Tensor& action, const Tensor& noise, const SmoothedActionOptions& options) {
  const Check check("policy_gradient.td3_smoothed_action");
  check_arguments(check, {{"action", action, "BA"}, {"noise", noise, "BA"}});
  check.that(options.sigma >= 0, "sigma", ">= 0", options.sigma);
  check.that(options.clip >= 0, "clip", ">= 0", options.clip);
  check.that(options.max_action > 0, "max_action", "> 0", options.max_action);
  const auto step = (options.sigma * as_real(noise)).clamp(-options.clip, options.clip);
  return (as_real(action) + step).clamp(-options.max_action, options.max_action);
}

Tensor td3_target(const Tensor& rewards, const Tensor& terminals, const Tensor& next_q, double gamma) {
  const Check check("offline.td3_target");
  check_arguments(check,
                  {{"rewards", rewards, "B"}, {"terminals", terminals, "B"}, {"next_q", next_q, "NB"}});
  check_discount(check, gamma);
  return (as_real(rewards) + gamma * (1 - as_real(terminals)) * as_real(next_q).amin(0)).detach();
}

Tensor polyak_update(const Tensor& target, const Tensor& source, double tau) {
  const Check check("offline.polyak_update");
  check_elementwise(check, {{"target", target}, {"source", source}});
  check.that(tau >= 0 && tau <= 1, "tau", "in [0, 1]", tau);
  return (1 - tau) * as_real(target) + tau * as_real(source);
}

PLAUDIT_FUNCTIONS(offline, m) {
  m.def("ensemble_q_loss(Tensor q, Tensor targets) -> (Tensor loss)", &ensemble_q_loss,
        "Squared error summed over critics, averaged over the batch.", {"35"});
  m.def("edac_diversity(Tensor action_grads) -> (Tensor loss)", &edac_diversity,
        "Mean cosine between the action gradients of different critics.", {"35", "05"});
  m.def("ensemble_penalty(Tensor q) -> (Tensor penalty)", &ensemble_penalty,
        "Mean minus minimum of an ensemble of critics.", {"35"});
  m.def("td3_target(Tensor rewards, Tensor terminals, Tensor next_q, float gamma=0.99) -> (Tensor targets)",
        &td3_target, "Targets of the least critic.", {"35", "06"});
  m.def("polyak_update(Tensor target, Tensor source, float tau=0.005) -> (Tensor target)", &polyak_update,
        "A step of a target network towards its source.", {"35", "21"});
}

PLAUDIT_FUNCTIONS(policy_gradient, m) {
  m.def(
      "td3_smoothed_action(Tensor action, Tensor noise, float sigma=0.2, float clip=0.5, float "
      "max_action=1.) -> (Tensor action)",
      [](const Tensor& action, const Tensor& noise, double sigma, double clip, double max_action) {
        return td3_smoothed_action(action, noise, {sigma, clip, max_action});
      },
      "A target action with clipped noise.", {"35", "06"});
}

}  // namespace plaudit
