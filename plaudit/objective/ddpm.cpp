#include "plaudit/objective/ddpm.h"

#include <ATen/ATen.h>

#include <numbers>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

// Every abar in (0,1].
void check_schedule(const Check& check, const Tensor& alphas_cumprod) {
  if (!readable(alphas_cumprod)) return;
  const auto a = as_real(alphas_cumprod);
  const double least = a.min().item<double>(), most = a.max().item<double>();
  check.that(least > 0, "alphas_cumprod", "in (0, 1]", least);
  check.that(most <= 1, "alphas_cumprod", "in (0, 1]", most);
}

}  // namespace

NoiseSchedule squaredcos_betas(int64_t steps, double max_beta) {
  const Check check("diffusion.squaredcos_betas");
  check.that(steps >= 1, "steps", ">= 1", steps);
  check.that(max_beta > 0 && max_beta <= 1, "max_beta", "in (0, 1]", max_beta);
  const auto u = at::arange(steps + 1, at::kDouble) / static_cast<double>(steps);
  const auto abar = ((u + 0.008) / 1.008 * (std::numbers::pi / 2)).cos().square();
  const auto betas = (1 - abar.slice(0, 1) / abar.slice(0, 0, steps)).clamp_max(max_beta);
  return {betas, (1 - betas).cumprod(0)};
}

Tensor add_noise(const Tensor& x0, const Tensor& noise, const Tensor& t, const Tensor& alphas_cumprod) {
  const Check check("diffusion.add_noise");
  check_arguments(
      check,
      {{"x0", x0, "BD"}, {"noise", noise, "BD"}, {"t", t, "B"}, {"alphas_cumprod", alphas_cumprod, "N"}});
  check.index_range("t", t, 0, alphas_cumprod.size(0));
  check_schedule(check, alphas_cumprod);
  const auto abar = as_real(alphas_cumprod).index_select(0, t.to(at::kLong)).unsqueeze(1);
  return abar.sqrt() * as_real(x0) + (1 - abar).sqrt() * as_real(noise);
}

DenoisingStep ddpm_step(const Tensor& x_t, const Tensor& eps, const Tensor& noise,
                        const Tensor& alphas_cumprod, int64_t t, bool clip) {
  const Check check("diffusion.ddpm_step");
  check_arguments(check, {{"x_t", x_t, "BD"},
                          {"eps", eps, "BD"},
                          {"noise", noise, "BD"},
                          {"alphas_cumprod", alphas_cumprod, "N"}});
  check.that(t >= 0 && t < alphas_cumprod.size(0), "t", fmt::format("in [0, {})", alphas_cumprod.size(0)), t);
  check_schedule(check, alphas_cumprod);
  const auto schedule = as_real(alphas_cumprod);
  const auto abar = schedule[t], before = t > 0 ? schedule[t - 1] : at::ones_like(abar);
  const auto x = as_real(x_t);
  auto x0 = (x - (1 - abar).sqrt() * as_real(eps)) / abar.sqrt();
  if (clip) x0 = x0.clamp(-1, 1);
  if (t == 0) return {x0, x0};
  const auto alpha = abar / before, beta = 1 - alpha;
  const auto mean = before.sqrt() * beta / (1 - abar) * x0 + alpha.sqrt() * (1 - before) / (1 - abar) * x;
  const auto variance = (1 - before) / (1 - abar) * beta;
  return {mean + variance.sqrt() * as_real(noise), x0};
}

PLAUDIT_FUNCTIONS(diffusion, m) {
  m.def("squaredcos_betas(int steps, float max_beta=0.999) -> (Tensor betas, Tensor alphas_cumprod)",
        [](int64_t steps, double max_beta) { return as_tuple(squaredcos_betas(steps, max_beta)); },
        "The squared-cosine noise schedule.", {"49"});
  m.def("add_noise(Tensor x0, Tensor noise, Tensor t, Tensor alphas_cumprod) -> (Tensor x_t)", &add_noise,
        "Clean values at a step of the noise schedule.", {"49", "09"});
  m.def(
      "ddpm_step(Tensor x_t, Tensor eps, Tensor noise, Tensor alphas_cumprod, int t, bool clip=True) -> "
      "(Tensor "
      "x_prev, Tensor x0)",
      [](const Tensor& x_t, const Tensor& eps, const Tensor& noise, const Tensor& schedule, int64_t t,
         bool clip) { return as_tuple(ddpm_step(x_t, eps, noise, schedule, t, clip)); },
      "One denoising step with predicted noise.", {"49"});
}

}  // namespace plaudit
