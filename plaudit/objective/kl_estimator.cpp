#include "plaudit/objective/kl_estimator.h"

#include <ATen/ATen.h>

#include <cmath>

namespace plaudit {

const std::vector<std::string>& kl_estimators() {
  static const std::vector<std::string> names = {"k1", "k2", "k3"};
  return names;
}

Tensor kl_terms(const Tensor& log_ratio, const std::string& estimator, double exponent_limit) {
  if (estimator == "k1") return log_ratio;
  if (estimator == "k2") return log_ratio.square() / 2;
  const auto exponent =
      std::isfinite(exponent_limit) ? (-log_ratio).clamp(-exponent_limit, exponent_limit) : -log_ratio;
  return at::expm1(exponent) + log_ratio;
}

}  // namespace plaudit
