#include "plaudit/objective/temperature_curriculum.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

double digamma(double x) {
  return at::digamma(at::scalar_tensor(x, at::kDouble)).item<double>();
}

double kl_of(const GammaLaw& a, const GammaLaw& b) {
  return (a.concentration - b.concentration) * digamma(a.concentration) - std::lgamma(a.concentration) +
         std::lgamma(b.concentration) + b.concentration * (std::log(a.rate) - std::log(b.rate)) +
         a.concentration * (b.rate - a.rate) / a.rate;
}

void check_positive(const Check& check, std::string_view name, double value) {
  if (!std::isfinite(value)) check.refuse(ErrorKind::nan, name, "is NaN or infinite");
  check.that(value > 0, name, "> 0", value);
}

}  // namespace

double gamma_kl(const GammaLaw& a, const GammaLaw& b) {
  const Check check("policy_gradient.gamma_kl");
  check_positive(check, "concentration_a", a.concentration);
  check_positive(check, "rate_a", a.rate);
  check_positive(check, "concentration_b", b.concentration);
  check_positive(check, "rate_b", b.rate);
  return kl_of(a, b);
}

double linear_temperature(const TemperatureSchedule& schedule, double iteration) {
  const Check check("policy_gradient.linear_temperature");
  check.that(schedule.start <= schedule.end, "end", fmt::format(">= start = {}", schedule.start),
             schedule.end);
  if (iteration >= schedule.end) return schedule.target;
  if (iteration <= schedule.start) return schedule.initial;
  const double share = (iteration - schedule.start) / (schedule.end - schedule.start);
  return schedule.initial + share * (schedule.target - schedule.initial);
}

CurriculumStep temperature_curriculum_step(const Tensor& temperatures, const Tensor& returns,
                                           const CurriculumOptions& options) {
  const Check check("policy_gradient.temperature_curriculum_step");
  check_arguments(check, {{"temperatures", temperatures, "N"}, {"returns", returns, "N"}});
  const auto plain = [](const Tensor& t) { return t.detach().to(at::kCPU, at::kDouble); };
  const auto alpha = plain(temperatures), j = plain(returns);
  const double least = alpha.min().item<double>();
  check.that(least > 0, "temperatures", "> 0", least);
  check_positive(check, "concentration", options.concentration);
  check_positive(check, "target_concentration", options.target_concentration);
  check_positive(check, "rate", options.rate);
  check.that(options.max_kl >= 0, "max_kl", ">= 0", options.max_kl);

  const double from = options.concentration, way = options.target_concentration - from;
  const auto log_scaled = alpha.log() + std::log(options.rate);
  // mean_i Gamma(alpha_i; k, rate)/Gamma(alpha_i; from, rate) J_i
  const auto expected = [&](double k) {
    const auto log_weight = (k - from) * log_scaled + (std::lgamma(from) - std::lgamma(k));
    return (log_weight.exp() * j).mean().item<double>();
  };
  const auto allowed = [&](double share) {
    const double k = from + share * way;
    return kl_of({k, options.rate}, {from, options.rate}) <= options.max_kl &&
           expected(k) >= options.performance_lower_bound;
  };
  double low = 0;
  if (expected(from) >= options.performance_lower_bound) {
    double high = 1;
    if (allowed(1)) low = 1;
    for (int i = 0; i < 200 && low < 1; ++i) {
      const double middle = (low + high) / 2;
      (allowed(middle) ? low : high) = middle;
    }
  }
  const double k = low == 1 ? options.target_concentration : from + low * way;
  return {k, k != from, expected(k)};
}

PLAUDIT_FUNCTIONS(policy_gradient, m) {
  m.def("gamma_kl(float concentration_a, float rate_a, float concentration_b, float rate_b) -> (float kl)",
        [](double ka, double wa, double kb, double wb) {
          return gamma_kl({ka, wa}, {kb, wb});
        },
        "KL divergence of two gamma distributions.", {"24"});
  m.def(
      "linear_temperature(float initial, float target, float start, float end, float iteration) -> (float "
      "temperature)",
      [](double initial, double target, double start, double end, double iteration) {
        return linear_temperature({initial, target, start, end}, iteration);
      },
      "A temperature that falls in a straight line.", {"24"});
  m.def(
      "temperature_curriculum_step(Tensor temperatures, Tensor returns, float concentration, float "
      "target_concentration, float rate, float performance_lower_bound, float max_kl) -> (float "
      "concentration, bool "
      "moved, float expected_return)",
      [](const Tensor& temperatures, const Tensor& returns, double from, double to, double rate, double bound,
         double max_kl) {
        return as_tuple(temperature_curriculum_step(temperatures, returns, {from, to, rate, bound, max_kl}));
      },
      "The next law of an adversary's temperature.", {"24"});
}

}  // namespace plaudit
