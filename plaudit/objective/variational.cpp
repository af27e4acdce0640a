#include "plaudit/objective/variational.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"
#include "plaudit/objective/link.h"
#include "plaudit/objective/tokens.h"

namespace plaudit {
namespace {

void check_posterior(const Check& check, const Tensor& mean, const Tensor& logvar,
                     const GaussianPrior& prior) {
  check_arguments(check, {{"mean", mean, "UZ"},
                          {"logvar", logvar, "UZ"},
                          {"prior_mean", prior.mean.value_or(Tensor()), "Z"},
                          {"prior_logvar", prior.logvar.value_or(Tensor()), "Z"}});
}

// KL(Normal(mean, exp logvar) || prior), [U].
Tensor kl_rows(const Tensor& mean, const Tensor& logvar, const GaussianPrior& prior) {
  auto shift = as_real(mean);
  if (prior.mean) shift = shift - as_real(*prior.mean);
  auto relative = as_real(logvar);  // log of the ratio of the variances
  auto squares = shift.square();
  if (prior.logvar) {
    relative = relative - as_real(*prior.logvar);
    squares = squares * (-as_real(*prior.logvar)).exp();
  }
  // expm1 keeps the digits of a posterior close to the prior.
  return (relative.expm1() - relative + squares).sum(1) / 2;
}

Tensor gaussian_entropy(const Tensor& logvar) {
  return (logvar + std::log(2 * std::numbers::pi * std::numbers::e)).sum(-1) / 2;
}

double anneal_shape(const std::string& shape, double step, double total) {
  if (shape == "linear") return step / total;
  if (shape == "cosine") return (std::cos(std::numbers::pi * (step / total - 1)) + 1) / 2;
  if (shape == "logistic") return 1 / (1 + std::exp(total / 2 - step));
  return 1;
}

}  // namespace

GaussianKl gaussian_kl(const Tensor& mean, const Tensor& logvar, const GaussianPrior& prior) {
  const Check check("variational.gaussian_kl");
  check_posterior(check, mean, logvar, prior);
  const auto rows = kl_rows(mean, logvar, prior);
  return {rows.mean(), rows};
}

Tensor reparameterize(const Tensor& mean, const Tensor& logvar, const Tensor& noise, bool normalize) {
  const Check check("variational.reparameterize");
  check_arguments(check, {{"mean", mean, "UZ"}, {"logvar", logvar, "UZ"}, {"noise", noise, "UZ"}});
  const auto z = as_real(mean) + (as_real(logvar) / 2).exp() * as_real(noise);
  if (!normalize) return z;
  const auto squares = z.square().sum(1, /*keepdim=*/true).clamp_min(1e-24);
  return z * squares.rsqrt() * std::sqrt(static_cast<double>(mean.size(1)));
}

PreferenceElbo preference_elbo(const UserComparisons& c, const Tensor& mean, const Tensor& logvar,
                               const ElboOptions& options) {
  const Check check("variational.preference_elbo");
  const auto mask = c.mask ? *c.mask : at::ones_like(c.reward_a, at::kBool);
  check_posterior(check, mean, logvar, options.prior);
  check_tokens(check, {{"reward_a", c.reward_a}, {"reward_b", c.reward_b}, {"label", c.label}}, mask,
               ValidRows::some);
  check.same_size("reward_a", c.reward_a, 0, "mean", mean, 0);
  const auto label = keep_valid(as_real(c.label), mask);
  check.range("label", label, 0, 1);
  check.that(options.kl_weight >= 0, "kl_weight", ">= 0", options.kl_weight);
  check.that(options.reward_scale > 0, "reward_scale", "> 0", options.reward_scale);

  const auto lead = keep_valid(as_real(c.reward_a), mask) - keep_valid(as_real(c.reward_b), mask);
  const auto losses = keep_valid(logistic_link(lead / options.reward_scale, 1 - label), mask);
  const auto reconstruction = losses.sum(1).mean();
  const auto kl = kl_rows(mean, logvar, options.prior).mean();
  const auto right = lead.gt(0).eq(label.gt(0.5)).to(lead.dtype());
  return {reconstruction + options.kl_weight * kl, reconstruction, kl, masked_mean(right, mask)};
}

double kl_anneal(int64_t step, int64_t total_steps, const AnnealOptions& options) {
  const Check check("variational.kl_anneal");
  check.that(step >= 0, "step", ">= 0", step);
  check.that(total_steps > 0, "total_steps", "> 0", total_steps);
  check.choice("shape", options.shape, {"linear", "cosine", "logistic", "none"});
  check.that(options.baseline >= 0 && options.baseline <= 1, "baseline", "in [0, 1]", options.baseline);
  const int64_t at = options.cyclical ? step % total_steps : std::min(step, total_steps);
  const double y = anneal_shape(options.shape, static_cast<double>(at), static_cast<double>(total_steps));
  return y * (1 - options.baseline) + options.baseline;
}

Tensor set_attention_pool(const Tensor& x, const Tensor& mask, const AttentionPoolWeights& w) {
  const Check check("variational.set_attention_pool");
  const std::initializer_list<ShapedTensor> arguments = {
      {"x", x, "UNZ"},    {"mask", mask, "UN"}, {"wq", w.wq, "ZZ"}, {"wk", w.wk, "ZZ"},
      {"wv", w.wv, "ZZ"}, {"bq", w.bq, "Z"},    {"bk", w.bk, "Z"},  {"bv", w.bv, "Z"}};
  check_not_empty(check, arguments);
  check_sizes(check, arguments);
  check_tokens(check, {{"mask", mask}}, mask, ValidRows::every);
  const auto member = valid(mask).unsqueeze(2);  // [U,n,1]
  check.finite_where("x", x, member.expand_as(x));
  check_finite(check, {{"wq", w.wq, ""},
                       {"wk", w.wk, ""},
                       {"wv", w.wv, ""},
                       {"bq", w.bq, ""},
                       {"bk", w.bk, ""},
                       {"bv", w.bv, ""}});
  const auto set = keep_valid(as_real(x), member);
  const auto q = at::linear(set, as_real(w.wq), as_real(w.bq)),
             k = at::linear(set, as_real(w.wk), as_real(w.bk));
  const auto v = at::linear(set, as_real(w.wv), as_real(w.bv));
  const auto scores = at::matmul(q, k.transpose(1, 2)) / std::sqrt(static_cast<double>(x.size(2)));
  const auto hidden =
      scores.masked_fill(member.transpose(1, 2).logical_not(), -std::numeric_limits<double>::infinity());
  const auto attended = at::matmul(at::softmax(hidden, 2), v);
  return keep_valid(attended, member).sum(1) / member.sum(1);
}

InformationGain query_information_gain(const Tensor& mean, const Tensor& logvar,
                                       const std::optional<Tensor>& probability) {
  const Check check("variational.query_information_gain");
  check_arguments(
      check,
      {{"mean", mean, "LZ"}, {"logvar", logvar, "LZ"}, {"probability", probability.value_or(Tensor()), "L"}});
  const auto m = as_real(mean), lv = as_real(logvar);
  auto p = probability ? as_real(*probability) : at::ones({m.size(0)}, m.options());
  if (readable(p)) {
    const double least = p.min().item<double>(), total = p.sum().item<double>();
    check.that(least >= 0, "probability", ">= 0", least);
    check.that(total > 0, "probability", "positive somewhere", total);
  }
  p = (p / p.sum()).unsqueeze(1);
  const auto centre = (p * m).sum(0);
  const auto variance = (p * (lv.exp() + (m - centre).square())).sum(0);
  const auto conditional = (p.squeeze(1) * gaussian_entropy(lv)).sum();
  return {gaussian_entropy(variance.log()) - conditional, conditional};
}

PLAUDIT_FUNCTIONS(variational, m) {
  m.def(
      "gaussian_kl(Tensor mean, Tensor logvar, Tensor? prior_mean=None, Tensor? prior_logvar=None) -> "
      "(Tensor kl, "
      "Tensor per_row)",
      [](const Tensor& mean, const Tensor& logvar, std::optional<Tensor> prior_mean,
         std::optional<Tensor> prior_logvar) {
        return as_tuple(gaussian_kl(mean, logvar, {std::move(prior_mean), std::move(prior_logvar)}));
      },
      "KL divergence of diagonal Gaussians.", {"16"});
  m.def("reparameterize(Tensor mean, Tensor logvar, Tensor noise, bool normalize=False) -> (Tensor z)",
        &reparameterize, "A sample of a diagonal Gaussian from given noise.", {"16"});
  m.def(
      "preference_elbo(Tensor reward_a, Tensor reward_b, Tensor label, Tensor mean, Tensor logvar, Tensor? "
      "mask=None, float kl_weight=1., float reward_scale=1., Tensor? prior_mean=None, Tensor? "
      "prior_logvar=None) -> "
      "(Tensor loss, Tensor reconstruction, Tensor kl, Tensor accuracy)",
      [](const Tensor& a, const Tensor& b, const Tensor& label, const Tensor& mean, const Tensor& logvar,
         std::optional<Tensor> mask, double kl_weight, double scale, std::optional<Tensor> prior_mean,
         std::optional<Tensor> prior_logvar) {
        return as_tuple(
            preference_elbo({a, b, label, std::move(mask)}, mean, logvar,
                            {kl_weight, scale, {std::move(prior_mean), std::move(prior_logvar)}}));
      },
      "The negative evidence bound of preferences under a latent user.", {"16"});
  m.def(
      "kl_anneal(int step, int total_steps, str shape='linear', float baseline=0., bool cyclical=False) -> "
      "(float "
      "weight)",
      [](int64_t step, int64_t total, std::string shape, double baseline, bool cyclical) {
        return kl_anneal(step, total, {std::move(shape), baseline, cyclical});
      },
      "The weight of the KL term over training.", {"16"});
  m.def(
      "set_attention_pool(Tensor x, Tensor mask, Tensor wq, Tensor wk, Tensor wv, Tensor bq, Tensor bk, "
      "Tensor bv) -> "
      "(Tensor pooled)",
      [](const Tensor& x, const Tensor& mask, const Tensor& wq, const Tensor& wk, const Tensor& wv,
         const Tensor& bq, const Tensor& bk, const Tensor& bv) {
        return set_attention_pool(x, mask, {wq, wk, wv, bq, bk, bv});
      },
      "Self-attention over the members of a set, averaged.", {"16"});
  m.def(
      "query_information_gain(Tensor mean, Tensor logvar, Tensor? probability=None) -> (Tensor gain, Tensor "
      "conditional_entropy)",
      [](const Tensor& mean, const Tensor& logvar, const std::optional<Tensor>& probability) {
        return as_tuple(query_information_gain(mean, logvar, probability));
      },
      "How much the answers to some questions are expected to tell.", {"16"});
}

}  // namespace plaudit
