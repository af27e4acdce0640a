#include "plaudit/env/robust_dual.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/registry.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

void check_dual(const Check& check, const Tensor& values, const Tensor& nominal, double lam,
                bool zero_allowed) {
  check_arguments(check, {{"values", values, "N"}, {"nominal", nominal, "N"}});
  if (readable(nominal)) {
    const auto p = as_real(nominal);
    const double least = p.min().item<double>(), total = p.sum().item<double>();
    check.that(least >= -1e-9, "nominal", ">= 0", least);
    check.that(std::abs(total - 1) <= 1e-6, "nominal", "summing to 1", total);
  }
  check.that(zero_allowed ? lam >= 0 : lam > 0, "lam", zero_allowed ? ">= 0" : "> 0", lam);
}

}  // namespace

Tensor robust_dual_tv(const Tensor& values, const Tensor& nominal, double lam,
                      std::optional<double> minimum) {
  const Check check("linear.robust_dual_tv");
  check_dual(check, values, nominal, lam, true);
  const auto v = as_real(values);
  const auto least = minimum ? at::full({}, *minimum, v.options()) : v.min();
  return (as_real(nominal) * at::minimum(v, least + lam)).sum();
}

Tensor robust_dual_kl(const Tensor& values, const Tensor& nominal, double lam) {
  const Check check("linear.robust_dual_kl");
  check_dual(check, values, nominal, lam, false);
  // log 0 = -inf leaves a value without mass out.
  return -lam * (as_real(nominal).clamp_min(0).log() - as_real(values) / lam).logsumexp(0);
}

Tensor robust_dual_chi2(const Tensor& values, const Tensor& nominal, double lam) {
  const Check check("linear.robust_dual_chi2");
  check_dual(check, values, nominal, lam, false);
  const auto [sorted, order] = as_real(values).to(at::kCPU, at::kDouble).sort();
  const auto mass = as_real(nominal).to(at::kCPU, at::kDouble).index_select(0, order);
  const double *v = sorted.const_data_ptr<double>(), *p = mass.const_data_ptr<double>();
  // Between neighbouring values, with c and s the first two moments up to the lower and q the mass above, the
  // objective is c + q a - (s + q a^2 - (c + q a)^2)/(4 lam): concave, stationary at a = (2 lam + c)/(1 - q).
  double best = v[0], c = 0, s = 0, q = 1;
  for (int64_t i = 0; i < sorted.size(0); ++i) {
    c += p[i] * v[i];
    s += p[i] * v[i] * v[i];
    q -= p[i];
    const double above = std::max(q, 0.0);
    const auto objective = [&](double a) {
      const double mean = c + above * a;
      return mean - (s + above * a * a - mean * mean) / (4 * lam);
    };
    const double high = i + 1 < sorted.size(0) ? v[i + 1] : v[i];
    best = std::max(best, objective(v[i]));
    if (above < 1) best = std::max(best, objective(std::clamp((2 * lam + c) / (1 - above), v[i], high)));
  }
  return at::scalar_tensor(best, at::kDouble);
}

PLAUDIT_FUNCTIONS(linear, m) {
  m.def("robust_dual_tv(Tensor values, Tensor nominal, float lam, float? minimum=None) -> (Tensor value)",
        &robust_dual_tv, "The worst mean under a total-variation price.", {"10"});
  m.def("robust_dual_kl(Tensor values, Tensor nominal, float lam) -> (Tensor value)", &robust_dual_kl,
        "The worst mean under a KL price.", {"10"});
  m.def("robust_dual_chi2(Tensor values, Tensor nominal, float lam) -> (Tensor value)", &robust_dual_chi2,
        "The worst mean under a chi-square price.", {"10"});
}

}  // namespace plaudit
