#include "plaudit/model/gaussian_process.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

Tensor kernel(const Tensor& a, const Tensor& b, const GpOptions& options) {
  const auto distance = (a.unsqueeze(1) - b.unsqueeze(0)) / options.length_scale;
  return options.signal_variance * (-distance.square() / 2).exp();
}

// The Cholesky factor of the kernel of the observations.
Tensor factor(const Check& check, const Tensor& x, const GpOptions& options) {
  const auto noise = options.noise_std * options.noise_std * at::eye(x.size(0), x.options());
  const auto [lower, info] = at::linalg_cholesky_ex(kernel(x, x, options) + noise);
  if (info.item<int64_t>() != 0)
    check.refuse(ErrorKind::value, "noise_std",
                 fmt::format("is too small for points this close: got {}", options.noise_std));
  return lower;
}

void check_process(const Check& check, const GpOptions& options) {
  check.that(options.length_scale > 0, "length_scale", "> 0", options.length_scale);
  check.that(options.signal_variance > 0, "signal_variance", "> 0", options.signal_variance);
  check.that(options.noise_std >= 0, "noise_std", ">= 0", options.noise_std);
}

Tensor plain(const Tensor& t) {
  return t.detach().to(at::kCPU, at::kDouble);
}

}  // namespace

GpPosterior gp_posterior(const Tensor& x, const Tensor& y, const Tensor& query, const GpOptions& options) {
  const Check check("bandit.gp_posterior");
  check.not_empty("query", query);
  check_sizes(check, {{"x", x, "N"}, {"y", y, "N"}, {"query", query, "M"}});
  check_finite(check, {{"x", x, "N"}, {"y", y, "N"}, {"query", query, "M"}});
  check_process(check, options);
  const auto at = plain(query);
  const auto prior = at::full_like(at, options.signal_variance);
  if (x.numel() == 0) return {at::zeros_like(at), prior.sqrt()};
  const auto points = plain(x), lower = factor(check, points, options);
  const auto cross = kernel(points, at, options);  // [n,m]
  const auto weights = at::cholesky_solve(plain(y).unsqueeze(1), lower).squeeze(1);
  const auto explained = at::linalg_solve_triangular(lower, cross, /*upper=*/false).square().sum(0);
  return {at::matmul(weights, cross), (prior - explained).clamp_min(0).sqrt()};
}

Tensor gp_log_marginal_likelihood(const Tensor& x, const Tensor& y, const GpOptions& options) {
  const Check check("bandit.gp_log_marginal_likelihood");
  check_arguments(check, {{"x", x, "N"}, {"y", y, "N"}});
  check_process(check, options);
  const auto lower = factor(check, plain(x), options);
  const auto whitened = at::linalg_solve_triangular(lower, plain(y).unsqueeze(1), /*upper=*/false).squeeze(1);
  const double constant = static_cast<double>(x.size(0)) * std::log(2 * std::numbers::pi) / 2;
  return -whitened.square().sum() / 2 - lower.diagonal().log().sum() - constant;
}

PLAUDIT_FUNCTIONS(bandit, m) {
  m.def(
      "gp_posterior(Tensor x, Tensor y, Tensor query, float length_scale=1., float signal_variance=1., float "
      "noise_std=0.1) -> (Tensor mean, Tensor std)",
      [](const Tensor& x, const Tensor& y, const Tensor& query, double length, double variance,
         double noise) {
        return as_tuple(gp_posterior(x, y, query, {length, variance, noise}));
      },
      "Mean and deviation of a Gaussian process given observations.", {"36"});
  m.def(
      "gp_log_marginal_likelihood(Tensor x, Tensor y, float length_scale=1., float signal_variance=1., float "
      "noise_std=0.1) -> (Tensor value)",
      [](const Tensor& x, const Tensor& y, double length, double variance, double noise) {
        return gp_log_marginal_likelihood(x, y, {length, variance, noise});
      },
      "The log-likelihood of observations under a Gaussian process.", {"36"});
}

}  // namespace plaudit
