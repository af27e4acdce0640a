#include "plaudit/objective/variational.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/link.h"

namespace plaudit {
namespace {

void check_gaussian_prior(const Check& check, const GaussianPrior& prior, const Tensor& mean) {
  const auto one = [&](std::string_view name, const std::optional<Tensor>& t) {
    if (!t) return;
    check.dim(name, *t, 1);
    check.same_size("mean", mean, 1, name, *t, 0);
    check.finite(name, *t);
  };
  one("prior_mean", prior.mean);
  one("prior_logvar", prior.logvar);
}

// KL of every row, [U]: with l the difference of the log-variances, (e^l - 1 - l + (m - m0)^2 e^-l0)/2.
Tensor kl_rows(const Tensor& mean, const Tensor& logvar, const GaussianPrior& prior) {
  const auto m = prior.mean ? mean - *prior.mean : mean;
  const auto l = prior.logvar ? logvar - *prior.logvar : logvar;
  const auto distance = prior.logvar ? m.square() * at::exp(-*prior.logvar) : m.square();
  return 0.5 * (at::expm1(l) - l + distance).sum(1);
}

double anneal_shape(const std::string& shape, double step, double total) {
  const double x = step / total;
  if (shape == "linear") return x;
  if (shape == "cosine") return (std::cos(std::numbers::pi * (x - 1)) + 1) / 2;
  if (shape == "logistic") return 1 / (1 + std::exp(total / 2 - step));
  return 1;
}

}  // namespace

GaussianKl gaussian_kl(const Tensor& mean, const Tensor& logvar, const GaussianPrior& prior) {
  const Check check("variational.gaussian_kl");
  check.alike({{"mean", mean}, {"logvar", logvar}}, 2);
  check_gaussian_prior(check, prior, mean);
  const auto rows = kl_rows(as_real(mean), as_real(logvar), prior);
  return {rows.mean(), rows};
}

Tensor reparameterize(const Tensor& mean, const Tensor& logvar, const Tensor& noise, bool normalize) {
  const Check check("variational.reparameterize");
  check.alike({{"mean", mean}, {"logvar", logvar}, {"noise", noise}}, 2);
  const auto z = as_real(mean) + at::exp(as_real(logvar) / 2) * as_real(noise);
  if (!normalize) return z;
  return z / z.norm(2, {1}, true).clamp_min(1e-12) * std::sqrt(static_cast<double>(z.size(1)));
}

PreferenceElbo preference_elbo(const Tensor& reward_a, const Tensor& reward_b, const Tensor& label,
                               const Tensor& mean, const Tensor& logvar, const ElboOptions& options) {
  const Check check("variational.preference_elbo");
  const auto mask = options.mask ? *options.mask : at::ones_like(reward_a);
  const std::initializer_list<NamedTensor> annotations = {
      {"reward_a", reward_a}, {"reward_b", reward_b}, {"label", label}};
  for (const auto& t : annotations) check.not_empty(t.name, t.value);
  check.not_empty("mean", mean);
  check.not_empty("logvar", logvar);
  if (readable(mask) && !valid(mask).any().item<bool>())
    check.refuse(ErrorKind::empty, "mask", "has no valid annotation");
  check.dim("reward_a", reward_a, 2);
  for (const auto& t : annotations) check.same_shape("reward_a", reward_a, t.name, t.value);
  check.same_shape("reward_a", reward_a, "mask", mask);
  check.dim("mean", mean, 2);
  check.same_size("reward_a", reward_a, 0, "mean", mean, 0);
  check.same_shape("mean", mean, "logvar", logvar);
  for (const auto& t : annotations) check.finite_where(t.name, t.value, mask);
  check.finite("mean", mean);
  check.finite("logvar", logvar);
  check_gaussian_prior(check, options.prior, mean);
  check.range("label", keep_valid(label, mask), 0, 1);
  check.that(options.kl_weight >= 0, "kl_weight", ">= 0", options.kl_weight);
  check.that(options.reward_scale > 0, "reward_scale", "> 0", options.reward_scale);

  const auto difference = keep_valid(as_real(reward_a), mask) - keep_valid(as_real(reward_b), mask);
  const auto d = difference / options.reward_scale;
  const auto y = keep_valid(label, mask).to(d.scalar_type());
  const auto reconstruction = keep_valid(logistic_link(d, 1 - y), mask).sum(1).mean();
  const auto kl = kl_rows(as_real(mean), as_real(logvar), options.prior).mean();
  const auto right = d.gt(0).eq(y.gt(0.5)).to(d.scalar_type());
  return {reconstruction + options.kl_weight * kl, reconstruction, kl, masked_mean(right, mask)};
}

double kl_anneal(int64_t step, int64_t total_steps, const AnnealOptions& options) {
  const Check check("variational.kl_anneal");
  check.that(total_steps > 0, "total_steps", "> 0", total_steps);
  check.that(step >= 0, "step", ">= 0", step);
  check.choice("shape", options.shape, {"linear", "cosine", "logistic", "none"});
  check.that(options.baseline >= 0 && options.baseline <= 1, "baseline", "in [0, 1]", options.baseline);
  const int64_t at = options.cyclical ? step % total_steps : std::min(step, total_steps);
  const double y = anneal_shape(options.shape, static_cast<double>(at), static_cast<double>(total_steps));
  return y * (1 - options.baseline) + options.baseline;
}

InformationGain query_information_gain(const Tensor& mean, const Tensor& logvar,
                                       const std::optional<Tensor>& probability) {
  const Check check("variational.query_information_gain");
  check.not_empty("mean", mean);
  check.not_empty("logvar", logvar);
  if (probability) check.not_empty("probability", *probability);
  check.dim("mean", mean, 2);
  check.same_shape("mean", mean, "logvar", logvar);
  const auto m = as_real(mean), l = as_real(logvar);
  auto p = at::full({m.size(0)}, 1 / static_cast<double>(m.size(0)), m.options());
  if (probability) check.shape("probability", *probability, {m.size(0)});
  check.finite("mean", mean);
  check.finite("logvar", logvar);
  if (probability) {
    check.finite("probability", *probability);
    if (readable(*probability)) {
      const auto least = probability->min().item<double>(), total = probability->sum().item<double>();
      check.that(least >= 0, "probability", ">= 0", least);
      check.that(total > 0, "probability", "not all zero", total);
    }
    p = probability->to(m.scalar_type());
    p = p / p.sum();
  }
  const auto weight = p.unsqueeze(1);
  const auto centre = (weight * m).sum(0);
  const auto variance = (weight * (l.exp() + (m - centre).square())).sum(0);
  const auto gain = 0.5 * (variance.log() - (weight * l).sum(0)).sum();
  const double unit = std::log(2 * std::numbers::pi * std::numbers::e);
  return {gain, 0.5 * (weight * (l + unit)).sum()};
}

PLAUDIT_FUNCTIONS(variational, m) {
  m.def(
      "gaussian_kl(Tensor mean, Tensor logvar, Tensor? prior_mean=None, Tensor? prior_logvar=None) -> "
      "(Tensor kl, Tensor per_row)",
      [](const Tensor& mean, const Tensor& logvar, std::optional<Tensor> prior_mean,
         std::optional<Tensor> prior_logvar) {
        return as_tuple(gaussian_kl(mean, logvar, {std::move(prior_mean), std::move(prior_logvar)}));
      },
      "KL divergence of diagonal Gaussians from a prior.", {"16"});
  m.def("reparameterize(Tensor mean, Tensor logvar, Tensor noise, bool normalize=False) -> (Tensor z)",
        &reparameterize, "Draws of a diagonal Gaussian, differentiable in its parameters.", {"16"});
  m.def(
      "preference_elbo(Tensor reward_a, Tensor reward_b, Tensor label, Tensor mean, Tensor logvar, Tensor? "
      "mask=None, float kl_weight=1., float reward_scale=1., Tensor? prior_mean=None, Tensor? "
      "prior_logvar=None) -> (Tensor loss, Tensor reconstruction, Tensor kl, Tensor accuracy)",
      [](const Tensor& a, const Tensor& b, const Tensor& label, const Tensor& mean, const Tensor& logvar,
         std::optional<Tensor> mask, double kl_weight, double reward_scale, std::optional<Tensor> prior_mean,
         std::optional<Tensor> prior_logvar) {
        return as_tuple(preference_elbo(
            a, b, label, mean, logvar,
            {std::move(mask), kl_weight, reward_scale, {std::move(prior_mean), std::move(prior_logvar)}}));
      },
      "Negative evidence lower bound of preferences under a latent user.", {"16"});
  m.def(
      "kl_anneal(int step, int total_steps, str shape, float baseline=0., bool cyclical=False) -> (float "
      "weight)",
      [](int64_t step, int64_t total_steps, std::string shape, double baseline, bool cyclical) {
        return kl_anneal(step, total_steps, {std::move(shape), baseline, cyclical});
      },
      "Weight of the KL term over training.", {"16"});
  m.def(
      "query_information_gain(Tensor mean, Tensor logvar, Tensor? probability=None) -> (Tensor gain, Tensor "
      "conditional_entropy)",
      [](const Tensor& mean, const Tensor& logvar, const std::optional<Tensor>& probability) {
        return as_tuple(query_information_gain(mean, logvar, probability));
      },
      "How much the answers to a set of questions would move a posterior.", {"16"});
}

}  // namespace plaudit
