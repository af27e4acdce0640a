#include "plaudit/objective/f_divergence.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "plaudit/core/registry.h"

namespace plaudit {
namespace {

// exp, up to e^-10 of the largest number: so the difference of two scores, times beta, is a number too.
Tensor bounded_exp(const Tensor& x) {
  const double largest =
      x.scalar_type() == at::kDouble ? std::numeric_limits<double>::max() : std::numeric_limits<float>::max();
  return at::exp(x.clamp_max(std::log(largest) - 10));
}

}  // namespace

Tensor f_divergence_score(const Tensor& log_ratio, const std::string& kind, double alpha) {
  const Check check("preference.f_divergence_score");
  check.not_empty("log_ratio", log_ratio);
  check.finite("log_ratio", log_ratio);
  check.choice("kind", kind, {"reverse_kl", "forward_kl", "js", "alpha"});
  const auto rho = as_real(log_ratio);
  if (kind == "forward_kl") return -bounded_exp(-rho);
  if (kind == "js") return at::log_sigmoid(rho);
  if (kind == "alpha" && alpha != 1) return bounded_exp((alpha - 1) * rho) / (alpha - 1);
  return rho.clone();  // a result never shares memory with an argument
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def("f_divergence_score(Tensor log_ratio, str kind, float alpha=0.5) -> (Tensor score)",
        &f_divergence_score, "Score of a log-ratio under an f-divergence, for f-DPO.", {"48"});
}

}  // namespace plaudit
