#include "plaudit/objective/sac.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

// A scalar, or one value per state.
void check_temperature(const Check& check, const Tensor& alpha, const Tensor& like) {
  check.not_empty("alpha", alpha);
  if (alpha.dim() != 0 && (alpha.dim() != 1 || alpha.sym_size(0) != like.sym_size(0)))
    check.refuse(ErrorKind::shape, "alpha",
                 fmt::format("must be a scalar or have one value per state, got {}", shape_of(alpha)));
  check.finite("alpha", alpha);
}

}  // namespace

TanhGaussianSample tanh_gaussian_sample(const Tensor& mean, const Tensor& log_std, const Tensor& noise,
                                        double scale) {
  const Check check("policy_gradient.tanh_gaussian_sample");
  check_arguments(check, {{"mean", mean, "BA"}, {"log_std", log_std, "BA"}, {"noise", noise, "BA"}});
  check.that(scale > 0, "scale", "> 0", scale);
  const auto s = as_real(log_std).clamp(-20, 2), n = as_real(noise);
  const auto u = as_real(mean) + s.exp() * n;
  const double half_log_2pi = std::log(2 * std::numbers::pi) / 2;
  const auto normal = -n.square() / 2 - s - half_log_2pi;
  // log(1 - tanh(u)^2), without the cancellation.
  const auto squash = 2 * (std::numbers::ln2 - u - at::softplus(-2 * u));
  const auto logp = (normal - squash).sum(1) - static_cast<double>(mean.size(1)) * std::log(scale);
  return {scale * at::tanh(u), logp};
}

Tensor sac_actor_loss(const Tensor& logps, const Tensor& q, const Tensor& alpha) {
  const Check check("policy_gradient.sac_actor_loss");
  check_arguments(check, {{"logps", logps, "B"}, {"q", q, "NB"}});
  check_temperature(check, alpha, logps);
  return (as_real(alpha) * as_real(logps) - std::get<0>(as_real(q).min(0))).mean();
}

TemperatureLoss sac_temperature_loss(const Tensor& log_alpha, const Tensor& logps, double target_entropy) {
  const Check check("policy_gradient.sac_temperature_loss");
  check_arguments(check, {{"log_alpha", log_alpha, "..."}, {"logps", logps, "B"}});
  const auto log_a = as_real(log_alpha);
  const auto loss = -(log_a * (as_real(logps).detach() + target_entropy)).mean();
  return {loss, log_a.detach().exp()};
}

Tensor soft_q_target(const Tensor& rewards, const Tensor& terminals, const Tensor& next_q,
                     const Tensor& next_logps, const Tensor& alpha, double gamma) {
  const Check check("offline.soft_q_target");
  check_arguments(check, {{"rewards", rewards, "B"},
                          {"terminals", terminals, "B"},
                          {"next_q", next_q, "NB"},
                          {"next_logps", next_logps, "B"}});
  check_temperature(check, alpha, rewards);
  check_discount(check, gamma);
  const auto soft = as_real(next_q).amin(0) - as_real(alpha) * as_real(next_logps);
  return (as_real(rewards) + gamma * (1 - as_real(terminals)) * soft).detach();
}

SequenceActorLoss sequence_actor_loss(const Tensor& logps, const Tensor& q, const Tensor& alpha) {
  const Check check("policy_gradient.sequence_actor_loss");
  check_arguments(check, {{"logps", logps, "BJ"}, {"q", q, "NBJ"}});
  check_temperature(check, alpha, logps);
  const auto a = alpha.dim() == 1 ? as_real(alpha).unsqueeze(1) : as_real(alpha);
  const auto steps = (a * as_real(logps) - std::get<0>(as_real(q).min(0))).mean(0);
  return {steps.sum(), steps};
}

Tensor sequence_temperature_loss(const Tensor& log_alpha, const Tensor& logps, double target_entropy) {
  const Check check("policy_gradient.sequence_temperature_loss");
  check_arguments(check, {{"log_alpha", log_alpha, "..."}, {"logps", logps, "BJ"}});
  return -(as_real(log_alpha) * (as_real(logps).detach().mean(1) + target_entropy)).mean();
}

PLAUDIT_FUNCTIONS(policy_gradient, m) {
  m.def(
      "tanh_gaussian_sample(Tensor mean, Tensor log_std, Tensor noise, float scale=1.) -> (Tensor action, "
      "Tensor logp)",
      [](const Tensor& mean, const Tensor& log_std, const Tensor& noise, double scale) {
        return as_tuple(tanh_gaussian_sample(mean, log_std, noise, scale));
      },
      "A squashed Gaussian action and its exact log-density.", {"35", "05", "46"});
  m.def("sac_actor_loss(Tensor logps, Tensor q, Tensor alpha) -> (Tensor loss)", &sac_actor_loss,
        "Soft actor loss against the least critic.", {"35", "05", "46"});
  m.def(
      "sac_temperature_loss(Tensor log_alpha, Tensor logps, float target_entropy) -> (Tensor loss, Tensor "
      "alpha)",
      [](const Tensor& log_alpha, const Tensor& logps, double target) {
        return as_tuple(sac_temperature_loss(log_alpha, logps, target));
      },
      "Loss of the temperature that holds the entropy at a target.", {"35", "46"});
  m.def("sequence_actor_loss(Tensor logps, Tensor q, Tensor alpha) -> (Tensor loss, Tensor per_step)",
        [](const Tensor& logps, const Tensor& q, const Tensor& alpha) {
          return as_tuple(sequence_actor_loss(logps, q, alpha));
        },
        "Soft actor loss summed over the actions of a sequence.", {"46"});
  m.def("sequence_temperature_loss(Tensor log_alpha, Tensor logps, float target_entropy) -> (Tensor loss)",
        &sequence_temperature_loss, "Loss of the temperature on the mean entropy of a sequence.", {"46"});
}

PLAUDIT_FUNCTIONS(offline, m) {
  m.def(
      "soft_q_target(Tensor rewards, Tensor terminals, Tensor next_q, Tensor next_logps, Tensor alpha, float "
      "gamma=0.99) -> (Tensor targets)",
      &soft_q_target, "Soft targets of the least critic.", {"35", "46"});
}

}  // namespace plaudit
