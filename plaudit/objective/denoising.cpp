#include "plaudit/objective/denoising.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

// One number per row, ready to broadcast over the elements of the rows of `like`.
Tensor per_row(const Tensor& x, const Tensor& like) {
  std::vector<int64_t> sizes(static_cast<size_t>(like.dim()), 1);
  sizes[0] = -1;
  return as_real(x).to(like.scalar_type()).reshape(sizes);
}

void check_rows_of(const Check& check, std::string_view name, const Tensor& numbers, const Tensor& sample) {
  check.not_empty(name, numbers);
  check.dim(name, numbers, 1);
  check.same_size("sample", sample, 0, name, numbers, 0);
}

void check_step(const Check& check, const Tensor& sample, std::string_view other_name, const Tensor& other,
                const Tensor& alpha_bar, const Tensor& alpha_bar_prev) {
  check.not_empty("sample", sample);
  check.same_shape("sample", sample, other_name, other);
  check_rows_of(check, "alpha_bar", alpha_bar, sample);
  check_rows_of(check, "alpha_bar_prev", alpha_bar_prev, sample);
  check.finite("sample", sample);
  check.finite(other_name, other);
  check.finite("alpha_bar", alpha_bar);
  check.finite("alpha_bar_prev", alpha_bar_prev);
  if (!readable(alpha_bar) || !readable(alpha_bar_prev)) return;
  if (alpha_bar.le(0).logical_or(alpha_bar.ge(1)).any().item<bool>())
    check.refuse(ErrorKind::value, "alpha_bar", "must lie in (0, 1)");
  if (alpha_bar_prev.lt(alpha_bar).logical_or(alpha_bar_prev.gt(1)).any().item<bool>())
    check.refuse(ErrorKind::value, "alpha_bar_prev", "must lie in [alpha_bar, 1]");
}

// abar(u) = cos^2((u + 0.008)/1.008 pi/2), Nichol and Dhariwal 2021, eq. 17.
double cosine_abar(double u) {
  const double c = std::cos((u + 0.008) / 1.008 * std::numbers::pi / 2);
  return c * c;
}

}  // namespace

NoiseSchedule make_schedule(const std::string& kind, int64_t steps, double beta_start, double beta_end) {
  const Check check("diffusion.make_schedule");
  check.choice("kind", kind, {"linear", "scaled_linear", "squaredcos_cap_v2"});
  check.that(steps >= 1, "steps", ">= 1", steps);
  Tensor betas;
  if (kind == "squaredcos_cap_v2") {
    std::vector<double> values;
    const auto n = static_cast<double>(steps);
    for (int64_t i = 0; i < steps; ++i) {
      const auto u = static_cast<double>(i);
      values.push_back(std::min(1 - cosine_abar((u + 1) / n) / cosine_abar(u / n), 0.999));
    }
    betas = at::tensor(values, at::kDouble);
  } else {
    check.that(beta_start >= 0 && beta_start < 1, "beta_start", "in [0, 1)", beta_start);
    check.that(beta_end >= 0 && beta_end < 1, "beta_end", "in [0, 1)", beta_end);
    betas = kind == "linear"
                ? at::linspace(beta_start, beta_end, steps, at::kDouble)
                : at::linspace(std::sqrt(beta_start), std::sqrt(beta_end), steps, at::kDouble).square();
  }
  return {betas, (1 - betas).cumprod(0)};
}

DdimStep ddim_step(const Tensor& sample, const Tensor& model_output, const Tensor& alpha_bar,
                   const Tensor& alpha_bar_prev, const DdimOptions& options) {
  const Check check("diffusion.ddim_step");
  check_step(check, sample, "model_output", model_output, alpha_bar, alpha_bar_prev);
  check.choice("prediction_type", options.prediction_type, {"epsilon", "sample", "v_prediction"});
  check.that(options.eta >= 0, "eta", ">= 0", options.eta);
  if (options.clip_x0) check.that(*options.clip_x0 > 0, "clip_x0", "> 0", *options.clip_x0);

  const auto x = as_real(sample);
  const auto out = as_real(model_output).to(x.scalar_type());
  const auto a = per_row(alpha_bar, x), p = per_row(alpha_bar_prev, x);
  const auto signal = a.sqrt(), noise = (1 - a).sqrt();
  Tensor x0, epsilon;
  if (options.prediction_type == "epsilon") {
    epsilon = out;
    x0 = (x - noise * epsilon) / signal;
  } else if (options.prediction_type == "sample") {
    x0 = out;
    epsilon = (x - signal * x0) / noise;
  } else {
    x0 = signal * x - noise * out;
    epsilon = signal * out + noise * x;
  }
  if (options.clip_x0) {
    x0 = x0.clamp(-*options.clip_x0, *options.clip_x0);
    epsilon = (x - signal * x0) / noise;
  }
  const auto std = options.eta * ((1 - p) / (1 - a)).sqrt() * (1 - a / p).clamp_min(0).sqrt();
  const auto mean = p.sqrt() * x0 + (1 - p - std.square()).clamp_min(0).sqrt() * epsilon;
  return {mean, std.flatten(), x0};
}

