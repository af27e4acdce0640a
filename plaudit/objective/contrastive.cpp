#include "plaudit/objective/contrastive.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/mixed_types.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/tensors.h"

namespace plaudit {
namespace {

// Rows of length 1; rows shorter than `eps` are divided by eps instead.
// Sinkhorn's balanced soft assignment of scores [B,K]: rows sum to 1, columns to B/K. In logarithms, so that
// a small epsilon does not overflow.
Tensor balanced_assignment(const Tensor& scores, const SwavOptions& options) {
  auto log_q = scores.detach() / options.epsilon;
  for (int64_t i = 0; i < options.iterations; ++i) {
    log_q = log_q - log_q.logsumexp(0, true) - std::log(static_cast<double>(scores.size(1)));
    log_q = log_q - log_q.logsumexp(1, true) - std::log(static_cast<double>(scores.size(0)));
  }
  return log_q.exp() * scores.size(0);
}

}  // namespace

SimcseResult simcse_loss(const Tensor& features_a, const Tensor& features_b, double temperature) {
  const Check check("contrastive.simcse_loss");
  check.alike({{"features_a", features_a}, {"features_b", features_b}}, 2);
  check.that(temperature > 0, "temperature", "> 0", temperature);
  const auto type = common_real_type({features_a, features_b});
  const auto a = unit_rows(features_a.to(type), 1e-8), b = unit_rows(features_b.to(type), 1e-8);
  const auto logits = a.matmul(b.t()) / temperature;
  const auto losses = logits.logsumexp(1) - logits.diagonal();
  return {losses.mean(), losses};
}

SwavResult swav_loss(const Tensor& features_a, const Tensor& features_b, const Tensor& prototypes,
                     const SwavOptions& options) {
  const Check check("contrastive.swav_loss");
  check.not_empty("prototypes", prototypes);
  check.alike({{"features_a", features_a}, {"features_b", features_b}}, 2);
  check.dim("prototypes", prototypes, 2);
  check.same_size("features_a", features_a, 1, "prototypes", prototypes, 1);
  check.finite("prototypes", prototypes);
  check.that(options.temperature > 0, "temperature", "> 0", options.temperature);
  check.that(options.epsilon > 0, "epsilon", "> 0", options.epsilon);
  check.that(options.iterations >= 1, "iterations", ">= 1", options.iterations);

  const auto type = common_real_type({features_a, features_b, prototypes});
  const auto centres = unit_rows(prototypes.to(type), 1e-12).t();
  const auto scores_a = unit_rows(features_a.to(type), 1e-12).matmul(centres);
  const auto scores_b = unit_rows(features_b.to(type), 1e-12).matmul(centres);
  const auto q_a = balanced_assignment(scores_a, options), q_b = balanced_assignment(scores_b, options);
  const auto cross_entropy = [&](const Tensor& q, const Tensor& scores) {
    return -(q * at::log_softmax(scores / options.temperature, 1)).sum(1);
  };
  const auto loss = (cross_entropy(q_b, scores_a) + cross_entropy(q_a, scores_b)).mean();
  return {loss, q_a, q_b};
}

Tensor preference_features(const Tensor& chosen, const Tensor& rejected, const std::string& kind) {
  const Check check("contrastive.preference_features");
  check.alike({{"chosen", chosen}, {"rejected", rejected}}, 2);
  check.choice("kind", kind, {"pair", "difference"});
  if (kind == "pair") return at::cat({chosen, rejected});
  const auto difference = as_real(chosen) - as_real(rejected);
  return at::cat({difference, -difference});
}

PLAUDIT_FUNCTIONS(contrastive, m) {
  m.def(
      "simcse_loss(Tensor features_a, Tensor features_b, float temperature=0.05) -> (Tensor loss, Tensor "
      "losses)",
      [](const Tensor& a, const Tensor& b, double temperature) {
        return as_tuple(simcse_loss(a, b, temperature));
      },
      "InfoNCE between two views of a batch with in-batch negatives.", {"17"});
  m.def(
      "swav_loss(Tensor features_a, Tensor features_b, Tensor prototypes, float temperature=0.1, float "
      "epsilon=0.05, int iterations=3) -> (Tensor loss, Tensor assignments_a, Tensor assignments_b)",
      [](const Tensor& a, const Tensor& b, const Tensor& prototypes, double temperature, double epsilon,
         int64_t iterations) {
        return as_tuple(swav_loss(a, b, prototypes, {temperature, epsilon, iterations}));
      },
      "Swapped prediction of balanced prototype assignments between two views.", {"17"});
  m.def("preference_features(Tensor chosen, Tensor rejected, str kind) -> (Tensor features)",
        &preference_features, "Rows to contrast: responses, or their differences both ways.", {"17"});
}

}  // namespace plaudit
