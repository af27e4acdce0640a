#include "plaudit/objective/dynamics.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

Tensor soft_clamp(const Tensor& logvar, const Tensor& low, const Tensor& high) {
  const auto below = high - at::softplus(high - logvar);
  return low + at::softplus(below - low);
}

}  // namespace

Tensor soft_clamp_logvar(const Tensor& logvar, const Tensor& min_logvar, const Tensor& max_logvar) {
  const Check check("offline.soft_clamp_logvar");
  const std::initializer_list<ShapedTensor> arguments = {
      {"logvar", logvar, "..."}, {"min_logvar", min_logvar, "D"}, {"max_logvar", max_logvar, "D"}};
  check_not_empty(check, arguments);
  check_sizes(check, arguments);
  if (logvar.dim() == 0 || logvar.sym_size(-1) != min_logvar.sym_size(0))
    check.refuse(ErrorKind::shape, "logvar",
                 fmt::format("must end in the {} dimensions of min_logvar, got {}", shape_of(min_logvar),
                             shape_of(logvar)));
  check_finite(check, arguments);
  return soft_clamp(as_real(logvar), as_real(min_logvar), as_real(max_logvar));
}

DynamicsLoss dynamics_loss(const Tensor& mean, const Tensor& logvar, const Tensor& targets,
                           const Tensor& min_logvar, const Tensor& max_logvar, double bound_coef) {
  const Check check("offline.dynamics_loss");
  check_arguments(check, {{"mean", mean, "MBD"},
                          {"logvar", logvar, "MBD"},
                          {"targets", targets, "MBD"},
                          {"min_logvar", min_logvar, "D"},
                          {"max_logvar", max_logvar, "D"}});
  const auto lv = as_real(logvar);
  const auto members = (lv + (as_real(targets) - as_real(mean)).square() * at::exp(-lv)).mean({1, 2});
  return {members.sum() + bound_coef * (as_real(max_logvar).sum() - as_real(min_logvar).sum()), members};
}

Tensor select_elites(const Tensor& val_losses, int64_t num_elites) {
  const Check check("offline.select_elites");
  check_arguments(check, {{"val_losses", val_losses, "M"}});
  check.that(num_elites >= 1 && num_elites <= val_losses.size(0), "num_elites",
             fmt::format("in [1, {}]", val_losses.size(0)), num_elites);
  return as_real(val_losses)
      .argsort(/*stable=*/true, /*dim=*/0, /*descending=*/false)
      .slice(0, 0, num_elites);
}

DynamicsStep dynamics_step(const Tensor& mean, const Tensor& logvar, const Tensor& states,
                           const Tensor& noise, const Tensor& member) {
  const Check check("offline.dynamics_step");
  check_arguments(check, {{"mean", mean, "MBD"},
                          {"logvar", logvar, "MBD"},
                          {"states", states, "BS"},
                          {"noise", noise, "BD"},
                          {"member", member, "B"}});
  const int64_t outputs = mean.size(2);
  if (states.size(1) != outputs - 1)
    check.refuse(
        ErrorKind::shape, "states",
        fmt::format("must have one column less than mean {}, got {}", shape_of(mean), shape_of(states)));
  check.index_range("member", member, 0, mean.size(0));
  const auto pick = member.to(at::kLong).view({1, -1, 1}).expand({1, mean.size(1), outputs});
  const auto drawn = as_real(mean).gather(0, pick).squeeze(0) +
                     (as_real(logvar).gather(0, pick).squeeze(0) / 2).exp() * as_real(noise);
  return {as_real(states) + drawn.slice(1, 0, outputs - 1), drawn.select(1, outputs - 1)};
}

Tensor standardize_clip(const Tensor& x, const Tensor& mean, const Tensor& std, double clip) {
  const Check check("offline.standardize_clip");
  check_arguments(check, {{"x", x, "BD"}, {"mean", mean, "D"}, {"std", std, "D"}});
  if (readable(std)) {
    const double least = as_real(std).min().item<double>();
    check.that(least > 0, "std", "> 0", least);
  }
  check.that(clip > 0, "clip", "> 0", clip);
  return ((as_real(x) - as_real(mean)) / as_real(std)).clamp(-clip, clip);
}

PLAUDIT_FUNCTIONS(offline, m) {
  m.def("soft_clamp_logvar(Tensor logvar, Tensor min_logvar, Tensor max_logvar) -> (Tensor logvar)",
        &soft_clamp_logvar, "Log-variances held softly between two bounds.", {"35", "49"});
  m.def(
      "dynamics_loss(Tensor mean, Tensor logvar, Tensor targets, Tensor min_logvar, Tensor max_logvar, float "
      "bound_coef=0.01) -> (Tensor loss, Tensor per_member)",
      [](const Tensor& mean, const Tensor& logvar, const Tensor& targets, const Tensor& low,
         const Tensor& high,
         double coef) { return as_tuple(dynamics_loss(mean, logvar, targets, low, high, coef)); },
      "Gaussian likelihood of an ensemble of dynamics models.", {"35", "49"});
  m.def("select_elites(Tensor val_losses, int num_elites=5) -> (Tensor indices)", &select_elites,
        "The members of the lowest hold-out loss.", {"35", "49"});
  m.def(
      "dynamics_step(Tensor mean, Tensor logvar, Tensor states, Tensor noise, Tensor member) -> (Tensor "
      "next_states, Tensor rewards)",
      [](const Tensor& mean, const Tensor& logvar, const Tensor& states, const Tensor& noise,
         const Tensor& member) { return as_tuple(dynamics_step(mean, logvar, states, noise, member)); },
      "One step of a rollout in an ensemble of dynamics models.", {"35", "49"});
  m.def("standardize_clip(Tensor x, Tensor mean, Tensor std, float clip=10.) -> (Tensor x)",
        &standardize_clip, "Standardised and clipped inputs of a dynamics model.", {"35"});
}

}  // namespace plaudit
