#include "plaudit/objective/denoising_losses.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/kl_estimator.h"

namespace plaudit {
namespace {

void check_samples(const Check& check, std::string_view name, const Tensor& per_sample, const Tensor& logps) {
  check.not_empty(name, per_sample);
  check.dim(name, per_sample, 1);
  check.same_size("logps", logps, 0, name, per_sample, 0);
  check.finite(name, per_sample);
}

// x_i - x_j.
Tensor differences(const Tensor& x) {
  return x.unsqueeze(1) - x.unsqueeze(0);
}

}  // namespace

PrdpResult prdp_loss(const Tensor& logps, const Tensor& old_logps, const Tensor& ref_logps,
                     const Tensor& rewards, const PrdpOptions& options) {
  const Check check("diffusion.prdp_loss");
  check.alike({{"logps", logps}, {"old_logps", old_logps}, {"ref_logps", ref_logps}}, 2);
  check_samples(check, "rewards", rewards, logps);
  check.that(logps.size(0) >= 2, "logps", "of at least 2 samples", logps.size(0));
  check.that(options.beta > 0, "beta", "> 0", options.beta);
  check.that(options.clip_range >= 0, "clip_range", ">= 0", options.clip_range);
  check.choice("time_reduction", options.time_reduction, {"mean", "sum"});

  const auto l = as_real(logps);
  const auto ref = as_real(ref_logps).detach().to(l.scalar_type());
  const auto ratio = l - ref, old_ratio = as_real(old_logps).detach().to(l.scalar_type()) - ref;
  const auto clipped = at::clamp(ratio, old_ratio - options.clip_range, old_ratio + options.clip_range);
  const auto reduce = [&](const Tensor& x) {
    return options.time_reduction == "mean" ? x.mean(1) : x.sum(1);
  };

  const auto gap = differences(as_real(rewards).detach().to(l.scalar_type()));
  const auto target = gap / options.beta;
  const auto error = (differences(reduce(ratio)) - target).square();
  const auto clipped_error = (differences(reduce(clipped)) - target).square();
  const auto counted = gap > 0;
  const auto pairs = counted.sum();
  const auto terms = at::where(counted, at::maximum(error, clipped_error), at::zeros_like(error));
  return {terms.sum() / pairs.clamp_min(1), pairs};
}

DdpoResult ddpo_loss(const Tensor& logps, const Tensor& old_logps, const Tensor& advantages,
                     const DdpoOptions& options) {
  const Check check("diffusion.ddpo_loss");
  check.alike({{"logps", logps}, {"old_logps", old_logps}}, 2);
  check_samples(check, "advantages", advantages, logps);
  check.that(options.clip_range > 0, "clip_range", "> 0", options.clip_range);
  if (options.advantage_clip)
    check.that(*options.advantage_clip > 0, "advantage_clip", "> 0", *options.advantage_clip);
  const auto l = as_real(logps);
  const auto d = l - as_real(old_logps).detach().to(l.scalar_type());
  auto a = as_real(advantages).detach().to(l.scalar_type()).unsqueeze(1);
  if (options.advantage_clip) a = a.clamp(-*options.advantage_clip, *options.advantage_clip);
  const auto ratio = d.clamp(-max_log_ratio, max_log_ratio).exp();
  const auto loss =
      at::maximum(-a * ratio, -a * ratio.clamp(1 - options.clip_range, 1 + options.clip_range)).mean();
  const auto fixed = d.detach();
  return {loss, fixed.square().mean() / 2,
          (ratio.detach() - 1).abs().gt(options.clip_range).to(l.scalar_type()).mean()};
}

PLAUDIT_FUNCTIONS(diffusion, m) {
  m.def(
      "prdp_loss(Tensor logps, Tensor old_logps, Tensor ref_logps, Tensor rewards, float beta=3e-05, float "
      "clip_range=0.0001, str time_reduction='mean') -> (Tensor loss, Tensor pairs)",
      [](const Tensor& logps, const Tensor& old_logps, const Tensor& ref_logps, const Tensor& rewards,
         double beta, double clip_range, std::string time_reduction) {
        return as_tuple(
            prdp_loss(logps, old_logps, ref_logps, rewards, {beta, clip_range, std::move(time_reduction)}));
      },
      "Regression of reward differences on log-ratio differences of denoising paths.", {"09"});
  m.def(
      "ddpo_loss(Tensor logps, Tensor old_logps, Tensor advantages, float clip_range=0.0001, float? "
      "advantage_clip=5.) -> (Tensor loss, Tensor approx_kl, Tensor clip_fraction)",
      [](const Tensor& logps, const Tensor& old_logps, const Tensor& advantages, double clip_range,
         std::optional<double> advantage_clip) {
        return as_tuple(ddpo_loss(logps, old_logps, advantages, {clip_range, advantage_clip}));
      },
      "Clipped policy gradient over denoising steps.", {"09"});
}

}  // namespace plaudit
