#include "plaudit/reward/preference_posterior.h"

#include <ATen/ATen.h>

#include <limits>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"
#include "plaudit/core/tensors.h"

namespace plaudit {
namespace {

// Floyd and Warshall: through every node in turn.
Tensor shortest_paths(const Tensor& edges, const Tensor& variance, int64_t nodes) {
  auto distance = at::full({nodes, nodes}, std::numeric_limits<double>::infinity(), at::kDouble);
  auto* d = distance.mutable_data_ptr<double>();
  const auto* e = edges.const_data_ptr<int64_t>();
  const auto* w = variance.const_data_ptr<double>();
  for (int64_t i = 0; i < nodes; ++i) d[i * nodes + i] = 0;
  for (int64_t k = 0; k < edges.size(0); ++k) {
    const int64_t a = e[2 * k], b = e[2 * k + 1];
    d[a * nodes + b] = d[b * nodes + a] = std::min(d[a * nodes + b], w[k]);
  }
  for (int64_t via = 0; via < nodes; ++via) {
    for (int64_t i = 0; i < nodes; ++i) {
      const double first = d[i * nodes + via];
      for (int64_t j = 0; j < nodes; ++j)
        d[i * nodes + j] = std::min(d[i * nodes + j], first + d[via * nodes + j]);
    }
  }
  return distance;
}

// R_ij = G_ii + G_jj - 2 G_ij with G the inverse of the Laplacian of 1/variance plus the mean of each
// component, which the differences do not see: at the scale of its conductances, lest one is rounded away.
Tensor resistances(const Tensor& edges, const Tensor& variance, const Tensor& connected) {
  const int64_t nodes = connected.size(0);
  const auto a = edges.select(1, 0), b = edges.select(1, 1);
  const auto one_way = at::zeros({nodes * nodes}, at::kDouble).index_add(0, a * nodes + b, 1 / variance);
  auto weights = one_way.view({nodes, nodes});
  weights = weights + weights.t();
  weights.fill_diagonal_(0);  // a loop carries nothing
  const auto laplacian = at::diag(weights.sum(1)) - weights;
  const auto together = connected.to(at::kDouble);
  const auto scale = at::mv(together, weights.sum(1)) / together.sum(1);  // equal within a component
  const auto mean = together * (at::where(scale > 0, scale, 1.0) / together.sum(1)).unsqueeze(1);
  const auto green = at::linalg_inv(laplacian + mean);
  const auto own = green.diagonal();
  return (own.unsqueeze(1) + own.unsqueeze(0) - 2 * green).clamp_min(0);
}

}  // namespace

PreferencePosterior preference_posterior(const Tensor& prior_covariance, const Tensor& pairs,
                                         const Tensor& difference, double noise_variance) {
  const Check check("linear.preference_posterior");
  check_arguments(check, {{"prior_covariance", prior_covariance, "NN"},
                          {"pairs", pairs, "PC"},
                          {"difference", difference, "P"}});
  check.shape("pairs", pairs, {-1, 2});
  check.index_range("pairs", pairs, 0, prior_covariance.size(0));
  check.that(noise_variance > 0, "noise_variance", "> 0", noise_variance);
  const auto k = on_cpu_f64(prior_covariance), index = pairs.to(at::kCPU, at::kLong);
  const auto left = k.index_select(1, index.select(1, 0)) - k.index_select(1, index.select(1, 1));  // K A'
  const auto inner = left.index_select(0, index.select(1, 0)) - left.index_select(0, index.select(1, 1));
  const auto system = inner + noise_variance * at::eye(index.size(0), k.options());
  const auto right = at::cat({on_cpu_f64(difference).unsqueeze(1), left.t()}, 1);
  const auto solved = at::linalg_solve(system, right);
  return {at::matmul(left, solved.select(1, 0)), k - at::matmul(left, solved.slice(1, 1))};
}

Tensor inference_distance(const Tensor& edges, const Tensor& variance, int64_t nodes,
                          const std::string& mode) {
  const Check check("eval.inference_distance");
  check_arguments(check, {{"edges", edges, "EC"}, {"variance", variance, "E"}});
  check.shape("edges", edges, {-1, 2});
  check.that(nodes >= 1, "nodes", ">= 1", nodes);
  check.index_range("edges", edges, 0, nodes);
  const auto w = on_cpu_f64(variance);
  const double least = w.min().item<double>();
  check.that(least > 0, "variance", "> 0", least);
  check.choice("mode", mode, {"min_path", "resistance"});
  const auto e = edges.to(at::kCPU, at::kLong).contiguous();
  const auto paths = shortest_paths(e, w, nodes);
  if (mode == "min_path") return paths;
  const auto connected = at::isfinite(paths);
  const auto distance = resistances(e, w, connected);
  return distance.masked_fill(connected.logical_not(), std::numeric_limits<double>::infinity())
      .fill_diagonal_(0);
}

AutoencodingGap autoencoding_gap(const Tensor& human_reward, const Tensor& model_reward, double human_beta,
                                 double model_beta) {
  const Check check("eval.autoencoding_gap");
  check_arguments(check, {{"human_reward", human_reward, "N"}, {"model_reward", model_reward, "N"}});
  const auto h = as_real(human_reward), r = as_real(model_reward);
  const auto log_human = at::log_softmax(human_beta * h, 0), log_model = at::log_softmax(model_beta * r, 0);
  const auto human = log_human.exp(), model = log_model.exp();
  // The mean over pairs of a squared difference is twice the unbiased variance; one reward has no pair.
  const auto error = r - h;
  const auto n = static_cast<double>(h.size(0));
  const auto mse =
      h.size(0) < 2 ? at::zeros({}, h.options()) : 2 * (error - error.mean()).square().sum() / (n - 1);
  return {human, model, (human * (log_human - log_model)).sum(), (human - model).abs().sum() / 2, mse};
}

PLAUDIT_FUNCTIONS(linear, m) {
  m.def(
      "preference_posterior(Tensor prior_covariance, Tensor pairs, Tensor difference, float noise_variance) "
      "-> "
      "(Tensor mean, Tensor covariance)",
      [](const Tensor& prior, const Tensor& pairs, const Tensor& difference, double noise) {
        return as_tuple(preference_posterior(prior, pairs, difference, noise));
      },
      "Rewards given noisy differences.", {"25"});
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def(
      "inference_distance(Tensor edges, Tensor variance, int nodes, str mode='min_path') -> (Tensor "
      "distance)",
      &inference_distance, "How uncertain one reward leaves another on a graph of comparisons.", {"25"});
  m.def(
      "autoencoding_gap(Tensor human_reward, Tensor model_reward, float human_beta=1., float model_beta=1.) "
      "-> "
      "(Tensor human, Tensor model, Tensor kl, Tensor tv, Tensor difference_mse)",
      [](const Tensor& human, const Tensor& model, double human_beta, double model_beta) {
        return as_tuple(autoencoding_gap(human, model, human_beta, model_beta));
      },
      "The distance between the policies of two rewards.", {"25"});
}

}  // namespace plaudit
