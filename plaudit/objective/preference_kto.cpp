#include "plaudit/objective/preference_kto.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {

Tensor kto_reference_point(const Tensor& kl_logps, const Tensor& kl_ref_logps) {
  const Check check("preference.kto_reference_point");
  check.alike({{"kl_logps", kl_logps}, {"kl_ref_logps", kl_ref_logps}}, 1);
  return (as_real(kl_logps) - as_real(kl_ref_logps)).detach().mean().clamp_min(0);
}

KtoResult kto_loss(const Tensor& logps, const Tensor& ref_logps, const Tensor& desirable, const Tensor& kl,
                   const KtoOptions& options) {
  const Check check("preference.kto_loss");
  check.alike({{"logps", logps}, {"ref_logps", ref_logps}}, 1);
  check.same_shape("logps", logps, "desirable", desirable);
  check.flags("desirable", desirable);
  check.dim("kl", kl, 0);
  check.finite("kl", kl);
  if (readable(kl)) check.that(kl.item<double>() >= 0, "kl", ">= 0", kl.item<double>());
  check.that(options.beta > 0, "beta", "> 0", options.beta);
  check.that(options.desirable_weight >= 0, "desirable_weight", ">= 0", options.desirable_weight);
  check.that(options.undesirable_weight >= 0, "undesirable_weight", ">= 0", options.undesirable_weight);

  const auto ratio = as_real(logps) - as_real(ref_logps);
  const auto gain = options.beta * (ratio - kl.detach());
  // 1 - sigma(x) is sigma(-x), which keeps its digits when x is large.
  const auto losses = at::where(valid(desirable), options.desirable_weight * at::sigmoid(-gain),
                                options.undesirable_weight * at::sigmoid(gain));
  return {losses.mean(), losses, options.beta * ratio.detach()};
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def("kto_reference_point(Tensor kl_logps, Tensor kl_ref_logps) -> (Tensor kl)", &kto_reference_point,
        "Reference point of KTO: the clamped mean log-ratio of mismatched pairs.", {"48"});
  m.def(
      "kto_loss(Tensor logps, Tensor ref_logps, Tensor desirable, Tensor kl, float beta=0.1, float "
      "desirable_weight=1., float undesirable_weight=1.) -> (Tensor loss, Tensor losses, Tensor rewards)",
      [](const Tensor& logps, const Tensor& ref_logps, const Tensor& desirable, const Tensor& kl, double beta,
         double desirable_weight, double undesirable_weight) {
        return as_tuple(
            kto_loss(logps, ref_logps, desirable, kl, {beta, desirable_weight, undesirable_weight}));
      },
      "KTO: prospect-theoretic loss on answers marked desirable or not.", {"48"});
}

}  // namespace plaudit