DdpmPosterior ddpm_posterior(const Tensor& sample, const Tensor& pred_x0, const Tensor& alpha_bar,
                             const Tensor& alpha_bar_prev) {
  const Check check("diffusion.ddpm_posterior");
  check_step(check, sample, "pred_x0", pred_x0, alpha_bar, alpha_bar_prev);
  const auto x = as_real(sample);
  const auto a = per_row(alpha_bar, x), p = per_row(alpha_bar_prev, x);
  const auto alpha = a / p, beta = 1 - alpha;
  const auto mean =
      p.sqrt() * beta / (1 - a) * as_real(pred_x0).to(x.scalar_type()) + alpha.sqrt() * (1 - p) / (1 - a) * x;
  return {mean, ((1 - p) / (1 - a) * beta).flatten()};
}

Tensor gaussian_logp(const Tensor& x, const Tensor& mean, const Tensor& std, const std::string& reduction) {
  const Check check("diffusion.gaussian_logp");
  check.not_empty("x", x);
  check.same_shape("x", x, "mean", mean);
  check_rows_of(check, "std", std, x);
  check.finite("x", x);
  check.finite("mean", mean);
  check.finite("std", std);
  if (readable(std)) {
    const double least = std.min().item<double>();
    check.that(least > 0, "std", "> 0", least);
  }
  check.choice("reduction", reduction, {"mean", "sum"});
  const auto value = as_real(x);
  const auto s = per_row(std, value);
  const auto z = (value - as_real(mean).to(value.scalar_type())) / s;
  const auto logp =
      (-0.5 * z.square() - s.log() - 0.5 * std::log(2 * std::numbers::pi)).reshape({x.size(0), -1});
  return reduction == "mean" ? logp.mean(1) : logp.sum(1);
}

Tensor guidance(const Tensor& uncond, const Tensor& cond, double scale) {
  const Check check("diffusion.guidance");
  check.not_empty("uncond", uncond);
  check.same_shape("uncond", uncond, "cond", cond);
  check.finite("uncond", uncond);
  check.finite("cond", cond);
  const auto base = as_real(uncond);
  return base + scale * (as_real(cond).to(base.scalar_type()) - base);
}

PLAUDIT_FUNCTIONS(diffusion, m) {
  m.def(
      "make_schedule(str kind, int steps, float beta_start=0.0001, float beta_end=0.02) -> (Tensor betas, "
      "Tensor "
      "alphas_cumprod)",
      [](const std::string& kind, int64_t steps, double beta_start, double beta_end) {
        return as_tuple(make_schedule(kind, steps, beta_start, beta_end));
      },
      "A noise schedule: linear, scaled linear or squared cosine.", {"09"});
  m.def(
      "ddim_step(Tensor sample, Tensor model_output, Tensor alpha_bar, Tensor alpha_bar_prev, float eta=1., "
      "str "
      "prediction_type='epsilon', float? clip_x0=None) -> (Tensor mean, Tensor std, Tensor pred_x0)",
      [](const Tensor& sample, const Tensor& model_output, const Tensor& alpha_bar,
         const Tensor& alpha_bar_prev, double eta, std::string prediction_type,
         std::optional<double> clip_x0) {
        return as_tuple(ddim_step(sample, model_output, alpha_bar, alpha_bar_prev,
                                  {eta, std::move(prediction_type), clip_x0}));
      },
      "Mean and standard deviation of one denoising step.", {"09"});
  m.def(
      "ddpm_posterior(Tensor sample, Tensor pred_x0, Tensor alpha_bar, Tensor alpha_bar_prev) -> (Tensor "
      "mean, "
      "Tensor variance)",
      [](const Tensor& sample, const Tensor& pred_x0, const Tensor& alpha_bar, const Tensor& alpha_bar_prev) {
        return as_tuple(ddpm_posterior(sample, pred_x0, alpha_bar, alpha_bar_prev));
      },
      "The posterior of the previous sample given the clean one.", {"09"});
  m.def("gaussian_logp(Tensor x, Tensor mean, Tensor std, str reduction='mean') -> (Tensor logp)",
        &gaussian_logp, "Log-density of a denoising step.", {"09"});
  m.def("guidance(Tensor uncond, Tensor cond, float scale) -> (Tensor output)", &guidance,
        "Classifier-free guidance.", {"09"});
}

}  // namespace plaudit
